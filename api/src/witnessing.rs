//! Which witnesses a server has its checkpoints cosigned by, and how often.

use crate::courier::{HttpCourier, can_be_asked};
use probity_ledger::witness::Witnesses;
use probity_schemas::limits::TRUST_POLICY_BYTES_MAX;
use probity_schemas::trust::{TrustPolicy, TrustPolicyError};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const PERIOD_SECONDS_DEFAULT: u64 = 60;

/// Who is to cosign checkpoints, and how often.
#[derive(Clone, Debug, clap::Args)]
pub struct WitnessConfig {
    /// A C2SP tlog-policy file: its witnesses that have a url are asked to cosign every log that is written here, and
    /// what they cosigned is a second guard. Nobody is asked when absent.
    #[arg(long, env = "PROBITY_WITNESS_POLICY", value_name = "FILE")]
    pub witness_policy: Option<PathBuf>,

    /// Seconds between two requests to a witness for one log; none is sent while nothing is appended.
    #[arg(long, env = "PROBITY_WITNESS_SECONDS", value_name = "SECONDS", default_value_t = PERIOD_SECONDS_DEFAULT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub witness_seconds: u64,
}

impl Default for WitnessConfig {
    fn default() -> Self {
        Self {
            witness_policy: None,
            witness_seconds: PERIOD_SECONDS_DEFAULT,
        }
    }
}

/// Why the witnesses cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum WitnessConfigError {
    /// The file cannot be read.
    #[error("the witness policy {path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is no policy.
    #[error("the witness policy {path}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TrustPolicyError,
    },
    /// A witness's url is none that can be asked.
    #[error("witness {name}: its url is not http:// or https:// and a host")]
    Url {
        /// Its name in the policy.
        name: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl WitnessConfig {
    /// Reads the policy and makes the client.
    ///
    /// # Errors
    /// [`WitnessConfigError`] says what to correct.
    pub fn open(&self) -> Result<Option<Arc<Witnesses>>, WitnessConfigError> {
        let Some(path) = &self.witness_policy else {
            return Ok(None);
        };
        let policy = read_policy(path)?;
        let urls = policy.witnesses().iter();
        for (name, url) in urls.filter_map(|one| Some((&one.name, one.url.as_ref()?))) {
            if !can_be_asked(url) {
                return Err(WitnessConfigError::Url { name: name.clone() });
            }
        }
        let period = Duration::from_secs(self.witness_seconds);
        let courier = Arc::new(HttpCourier::new()?);
        Ok(Some(Arc::new(Witnesses::new(policy, period, courier))))
    }
}

fn read_policy(path: &Path) -> Result<TrustPolicy, WitnessConfigError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        file.take(TRUST_POLICY_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
    });
    read.map_err(|source| WitnessConfigError::File {
        path: path.to_owned(),
        source,
    })?;
    TrustPolicy::parse(&text).map_err(|source| WitnessConfigError::Policy {
        path: path.to_owned(),
        source,
    })
}
