//! C2SP tlog-policy: which logs and witnesses somebody trusts, and how many cosignatures make a checkpoint witnessed.
//! The file is its reader's own: it never comes from a bundle. Not the policies that decisions follow (`policy.rs`).

mod parse;

pub use parse::TrustPolicyError;

use crate::vkey::VerifierKey;

/// A policy file as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<TrustedLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
}

/// A log that may have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedLog {
    /// Its key, whose name is its origin.
    pub key: VerifierKey,
    /// Where it is, if the file says so.
    pub url: Option<String>,
}

/// A witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What the file calls it.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where it takes checkpoints, if the file says so.
    pub url: Option<String>,
}

/// Witnesses and groups, of which so many must have cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<Member>,
}

/// A witness or a group, by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

impl TrustPolicy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// The line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, TrustPolicyError> {
        parse::parse(text)
    }

    /// The logs, in the order of the file.
    #[must_use]
    pub fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }

    /// The witnesses, in the order of the file.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The witness or group that must have cosigned; `None` when the file asks for none.
    #[must_use]
    pub fn quorum(&self) -> Option<&str> {
        self.quorum.map(|member| match member {
            Member::Witness(at) => self.witnesses[at].name.as_str(),
            Member::Group(at) => self.groups[at].name.as_str(),
        })
    }

    /// Whether the quorum is reached when the witnesses with these keys cosigned.
    #[must_use]
    pub fn is_satisfied_by(&self, cosigned: &[&VerifierKey]) -> bool {
        let witnesses: Vec<bool> = self
            .witnesses
            .iter()
            .map(|witness| cosigned.contains(&&witness.key))
            .collect();
        // A group names only what stands before it, so one pass from the first to the last settles all.
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let reached = |member: &&Member| match **member {
                Member::Witness(at) => witnesses[at],
                Member::Group(at) => groups[at],
            };
            let count = group.members.iter().filter(reached).count();
            groups.push(count >= group.threshold);
        }
        match self.quorum {
            None => true,
            Some(Member::Witness(at)) => witnesses[at],
            Some(Member::Group(at)) => groups[at],
        }
    }
}
