//! Reading a policy file, line by line. Every name is defined before it is used, so there are no circles.

use super::{Group, Member, TrustPolicy, TrustedLog, Witness};
use crate::checkpoint::decimal;
use crate::limits::{
    TRUST_GROUPS_MAX, TRUST_LOGS_MAX, TRUST_POLICY_BYTES_MAX, TRUST_WITNESSES_MAX,
};
use crate::vkey::{KeyType, VerifierKey, VerifierKeyError};

/// The name that stands for no witness at all.
const NONE: &str = "none";

/// Why a text is not a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustPolicyError {
    /// Above the size limit.
    #[error("the policy file is longer than {TRUST_POLICY_BYTES_MAX} bytes")]
    TooLong,
    /// A control character other than tab and line feed.
    #[error("line {line}: a control character")]
    ControlCharacter {
        /// Which line, from 1.
        line: usize,
    },
    /// Not one of the four kinds of line, or not its parts.
    #[error(
        "line {line}: expected `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|K MEMBER…` or `quorum NAME|none`"
    )]
    Shape {
        /// Which line, from 1.
        line: usize,
    },
    /// A key that is none.
    #[error("line {line}: {why}")]
    Key {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: VerifierKeyError,
    },
    /// A log's key that no log signs with, or a witness's that no witness cosigns with.
    #[error(
        "line {line}: a log has an Ed25519 key (0x01), a witness one for cosignatures (0x04 or 0x06)"
    )]
    KeyType {
        /// Which line, from 1.
        line: usize,
    },
    /// Two logs, or two witnesses, with one key.
    #[error("line {line}: this key stands in the file already")]
    DuplicateKey {
        /// Which line, from 1.
        line: usize,
    },
    /// A name that is taken, or is `none`.
    #[error("line {line}: this name is taken")]
    DuplicateName {
        /// Which line, from 1.
        line: usize,
    },
    /// A member or quorum that is not defined before.
    #[error("line {line}: no witness or group of this name stands before")]
    UnknownName {
        /// Which line, from 1.
        line: usize,
    },
    /// A witness or group that is a member already.
    #[error("line {line}: a witness or group can be a member only once")]
    MemberTwice {
        /// Which line, from 1.
        line: usize,
    },
    /// A threshold that is not from 1 to the number of members.
    #[error(
        "line {line}: the threshold is `all`, `any`, or a number from 1 to that of the members"
    )]
    Threshold {
        /// Which line, from 1.
        line: usize,
    },
    /// No quorum, or more than one.
    #[error("a policy file has exactly one quorum line")]
    Quorum,
    /// More logs, witnesses or groups than are read.
    #[error(
        "more than {TRUST_LOGS_MAX} logs, {TRUST_WITNESSES_MAX} witnesses or {TRUST_GROUPS_MAX} groups"
    )]
    TooMany,
}

use TrustPolicyError as Error;

/// A policy as far as it was read.
#[derive(Default)]
struct Draft {
    logs: Vec<TrustedLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Which names are members of a group already.
    placed: Vec<Member>,
    quorum: Option<Option<Member>>,
}

pub(super) fn parse(text: &str) -> Result<TrustPolicy, Error> {
    if text.len() > TRUST_POLICY_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let mut draft = Draft::default();
    for (content, line) in text.split('\n').zip(1..) {
        let allowed = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        if !content.bytes().all(allowed) {
            return Err(Error::ControlCharacter { line });
        }
        let parts: Vec<&str> = content
            .split([' ', '\t'])
            .filter(|part| !part.is_empty())
            .collect();
        draft.take(&parts, line)?;
    }
    Ok(TrustPolicy {
        logs: draft.logs,
        witnesses: draft.witnesses,
        groups: draft.groups,
        quorum: draft.quorum.ok_or(Error::Quorum)?,
    })
}

impl Draft {
    fn take(&mut self, parts: &[&str], line: usize) -> Result<(), Error> {
        match *parts {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None, line),
            ["log", key, url] => self.log(key, Some(url), line),
            ["witness", name, key] => self.witness(name, key, None, line),
            ["witness", name, key, url] => self.witness(name, key, Some(url), line),
            ["group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members, line)
            }
            ["quorum", name] => self.quorum(name, line),
            _ => Err(Error::Shape { line }),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>, line: usize) -> Result<(), Error> {
        let key = parse_key(key, &[KeyType::Ed25519], line)?;
        if self.logs.iter().any(|log| is_same(&log.key, &key)) {
            return Err(Error::DuplicateKey { line });
        }
        let url = url.map(str::to_owned);
        self.logs.push(TrustedLog { key, url });
        at_most(self.logs.len(), TRUST_LOGS_MAX)
    }

    fn witness(
        &mut self,
        name: &str,
        key: &str,
        url: Option<&str>,
        line: usize,
    ) -> Result<(), Error> {
        self.check_new(name, line)?;
        let key = parse_key(key, &[KeyType::Cosignature, KeyType::MlDsa44], line)?;
        if self.witnesses.iter().any(|one| is_same(&one.key, &key)) {
            return Err(Error::DuplicateKey { line });
        }
        self.witnesses.push(Witness {
            name: name.to_owned(),
            key,
            url: url.map(str::to_owned),
        });
        at_most(self.witnesses.len(), TRUST_WITNESSES_MAX)
    }

    fn group(
        &mut self,
        name: &str,
        threshold: &str,
        names: &[&str],
        line: usize,
    ) -> Result<(), Error> {
        self.check_new(name, line)?;
        let mut members = Vec::with_capacity(names.len());
        for name in names {
            let member = self.find(name).ok_or(Error::UnknownName { line })?;
            if self.placed.contains(&member) {
                return Err(Error::MemberTwice { line });
            }
            self.placed.push(member);
            members.push(member);
        }
        let threshold = match threshold {
            "all" => Some(members.len()),
            "any" => Some(1),
            number => decimal(number).and_then(|number| usize::try_from(number).ok()),
        };
        let threshold = threshold
            .filter(|number| (1..=members.len()).contains(number))
            .ok_or(Error::Threshold { line })?;
        self.groups.push(Group {
            name: name.to_owned(),
            threshold,
            members,
        });
        at_most(self.groups.len(), TRUST_GROUPS_MAX)
    }

    fn quorum(&mut self, name: &str, line: usize) -> Result<(), Error> {
        let quorum = match name {
            NONE => None,
            name => Some(self.find(name).ok_or(Error::UnknownName { line })?),
        };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => Err(Error::Quorum),
        }
    }

    fn check_new(&self, name: &str, line: usize) -> Result<(), Error> {
        if name == NONE || self.find(name).is_some() {
            Err(Error::DuplicateName { line })
        } else {
            Ok(())
        }
    }

    fn find(&self, name: &str) -> Option<Member> {
        let witness = self.witnesses.iter().position(|one| one.name == name);
        let group = || self.groups.iter().position(|one| one.name == name);
        witness
            .map(Member::Witness)
            .or_else(|| group().map(Member::Group))
    }
}

fn parse_key(text: &str, types: &[KeyType], line: usize) -> Result<VerifierKey, Error> {
    let key: VerifierKey = text.parse().map_err(|why| Error::Key { line, why })?;
    if types.contains(&key.key_type()) {
        Ok(key)
    } else {
        Err(Error::KeyType { line })
    }
}

/// Whether two keys are one, whatever their names: by the public key where it is used here, else as a whole.
fn is_same(one: &VerifierKey, other: &VerifierKey) -> bool {
    match (one.public(), other.public()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

const fn at_most(count: usize, max: usize) -> Result<(), Error> {
    if count <= max {
        Ok(())
    } else {
        Err(Error::TooMany)
    }
}
