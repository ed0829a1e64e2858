//! The directory: what decisions look up and what changes seldom. Published to readers as one shared value.

use crate::settings;
use probity_schemas::event::decision::AdapterFacts;
use probity_schemas::event::key::KeyRegistered;
use probity_schemas::event::log::LogOpened;
use probity_schemas::event::registry::{AdapterRegistered, CredentialIssued};
use probity_schemas::hash::{Hash, sha256};
use probity_schemas::policy::Policy;
use probity_schemas::subject::Subject;
use probity_schemas::vocabulary::{CredentialMethod, KeyPurpose, Mode, RiskClass, Role};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is in force. Fields here, and in what it holds, stand in key order: the register's digest rests on it.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Directory {
    /// Adapters by their own id.
    pub adapters: BTreeMap<String, Adapter>,
    /// Credentials by the id in their subject.
    pub credentials: BTreeMap<String, Credential>,
    /// Legal holds in force, by name, and what stands for the person each is about: everybody where it is none.
    pub holds: BTreeMap<String, Option<String>>,
    /// Keys of actors in force, by the id in their subject.
    pub keys: BTreeMap<String, RegisteredKey>,
    /// Who the log is; none before record 0.
    pub log: Option<LogIdentity>,
    /// Policies by subject (`policy/<id>`), so in the order of the policy-set digest.
    pub policies: BTreeMap<String, InForce>,
    /// SHA-256 over the leaf hashes of the policies, in byte order of subject.
    pub policyset: Hash,
    /// Settings that differ from their defaults.
    pub settings: BTreeMap<String, String>,
    /// The signer's keys, the one in force last.
    pub signers: Vec<SignerTerm>,
    /// Roles by a credential's actor; follows from `credentials`.
    #[serde(skip)]
    pub(crate) roles: BTreeMap<String, Vec<Role>>,
}

/// Who a log is.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct LogIdentity {
    /// Version of the rules in force.
    pub engine: u32,
    /// Version of the record format.
    pub format: u32,
    /// Its random id.
    pub log_id: String,
    /// Its origin.
    pub origin: String,
    /// Its tenant.
    pub tenant: String,
}

/// A key of the log's signer, and from when on it signed.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct SignerTerm {
    /// The verifier key.
    pub key: String,
    /// If it was compromised: the size of the last checkpoint of it that is to be trusted.
    pub last_trusted_size: Option<u64>,
    /// The record that named it.
    pub sequence: u64,
}

/// A policy and the record that published it.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct InForce {
    /// Leaf hash of the record.
    pub leaf: Hash,
    /// The policy.
    pub policy: Policy,
}

/// An adapter as it is registered.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Adapter {
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Its certification tier.
    pub certification: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether it may ask at all.
    pub enabled: bool,
    /// Its class.
    pub risk_class: RiskClass,
    /// The tools it brings.
    pub tool_capabilities: Vec<String>,
    /// Its version.
    pub version: String,
}

/// A credential: who acts with it, and what it may do.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Credential {
    /// Who acts with it; ends in `:*` where the credential names its bearer.
    pub actor: String,
    /// Digest of the secret.
    pub digest: String,
    /// How it is presented.
    pub method: CredentialMethod,
    /// Whether it is void.
    pub revoked: bool,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// A key that speaks for an actor.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct RegisteredKey {
    /// For whom.
    pub actor: String,
    /// The public key: base64 of its DER SubjectPublicKeyInfo.
    pub key: String,
    /// SHA-256 of that DER, lower-case hexadecimal.
    pub keyid: String,
    /// What it may sign.
    pub purpose: KeyPurpose,
    /// The version of the adapter that it is for; none: every version.
    pub version: Option<String>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            log: None,
            settings: BTreeMap::new(),
            policies: BTreeMap::new(),
            policyset: Hash::EMPTY,
            adapters: BTreeMap::new(),
            credentials: BTreeMap::new(),
            keys: BTreeMap::new(),
            holds: BTreeMap::new(),
            signers: Vec::new(),
            roles: BTreeMap::new(),
        }
    }
}

impl Directory {
    /// The mode in force.
    #[must_use]
    pub fn mode(&self) -> Mode {
        settings::mode(&self.settings)
    }

    /// The verifier key that is in force.
    #[must_use]
    pub fn signer(&self) -> Option<&str> {
        self.signers.last().map(|term| term.key.as_str())
    }

    /// The policy of this name.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&InForce> {
        let subject = Subject::new("policy", id).ok()?;
        self.policies.get(subject.as_str())
    }

    /// A hold in force that forbids erasing a person: one about everybody, or about whom this stands for.
    #[must_use]
    pub fn hold_on(&self, person: Option<&str>) -> Option<&str> {
        let forbids = |about: &Option<String>| about.is_none() || about.as_deref() == person;
        let mut holds = self.holds.iter();
        holds.find_map(|(id, about)| forbids(about).then_some(id.as_str()))
    }

    /// What an unrevoked credential lets an actor do, in the order of the vocabulary.
    #[must_use]
    pub fn roles_of(&self, actor: &str) -> Vec<Role> {
        let own = self.roles.get(actor);
        let kind = actor
            .split_once(':')
            .and_then(|(kind, _)| self.roles.get(&[kind, ":*"].concat()));
        let roles = own.into_iter().chain(kind).flatten().copied();
        let mut roles: Vec<Role> = roles.collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// The key of this id that is in force for an actor's purpose.
    #[must_use]
    pub fn key_of(&self, actor: &str, purpose: KeyPurpose, keyid: &str) -> Option<&RegisteredKey> {
        self.keys
            .values()
            .find(|key| key.keyid == keyid && key.actor == actor && key.purpose == purpose)
    }

    /// The values of templates for a request made in this workspace.
    #[must_use]
    pub fn templates(&self, workspace: Option<&str>) -> BTreeMap<String, String> {
        let mut values: BTreeMap<String, String> = settings::templates(&self.settings)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let tenant = self.log.as_ref().map_or("", |log| log.tenant.as_str());
        let workspace = workspace.unwrap_or_else(|| settings::workspace_default(&self.settings));
        values.insert(settings::TEMPLATE_TENANT.to_owned(), tenant.to_owned());
        values.insert(
            settings::TEMPLATE_WORKSPACE.to_owned(),
            workspace.to_owned(),
        );
        values
    }

    /// Has a key sign from a record on.
    pub(crate) fn sign_with(&mut self, key: &str, sequence: u64) {
        self.signers.push(SignerTerm {
            key: key.to_owned(),
            last_trusted_size: None,
            sequence,
        });
    }

    /// Puts a policy in force, or takes its place.
    pub(crate) fn publish(&mut self, subject: &str, in_force: InForce) {
        self.policies.insert(subject.to_owned(), in_force);
        self.policyset = policyset_digest(&self.policies);
    }

    /// Takes a policy out of force; false when none was in force under the subject.
    pub(crate) fn retire(&mut self, subject: &str) -> bool {
        let known = self.policies.remove(subject).is_some();
        self.policyset = policyset_digest(&self.policies);
        known
    }

    /// Makes a credential valid, or takes its place.
    pub(crate) fn issue(&mut self, id: &str, issued: &CredentialIssued) {
        let before = self
            .credentials
            .insert(id.to_owned(), Credential::from(issued));
        self.collect_roles(&issued.actor);
        if let Some(before) = before {
            self.collect_roles(&before.actor);
        }
    }

    /// Makes a credential void; false when none is valid under the id.
    pub(crate) fn revoke(&mut self, id: &str) -> bool {
        let Some(credential) = self
            .credentials
            .get_mut(id)
            .filter(|credential| !credential.revoked)
        else {
            return false;
        };
        credential.revoked = true;
        let actor = credential.actor.clone();
        self.collect_roles(&actor);
        true
    }

    fn collect_roles(&mut self, actor: &str) {
        let valid = self
            .credentials
            .values()
            .filter(|credential| !credential.revoked && credential.actor == actor);
        let roles: BTreeSet<Role> = valid
            .flat_map(|credential| credential.roles.iter().copied())
            .collect();
        if roles.is_empty() {
            self.roles.remove(actor);
        } else {
            self.roles
                .insert(actor.to_owned(), roles.into_iter().collect());
        }
    }
}

/// SHA-256 over the leaf hashes of the `policy.published` records in force, in byte order of subject.
#[must_use]
pub fn policyset_digest(policies: &BTreeMap<String, InForce>) -> Hash {
    let leaves: Vec<&[u8]> = policies
        .values()
        .map(|in_force| in_force.leaf.as_bytes().as_slice())
        .collect();
    sha256(&leaves)
}

impl Adapter {
    /// What a decision must know of it.
    #[must_use]
    pub fn facts(&self) -> AdapterFacts {
        AdapterFacts {
            capabilities: u32::try_from(self.capabilities.len()).unwrap_or(u32::MAX),
            enabled: self.enabled,
            risk_class: self.risk_class,
        }
    }
}

impl From<&AdapterRegistered> for Adapter {
    fn from(registered: &AdapterRegistered) -> Self {
        Self {
            capabilities: registered.capabilities.clone(),
            certification: registered.certification.clone(),
            display_name: registered.display_name.clone(),
            enabled: registered.enabled,
            risk_class: registered.risk_class,
            tool_capabilities: registered.tool_capabilities.clone(),
            version: registered.version.clone(),
        }
    }
}

impl From<&CredentialIssued> for Credential {
    fn from(issued: &CredentialIssued) -> Self {
        Self {
            actor: issued.actor.clone(),
            digest: issued.digest.clone(),
            method: issued.method,
            roles: issued.roles.clone(),
            revoked: false,
        }
    }
}

impl From<&KeyRegistered> for RegisteredKey {
    fn from(registered: &KeyRegistered) -> Self {
        Self {
            actor: registered.actor.clone(),
            key: registered.key.clone(),
            keyid: registered.keyid.clone(),
            purpose: registered.purpose,
            version: registered.version.clone(),
        }
    }
}

impl From<&LogOpened> for LogIdentity {
    fn from(opened: &LogOpened) -> Self {
        Self {
            origin: opened.origin.clone(),
            tenant: opened.tenant.clone(),
            log_id: opened.log_id.clone(),
            engine: opened.engine,
            format: opened.format,
        }
    }
}
