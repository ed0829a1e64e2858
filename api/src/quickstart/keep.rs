//! The secrets of the story, kept between runs in `quickstart.env` (mode 0600), so that a second run is the same
//! installation and not another one. What the environment names takes precedence.

use crate::cli::{Failure, system_command};
use crate::config::Secrets;
use crate::key::PresentedKey;
use crate::native::credentials;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use probity_governance::command::Operation;
use probity_ledger::{Ledger, Submission};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::Role;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(super) const FILE: &str = "quickstart.env";
const ADAPTER_SECRET: &str = "ADAPTER_JWT_SECRET";
const OPERATORS_KEY: &str = "OPS_LOCAL_API_KEY";
const ADMIN_KEY: &str = "PROBITY_ADMIN_KEY";
const AUDITOR_KEY: &str = "PROBITY_AUDITOR_KEY";

/// The story's secrets.
pub(super) struct Kept {
    path: PathBuf,
    values: BTreeMap<String, Zeroizing<String>>,
    environment: Secrets,
}

impl Kept {
    /// Reads what an earlier run kept, and makes what is missing.
    pub(super) fn load_or_make(data: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(data)?;
        let path = data.join(FILE);
        let text = Zeroizing::new(if path.exists() {
            fs::read_to_string(&path)?
        } else {
            String::new()
        });
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let values = pairs
            .map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())))
            .collect();
        let environment = Secrets::from_environment().map_err(Failure::Environment)?;
        let mut kept = Self {
            path,
            values,
            environment,
        };
        for name in [ADAPTER_SECRET, OPERATORS_KEY] {
            if !kept.values.contains_key(name) {
                kept.values.insert(name.to_owned(), random()?);
            }
        }
        kept.write()?;
        Ok(kept)
    }

    /// What the server is configured with.
    pub(super) fn secrets(&self) -> Secrets {
        let kept = |name: &str| self.values.get(name).cloned();
        let mut secrets = self.environment.clone();
        secrets.adapter_jwt = secrets.adapter_jwt.or_else(|| kept(ADAPTER_SECRET));
        secrets.ops_key = secrets.ops_key.or_else(|| kept(OPERATORS_KEY));
        secrets
    }

    /// Issues the native keys that are missing or no longer good.
    pub(super) async fn issue_keys(
        &mut self,
        ledger: &Ledger,
        tenant: &Tenant,
    ) -> Result<(), Failure> {
        for (name, role) in [(ADMIN_KEY, Role::Admin), (AUDITOR_KEY, Role::Auditor)] {
            if self.is_good(ledger, name).await? {
                continue;
            }
            let (minted, issued) = credentials::mint(tenant, role, None)?;
            let command = system_command(Operation::IssueCredential(
                minted.id.to_string(),
                Box::new(issued),
            ));
            ledger
                .submit(
                    tenant,
                    Submission {
                        command,
                        idempotency: None,
                        attachments: Vec::new(),
                    },
                )
                .await?;
            self.values.insert(name.to_owned(), minted.key);
        }
        self.write()
    }

    /// The key of an admin.
    pub(super) fn admin_key(&self) -> &str {
        self.values.get(ADMIN_KEY).map_or("", |key| key.as_str())
    }

    /// What a person needs to go on by hand; what stands in the environment is not repeated.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = |name: &str| match name {
            ADAPTER_SECRET => self.environment.adapter_jwt.is_some(),
            OPERATORS_KEY => self.environment.ops_key.is_some(),
            _ => false,
        };
        let shown = self.values.iter().filter(move |(name, _)| !given(name));
        shown.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    async fn is_good(&self, ledger: &Ledger, name: &str) -> Result<bool, Failure> {
        let Some(key) = self
            .values
            .get(name)
            .and_then(|key| PresentedKey::parse(key))
        else {
            return Ok(false);
        };
        let Some(directory) = ledger.directory(&key.tenant).await? else {
            return Ok(false);
        };
        Ok(directory
            .credentials
            .get(&key.id)
            .is_some_and(|known| !known.revoked && key.matches(&known.digest)))
    }

    fn write(&self) -> Result<(), Failure> {
        let partial = self.path.with_extension("env.partial");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        for (name, value) in &self.values {
            writeln!(file, "{name}={}", value.as_str())?;
        }
        file.sync_all()?;
        Ok(fs::rename(&partial, &self.path)?)
    }
}

fn random() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(crate::error::ApiError::from)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}
