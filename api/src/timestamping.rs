//! Which authority stamps a server's checkpoints with the time (RFC 3161), and how often.

use crate::courier::{HttpCourier, can_be_asked};
use probity_ledger::timestamping::Authority;
use std::sync::Arc;
use std::time::Duration;

const PERIOD_SECONDS_DEFAULT: u64 = 86_400;

/// Who is to stamp checkpoints, and how often.
#[derive(Clone, Debug, clap::Args)]
pub struct TimestampConfig {
    /// The address of a time-stamp authority (RFC 3161 over HTTP): it stamps the checkpoints of every log that is written here, and
    /// before a bundle is made. It sees hashes, no records. Nobody is asked when absent.
    #[arg(long, env = "PROBITY_TIMESTAMP_URL", value_name = "URL")]
    pub timestamp_url: Option<String>,

    /// Seconds between two stamps of one log, but for bundles; none is asked for while nothing is appended.
    #[arg(long, env = "PROBITY_TIMESTAMP_SECONDS", value_name = "SECONDS", default_value_t = PERIOD_SECONDS_DEFAULT, value_parser = clap::value_parser!(u64).range(60..=31_536_000))]
    pub timestamp_seconds: u64,
}

impl Default for TimestampConfig {
    fn default() -> Self {
        Self {
            timestamp_url: None,
            timestamp_seconds: PERIOD_SECONDS_DEFAULT,
        }
    }
}

/// Why the authority cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum TimestampConfigError {
    /// The address is none that can be asked.
    #[error("--timestamp-url is not http:// or https:// and a host")]
    Url,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl TimestampConfig {
    /// Makes the client.
    ///
    /// # Errors
    /// [`TimestampConfigError`] says what to correct.
    pub fn open(&self) -> Result<Option<Arc<Authority>>, TimestampConfigError> {
        let Some(url) = &self.timestamp_url else {
            return Ok(None);
        };
        if !can_be_asked(url) {
            return Err(TimestampConfigError::Url);
        }
        let period = Duration::from_secs(self.timestamp_seconds);
        let courier = Arc::new(HttpCourier::new()?);
        Ok(Some(Arc::new(Authority::new(url.clone(), period, courier))))
    }
}
