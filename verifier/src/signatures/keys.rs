//! Keys of actors: those that the records put in force, and those that the auditor brought.

use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::key::KeyRegistered;
use probity_schemas::subject::is_actor;
use probity_schemas::vocabulary::KeyPurpose;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

/// A broken rule and its words.
pub(super) type Fault = (&'static str, String);

/// A key of an actor that the auditor holds: what this actor says must be signed by it, or by another that was brought
/// for the same actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedActor {
    /// Whose key.
    pub actor: String,
    /// The key.
    pub key: ActorKey,
    /// The first record from which on the actor signs.
    pub from: u64,
}

/// `<actor>=<key>`, or `<actor>=<key>@<sequence>`.
impl FromStr for TrustedActor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (actor, rest) = text
            .split_once('=')
            .filter(|(actor, _)| is_actor(actor))
            .ok_or("expected ACTOR=KEY, e.g. user:0199…=MCow…")?;
        let (key, from) = match rest.split_once('@') {
            Some((key, from)) => (
                key,
                from.parse().map_err(|_| "expected a sequence after @")?,
            ),
            None => (rest, 0),
        };
        Ok(Self {
            actor: actor.to_owned(),
            key: key.parse().map_err(|error| format!("{error}"))?,
            from,
        })
    }
}

/// Both kinds of keys.
pub(super) struct Keys<'o> {
    brought: &'o [TrustedActor],
    /// Keys in force, by the subject that registers them.
    in_force: HashMap<String, Registered>,
    /// Ids of all keys that were ever in force.
    registered: HashSet<String>,
}

struct Registered {
    actor: String,
    purpose: KeyPurpose,
    keyid: String,
    version: Option<String>,
    key: ActorKey,
}

impl<'o> Keys<'o> {
    pub(super) fn new(brought: &'o [TrustedActor]) -> Self {
        Self {
            brought,
            in_force: HashMap::new(),
            registered: HashSet::new(),
        }
    }

    /// Whether the auditor brought none.
    pub(super) const fn are_none_brought(&self) -> bool {
        self.brought.is_empty()
    }

    pub(super) fn register(
        &mut self,
        subject: &str,
        registered: &KeyRegistered,
    ) -> Result<(), Fault> {
        let key: ActorKey = registered
            .key
            .parse()
            .map_err(|error| ("signatures.registered", format!("{error}")))?;
        if key.algorithm() != registered.alg || key.id() != registered.keyid {
            let detail = "alg or keyid are not those of the key".to_owned();
            return Err(("signatures.registered", detail));
        }
        let registered = Registered {
            actor: registered.actor.clone(),
            purpose: registered.purpose,
            keyid: registered.keyid.clone(),
            version: registered.version.clone(),
            key,
        };
        self.registered.insert(registered.keyid.clone());
        self.in_force.insert(subject.to_owned(), registered);
        Ok(())
    }

    /// Whether this key was registered, whether or not it is still in force.
    pub(super) fn was_registered(&self, keyid: &str) -> bool {
        self.registered.contains(keyid)
    }

    pub(super) fn revoke(&mut self, subject: &str) {
        self.in_force.remove(subject);
    }

    /// The key in force that an answer's signature names.
    pub(super) fn of_person(
        &self,
        actor: &str,
        keyid: &str,
        alg: &str,
    ) -> Result<&ActorKey, Fault> {
        let named = self.in_force.values().find(|key| {
            key.keyid == keyid && key.actor == actor && key.purpose == KeyPurpose::Approval
        });
        match named {
            Some(registered) if registered.key.algorithm().as_str() == alg => Ok(&registered.key),
            _ => Err(not_in_force(actor)),
        }
    }

    /// The key that signed a report is in force for its producer, at this version.
    pub(super) fn is_of_producer(
        &self,
        actor: &str,
        key: &ActorKey,
        version: &str,
    ) -> Result<(), Fault> {
        let speaks = |registered: &Registered| {
            registered.key == *key
                && registered.actor == actor
                && registered.purpose == KeyPurpose::Telemetry
                && registered.version.as_ref().is_none_or(|of| of == version)
        };
        if self.in_force.values().any(speaks) {
            Ok(())
        } else {
            Err(not_in_force(actor))
        }
    }

    /// What is not signed may be so only where the auditor holds no key of the actor.
    pub(super) fn must_be_signed(&self, sequence: u64, actor: &str) -> Result<(), Fault> {
        if self.held(sequence, actor).next().is_some() {
            let detail = format!("{actor} did not sign this, and you hold a key of {actor}");
            return Err(("signatures.missing", detail));
        }
        Ok(())
    }

    /// Whether the auditor brought the key; if he brought others of the actor only, it must not have signed.
    pub(super) fn is_brought(
        &self,
        sequence: u64,
        actor: &str,
        key: &ActorKey,
    ) -> Result<bool, Fault> {
        let mut others = false;
        for held in self.held(sequence, actor) {
            if held.key == *key {
                return Ok(true);
            }
            others = true;
        }
        if others {
            let detail = format!("signed by a key of {actor} that is none of those you hold");
            return Err(("signatures.other_key", detail));
        }
        Ok(false)
    }

    fn held(&self, sequence: u64, actor: &str) -> impl Iterator<Item = &TrustedActor> {
        self.brought
            .iter()
            .filter(move |held| held.actor == actor && held.from <= sequence)
    }
}

fn not_in_force(actor: &str) -> Fault {
    let detail = format!("no such key of {actor} is in force");
    ("signatures.key", detail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::TrustedActor;

    const KEY: &str = "MCowBQYDK2VwAyEA+Ih2Nf+OtIPZ82VBnT0klG+rX2905HS9AcoFOyN5rmA=";

    #[test]
    fn a_key_is_brought_for_an_actor_and_from_a_record_on() {
        let read = |text: String| text.parse::<TrustedActor>();
        let all = read(format!("user:ann={KEY}")).unwrap();
        assert_eq!((all.actor.as_str(), all.from), ("user:ann", 0));
        assert_eq!(read(format!("user:ann={KEY}@17")).unwrap().from, 17);
        for bad in [
            KEY.to_owned(),
            format!("ann={KEY}"),
            format!("user:ann={KEY}@"),
            "user:ann=".to_owned(),
            format!("user:ann={}", &KEY[1..]),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
