//! Keys of actors and what is signed with them: which keys can be registered, and whether a person's own signature
//! stands for an answer. One set of rules for the writer and for the judge; the bytes are those of
//! `probity_schemas::signature`.

use crate::limits::{KEYS_MAX, LABEL_BYTES_MAX};
use crate::settings;
use crate::state::{Directory, OpenCase, RegisteredKey};
use probity_schemas::actor_key::{ActorKey, ActorKeyError};
use probity_schemas::event::key::{AnswerSignature, KeyRegistered};
use probity_schemas::signature::{Answer, ApprovalStatement, is_signed};
use probity_schemas::subject::is_actor;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::KeyPurpose;

/// Why a key is not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not the kind of actor that signs this.
    #[error("answers are signed by a user, reports by an adapter or an agent")]
    Actor,
    /// Not a key.
    #[error(transparent)]
    Key(#[from] ActorKeyError),
    /// Algorithm or key id are not the key's.
    #[error("alg or keyid are not those of the key")]
    Name,
    /// A version is of an adapter's key only.
    #[error("a version belongs to a key for telemetry only")]
    Version,
    /// A text is empty or too long.
    #[error("label and version have 1 to {LABEL_BYTES_MAX} bytes")]
    Text,
    /// The key is in force already, for this actor or for another.
    #[error("the key is registered already")]
    InForce,
    /// Too many keys are in force.
    #[error("more than {KEYS_MAX} keys are registered: revoke some")]
    TooMany,
}

/// Why a signature does not stand for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// There is none, and one is required.
    #[error("this log wants answers that are signed by the person who gives them")]
    Missing,
    /// The key is not registered for this person's answers.
    #[error("the key is not registered for this person's answers")]
    Key,
    /// It says that it was made in another way than the key signs.
    #[error("alg is not the key's")]
    Algorithm,
    /// The signed answer had run out.
    #[error("the signed answer has expired")]
    Expired,
    /// It is not the key's over this answer.
    #[error("the signature is not the key's over this answer to this decision")]
    False,
}

/// Whether a key can be registered after the ones in force.
pub(crate) fn register(
    directory: &Directory,
    registered: &KeyRegistered,
) -> Result<RegisteredKey, KeyFault> {
    let kind = registered.actor.split(':').next().unwrap_or_default();
    let fits = match registered.purpose {
        KeyPurpose::Approval => kind == "user",
        KeyPurpose::Telemetry => ["adapter", "agent"].contains(&kind),
    };
    if !fits || !is_actor(&registered.actor) {
        return Err(KeyFault::Actor);
    }
    let key = ActorKey::parse(&registered.key)?;
    if key.algorithm() != registered.alg || key.id() != registered.keyid {
        return Err(KeyFault::Name);
    }
    if registered.version.is_some() && registered.purpose != KeyPurpose::Telemetry {
        return Err(KeyFault::Version);
    }
    let texts = [&registered.label, &registered.version];
    let bad = |text: &String| !(1..=LABEL_BYTES_MAX).contains(&text.len());
    if texts.into_iter().flatten().any(bad) {
        return Err(KeyFault::Text);
    }
    let same = |other: &RegisteredKey| {
        other.keyid == registered.keyid
            && (other.actor != registered.actor
                || other.purpose != registered.purpose
                || other.version == registered.version)
    };
    if directory.keys.values().any(same) {
        return Err(KeyFault::InForce);
    }
    if directory.keys.len() >= KEYS_MAX {
        return Err(KeyFault::TooMany);
    }
    Ok(RegisteredKey::from(registered))
}

/// A person's answer, and the signature that came with it.
pub(crate) struct SignedAnswer<'a> {
    pub(crate) actor: &'a str,
    pub(crate) case: &'a OpenCase,
    pub(crate) answer: Answer,
    /// When it is recorded.
    pub(crate) time: Time,
    pub(crate) signature: Option<&'a AnswerSignature>,
}

impl SignedAnswer<'_> {
    /// Whether it is signed as it must be, by a key in force.
    pub(crate) fn check(&self, directory: &Directory) -> Result<(), SignatureFault> {
        let Some(signature) = self.signature else {
            return if settings::is_approval_signed(&directory.settings) {
                Err(SignatureFault::Missing)
            } else {
                Ok(())
            };
        };
        let key = directory
            .key_of(self.actor, KeyPurpose::Approval, &signature.keyid)
            .and_then(|registered| ActorKey::parse(&registered.key).ok())
            .ok_or(SignatureFault::Key)?;
        if key.algorithm().as_str() != signature.alg {
            return Err(SignatureFault::Algorithm);
        }
        if self.time > signature.expires {
            return Err(SignatureFault::Expired);
        }
        let log = directory.log.as_ref().ok_or(SignatureFault::False)?;
        let statement = ApprovalStatement {
            action: self.answer,
            decision: self.case.leaf,
            expires: signature.expires,
            log: &log.log_id,
            origin: &log.origin,
        };
        if is_signed(&key, &statement.message(), &signature.sig) {
            Ok(())
        } else {
            Err(SignatureFault::False)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{KeyFault, register};
    use crate::state::{Directory, RegisteredKey};
    use probity_schemas::actor_key::{ActorKey, ActorKeyError};
    use probity_schemas::event::key::KeyRegistered;
    use probity_schemas::vocabulary::{KeyAlgorithm, KeyPurpose};

    const KEY: &str = "MCowBQYDK2VwAyEA+Ih2Nf+OtIPZ82VBnT0klG+rX2905HS9AcoFOyN5rmA=";

    fn anns() -> KeyRegistered {
        KeyRegistered {
            actor: "user:ann".to_owned(),
            alg: KeyAlgorithm::Ed25519,
            key: KEY.to_owned(),
            keyid: ActorKey::parse(KEY).unwrap().id(),
            label: None,
            purpose: KeyPurpose::Approval,
            version: None,
        }
    }

    #[test]
    fn what_is_no_key_of_its_actor_is_refused() {
        type Change = fn(&mut KeyRegistered);
        let table: [(Change, Result<(), KeyFault>); 8] = [
            (|_| {}, Ok(())),
            (
                |key| key.actor = "adapter:a".to_owned(),
                Err(KeyFault::Actor),
            ),
            (|key| key.actor = "system".to_owned(), Err(KeyFault::Actor)),
            (
                |key| key.purpose = KeyPurpose::Telemetry,
                Err(KeyFault::Actor),
            ),
            (|key| key.alg = KeyAlgorithm::Es256, Err(KeyFault::Name)),
            (|key| key.keyid = "0".repeat(64), Err(KeyFault::Name)),
            (
                |key| key.version = Some("1".to_owned()),
                Err(KeyFault::Version),
            ),
            (
                |key| {
                    key.key =
                        "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()
                },
                Err(KeyFault::Key(ActorKeyError::Unsafe)),
            ),
        ];
        for (change, expected) in table {
            let mut key = anns();
            change(&mut key);
            assert_eq!(
                register(&Directory::default(), &key).map(drop),
                expected,
                "{key:?}"
            );
        }
    }

    #[test]
    fn a_key_stands_for_one_actor() {
        let mut directory = Directory::default();
        let key = RegisteredKey::from(&anns());
        directory.keys.insert("1".to_owned(), key);
        let bobs = KeyRegistered {
            actor: "user:bob".to_owned(),
            ..anns()
        };
        for key in [anns(), bobs] {
            assert_eq!(register(&directory, &key), Err(KeyFault::InForce));
        }
    }
}
