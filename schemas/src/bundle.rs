//! The layout of a bundle: the names of its members, the order in which they stand in a tar, and how long they may be.
//! Reading and writing files is the business of others. Nothing in a bundle is trusted, least of all its manifest, and
//! verifier keys are never taken from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::checkpoint::decimal;
use crate::event::Event;
use crate::limits::{
    MANIFEST_BYTES_MAX, NOTE_BYTES_MAX, SCHEMA_BYTES_MAX, TIMESTAMP_BYTES_MAX, TREE_SIZE_MAX,
};

/// Version of the format that this code writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A member of a bundle. The order of the variants, and within them of their names, is the order in a tar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// `bundle.json`: what the bundle is said to be.
    Manifest,
    /// `checkpoint`: the signed note over the tree.
    Checkpoint,
    /// `checkpoints/<size>`: an older signed note, where the signer's key changed.
    OlderCheckpoint(u64),
    /// `timestamps/<size>.tsr`: an RFC 3161 token over the checkpoint of that size.
    Timestamp(u64),
    /// `proofs.jsonl`: inclusion proofs, where the records are not the whole log.
    Proofs,
    /// `records.jsonl`: the lines, each with a line feed.
    Records,
    /// `disclosures.jsonl`: what opens the salted digests in the records.
    Disclosures,
    /// `attachments/<hash>`: bytes named by their BLAKE3 hash in lower-case hexadecimal.
    Attachment(String),
    /// `schemas/<type>.json`: the JSON Schema of a body, for readers.
    Schema(String),
}

/// What a bundle is said to be: information for people. Nothing in it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleManifest {
    /// Number of records.
    pub count: u64,
    /// What was asked for, if it was not the whole log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<BundleFilter>,
    /// Sequence of the first record.
    pub first: u64,
    /// Version of the format.
    pub format: u32,
    /// The log's origin.
    pub origin: String,
    /// Name and version of the program that wrote the bundle.
    pub tool: String,
}

/// Which part of a log a bundle was asked to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFilter {
    /// From this sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Of this subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// To this sequence, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// That carry this correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Why files are not a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A path that no member has. It is refused by not being known, so no path can lead out of the bundle.
    #[error("{path:?} is not a member of a bundle")]
    UnknownMember {
        /// The path.
        path: String,
    },
    /// A member that stands after one it should precede, or twice.
    #[error("{member} stands out of order, or twice")]
    OutOfOrder {
        /// The member.
        member: Member,
    },
    /// A member that every bundle has.
    #[error("{member} is missing")]
    Missing {
        /// The member.
        member: Member,
    },
    /// A member above its size limit.
    #[error("{member} has {bytes} bytes, more than it may")]
    TooLong {
        /// The member.
        member: Member,
        /// Its size.
        bytes: u64,
    },
    /// A manifest that cannot be read.
    #[error("bundle.json: {reason}")]
    Manifest {
        /// What the decoder says.
        reason: String,
    },
    /// A bundle of a later format.
    #[error("format {found} is newer than {FORMAT}")]
    NewerFormat {
        /// The format it names.
        found: u32,
    },
}

impl Member {
    /// The members that every bundle has.
    pub const REQUIRED: [Self; 3] = [Self::Manifest, Self::Checkpoint, Self::Records];

    /// The member at a path, relative to the bundle, with `/` between its parts.
    ///
    /// # Errors
    /// [`BundleError::UnknownMember`] for any other path.
    pub fn parse(path: &str) -> Result<Self, BundleError> {
        Self::known(path).ok_or_else(|| BundleError::UnknownMember {
            path: path.to_owned(),
        })
    }

    fn known(path: &str) -> Option<Self> {
        let member = match path.split_once('/') {
            None => match path {
                "bundle.json" => Self::Manifest,
                "checkpoint" => Self::Checkpoint,
                "proofs.jsonl" => Self::Proofs,
                "records.jsonl" => Self::Records,
                "disclosures.jsonl" => Self::Disclosures,
                _ => return None,
            },
            Some(("checkpoints", size)) => Self::OlderCheckpoint(tree_size(size)?),
            Some(("timestamps", name)) => Self::Timestamp(tree_size(name.strip_suffix(".tsr")?)?),
            Some(("attachments", hash)) if is_attachment_name(hash) => {
                Self::Attachment(hash.to_owned())
            }
            Some(("schemas", name)) => {
                let event = name.strip_suffix(".json")?;
                Self::Schema(Event::TYPES.contains(&event).then(|| event.to_owned())?)
            }
            Some(_) => return None,
        };
        Some(member)
    }

    /// Checks that this member may stand after `before` in a tar.
    ///
    /// # Errors
    /// [`BundleError::OutOfOrder`].
    pub fn follows(&self, before: Option<&Self>) -> Result<(), BundleError> {
        if before.is_none_or(|before| before < self) {
            Ok(())
        } else {
            Err(BundleError::OutOfOrder {
                member: self.clone(),
            })
        }
    }

    /// Checks the size of this member; records, proofs, disclosures and attachments may have any, for they are streamed.
    ///
    /// # Errors
    /// [`BundleError::TooLong`].
    pub fn check_bytes(&self, bytes: u64) -> Result<(), BundleError> {
        let most = match self {
            Self::Manifest => MANIFEST_BYTES_MAX,
            Self::Checkpoint | Self::OlderCheckpoint(_) => NOTE_BYTES_MAX,
            Self::Timestamp(_) => TIMESTAMP_BYTES_MAX,
            Self::Schema(_) => SCHEMA_BYTES_MAX,
            Self::Proofs | Self::Records | Self::Disclosures | Self::Attachment(_) => return Ok(()),
        };
        if bytes <= most as u64 {
            Ok(())
        } else {
            Err(BundleError::TooLong {
                member: self.clone(),
                bytes,
            })
        }
    }
}

impl fmt::Display for Member {
    /// The member's path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("bundle.json"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::OlderCheckpoint(size) => write!(f, "checkpoints/{size}"),
            Self::Timestamp(size) => write!(f, "timestamps/{size}.tsr"),
            Self::Proofs => f.write_str("proofs.jsonl"),
            Self::Records => f.write_str("records.jsonl"),
            Self::Disclosures => f.write_str("disclosures.jsonl"),
            Self::Attachment(hash) => write!(f, "attachments/{hash}"),
            Self::Schema(event) => write!(f, "schemas/{event}.json"),
        }
    }
}

impl BundleManifest {
    /// Reads `bundle.json`. Unknown fields are passed over, so that the format of a later bundle can be named.
    ///
    /// # Errors
    /// [`BundleError::NewerFormat`], or [`BundleError::Manifest`] for what cannot be read.
    pub fn parse(json: &[u8]) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(json).map_err(unreadable)?;
        if format > FORMAT {
            return Err(BundleError::NewerFormat { found: format });
        }
        serde_json::from_slice(json).map_err(unreadable)
    }

    /// The bytes of `bundle.json`: canonical JSON and a line feed.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] if it cannot be encoded.
    pub fn to_json(&self) -> Result<String, BundleError> {
        serde_json::to_string(self)
            .map(|json| json + "\n")
            .map_err(unreadable)
    }
}

fn unreadable(error: serde_json::Error) -> BundleError {
    BundleError::Manifest {
        reason: error.to_string(),
    }
}

fn tree_size(text: &str) -> Option<u64> {
    decimal(text).filter(|size| *size <= TREE_SIZE_MAX)
}

/// 64 lower-case hexadecimal digits.
fn is_attachment_name(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_one_path_and_they_stand_in_the_order_of_the_design() {
        let hash = "0".repeat(63) + "a";
        let in_order = [
            "bundle.json".to_owned(),
            "checkpoint".to_owned(),
            "checkpoints/9".to_owned(),
            "checkpoints/10".to_owned(),
            "timestamps/10.tsr".to_owned(),
            "proofs.jsonl".to_owned(),
            "records.jsonl".to_owned(),
            "disclosures.jsonl".to_owned(),
            format!("attachments/{hash}"),
            "schemas/decision.made.v1.json".to_owned(),
        ];
        let members: Vec<Member> = in_order
            .iter()
            .map(|path| Member::parse(path).unwrap())
            .collect();
        for (path, member) in in_order.iter().zip(&members) {
            assert_eq!(member.to_string(), *path);
            assert!(path.len() <= crate::limits::MEMBER_PATH_BYTES_MAX);
        }
        assert_eq!(members[0].follows(None), Ok(()));
        for pair in members.windows(2) {
            assert_eq!(pair[1].follows(Some(&pair[0])), Ok(()));
            assert_eq!(
                pair[0].follows(Some(&pair[1])),
                Err(BundleError::OutOfOrder {
                    member: pair[0].clone()
                })
            );
            assert!(pair[0].follows(Some(&pair[0])).is_err(), "twice");
        }
    }

    #[test]
    fn no_path_leads_out_of_a_bundle() {
        let hash = "A".repeat(64);
        for path in [
            "",
            "/",
            "/bundle.json",
            "./bundle.json",
            "../bundle.json",
            "bundle.json/",
            "Bundle.json",
            "bundle.json\0",
            "keys",
            "checkpoints",
            "checkpoints/",
            "checkpoints/01",
            "checkpoints/-1",
            "checkpoints/../checkpoint",
            "checkpoints/1/2",
            "timestamps/1",
            "timestamps/.tsr",
            "attachments/../../etc/passwd",
            "attachments/abc",
            "schemas/../x.json",
            "schemas/no.such.v1.json",
            "schemas\\decision.made.v1.json",
            &format!("attachments/{hash}"),
        ] {
            assert_eq!(
                Member::parse(path),
                Err(BundleError::UnknownMember {
                    path: path.to_owned()
                })
            );
        }
    }

    #[test]
    fn members_that_are_read_whole_have_a_limit() {
        assert_eq!(Member::Manifest.check_bytes(65_536), Ok(()));
        let error = BundleError::TooLong {
            member: Member::Manifest,
            bytes: 65_537,
        };
        assert_eq!(Member::Manifest.check_bytes(65_537), Err(error));
        assert!(Member::Checkpoint.check_bytes(1_000_001).is_err());
        assert_eq!(Member::Records.check_bytes(u64::MAX), Ok(()));
    }

    #[test]
    fn a_manifest_is_canonical_and_a_later_one_is_recognised() {
        let manifest = BundleManifest {
            count: 3,
            filter: Some(BundleFilter {
                from: Some(1),
                subject: Some("decision/1".to_owned()),
                to: Some(3),
                trace: Some("conversation-7".to_owned()),
            }),
            first: 1,
            format: FORMAT,
            origin: "ledger.example/acme".to_owned(),
            tool: "probity 0.1.0".to_owned(),
        };
        let json = manifest.to_json().unwrap();
        assert_eq!(crate::canonical::check(json.trim_end().as_bytes()), Ok(()));
        assert_eq!(BundleManifest::parse(json.as_bytes()), Ok(manifest));
        assert_eq!(
            BundleManifest::parse(br#"{"format":2,"else":1}"#),
            Err(BundleError::NewerFormat { found: 2 })
        );
        assert!(matches!(
            BundleManifest::parse(b"{}"),
            Err(BundleError::Manifest { .. })
        ));
    }
}
