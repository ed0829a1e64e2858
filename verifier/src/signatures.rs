//! Signatures of actors: each that a record keeps is checked with the key that the log registers for that actor, and
//! compared with the keys that the auditor brought. Whoever holds the log's key can register keys and write records; it
//! cannot sign for a person whose key the auditor holds.
//!
//! Memory: the keys in force, and 48 bytes a decision that waits for a person.

use crate::report::{CheckName, Counts, Findings};
use crate::walk::stopped;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::Event;
use probity_schemas::event::key::{AnswerSignature, KeyRegistered};
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::signature::{Answer, ApprovalStatement, is_signed};
use probity_schemas::subject::is_actor;
use probity_schemas::vocabulary::{KeyAlgorithm, KeyPurpose};
use std::collections::HashMap;
use std::str::FromStr;

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

/// What the records say of keys and signatures so far.
pub(crate) struct Signatures<'o> {
    brought: &'o [TrustedActor],
    /// Id and origin of the log.
    log: String,
    origin: String,
    /// Keys in force, by the subject that registers them.
    keys: HashMap<String, Registered>,
    /// Leaf hashes of decisions that wait for a person, by subject.
    waiting: HashMap<String, Hash>,
    tally: Tally,
    /// Why the past is not known any more.
    left: Option<String>,
}

struct Registered {
    actor: String,
    purpose: KeyPurpose,
    keyid: String,
    key: ActorKey,
}

#[derive(Default)]
struct Tally {
    answers: u64,
    by_auditor: u64,
    by_log: u64,
}

/// A broken rule and its words.
type Fault = (&'static str, String);

impl<'o> Signatures<'o> {
    pub(crate) fn new(brought: &'o [TrustedActor]) -> Self {
        Self {
            brought,
            log: String::new(),
            origin: String::new(),
            keys: HashMap::new(),
            waiting: HashMap::new(),
            tally: Tally::default(),
            left: None,
        }
    }

    /// Takes the next record in.
    pub(crate) fn hear(&mut self, record: &Record<'_>, event: &Event, findings: &mut Findings) {
        if self.left.is_some() {
            return;
        }
        let subject = record.envelope.subject.as_ref();
        let checked = match event {
            Event::LogOpened(opened) => {
                self.log.clone_from(&opened.log_id);
                self.origin.clone_from(&opened.origin);
                Ok(())
            }
            Event::LogRestored(restored) => {
                self.origin.clone_from(&restored.origin);
                Ok(())
            }
            Event::KeyRegistered(registered) => self.register(subject, registered),
            Event::KeyRevoked(_) => {
                self.keys.remove(subject);
                Ok(())
            }
            Event::DecisionMade(made) if made.approval.is_some() => {
                self.waiting.insert(subject.to_owned(), record.leaf);
                Ok(())
            }
            Event::DecisionExpired(_) => {
                self.waiting.remove(subject);
                Ok(())
            }
            Event::ApprovalGranted(granted) => self.answer(
                record,
                Answer::Approve,
                granted.signature.as_ref(),
                findings,
            ),
            Event::ApprovalDenied(denied) => {
                self.answer(record, Answer::Deny, denied.signature.as_ref(), findings)
            }
            _ => Ok(()),
        };
        if let Err((rule, detail)) = checked {
            let sequence = Some(record.sequence);
            findings.fail(CheckName::ActorSignatures, sequence, rule, detail);
        }
    }

    /// From here on the past is not known. The first reason is kept.
    pub(crate) fn leave(&mut self, why: String) {
        self.left.get_or_insert(why);
    }

    fn register(&mut self, subject: &str, registered: &KeyRegistered) -> Result<(), Fault> {
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
            key,
        };
        self.keys.insert(subject.to_owned(), registered);
        Ok(())
    }

    fn answer(
        &mut self,
        record: &Record<'_>,
        action: Answer,
        signature: Option<&AnswerSignature>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        self.tally.answers += 1;
        let decision = self.waiting.remove(record.envelope.subject.as_ref());
        let actor = record.envelope.actor.as_ref();
        let Some(signature) = signature else {
            return self.must_be_signed(record.sequence, actor);
        };
        if KeyAlgorithm::parse(&signature.alg).is_none() {
            let why = format!(
                "record {}: a signature by {} is newer than this judge",
                record.sequence, signature.alg
            );
            findings.impossible(CheckName::ActorSignatures, why);
            return Ok(());
        }
        let key = self.key_of(actor, KeyPurpose::Approval, signature)?;
        if record.envelope.time > signature.expires {
            let detail = "recorded after the signed answer had expired".to_owned();
            return Err(("signatures.expired", detail));
        }
        let decision = decision.ok_or_else(|| {
            let detail = "it answers no decision that waits".to_owned();
            ("signatures.decision", detail)
        })?;
        let statement = ApprovalStatement {
            action,
            decision,
            expires: signature.expires,
            log: &self.log,
            origin: &self.origin,
        };
        if !is_signed(key, &statement.message(), &signature.sig) {
            let detail = format!("not signed by {actor}: the signature is false");
            return Err(("signatures.false", detail));
        }
        let brought = self.is_brought(record.sequence, actor, key)?;
        self.tally.count(brought);
        Ok(())
    }

    /// The key in force that a signature names.
    fn key_of(
        &self,
        actor: &str,
        purpose: KeyPurpose,
        signature: &AnswerSignature,
    ) -> Result<&ActorKey, Fault> {
        let named = self.keys.values().find(|key| {
            key.keyid == signature.keyid && key.actor == actor && key.purpose == purpose
        });
        match named {
            Some(registered) if registered.key.algorithm().as_str() == signature.alg => {
                Ok(&registered.key)
            }
            _ => {
                let detail = format!("no such key of {actor} is in force");
                Err(("signatures.key", detail))
            }
        }
    }

    /// What is not signed may be so only where the auditor holds no key of the actor.
    fn must_be_signed(&self, sequence: u64, actor: &str) -> Result<(), Fault> {
        if self.held(sequence, actor).next().is_some() {
            let detail = format!("{actor} did not sign this, and you hold a key of {actor}");
            return Err(("signatures.missing", detail));
        }
        Ok(())
    }

    /// Whether the auditor brought the key; if he brought others of the actor only, it must not have signed.
    fn is_brought(&self, sequence: u64, actor: &str, key: &ActorKey) -> Result<bool, Fault> {
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

    /// The end of the records.
    pub(crate) fn close(self, counts: &mut Counts, broken: Option<u64>, findings: &mut Findings) {
        let Tally {
            answers,
            by_auditor,
            by_log,
        } = self.tally;
        counts.signed_by_auditor_keys = by_auditor;
        counts.signed_by_log_keys = by_log;
        let name = CheckName::ActorSignatures;
        if let Some(why) = self.left.or(broken.map(stopped)) {
            return findings.impossible(name, why);
        }
        if by_auditor + by_log == 0 && self.brought.is_empty() {
            let why =
                "nothing in it is signed by its actor: only the log vouches for who said what";
            return findings.not_asked(name, why);
        }
        let unsigned = answers - (by_auditor + by_log).min(answers);
        findings.hold(
            name,
            format!(
                "{by_auditor} signed by a key the auditor brought, {by_log} by a key only the log vouches for; \
                 {unsigned} of {answers} answers not signed"
            ),
        );
    }
}

impl Tally {
    const fn count(&mut self, brought: bool) {
        if brought {
            self.by_auditor += 1;
        } else {
            self.by_log += 1;
        }
    }
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
