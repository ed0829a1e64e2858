//! Which witnesses a server has its checkpoints cosigned by, and the client that speaks to them.
//!
//! Where they are is said by the operator's own policy file and by nothing else. The client follows no redirect, waits a bounded
//! time and reads a bounded answer; what an answer means is the ledger's.

use crate::limits::{WITNESS_ANSWER_BYTES_MAX, WITNESS_SECONDS_MAX};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use probity_ledger::witness::{Answer, Courier, CourierError, Witnesses};
use probity_schemas::limits::TRUST_POLICY_BYTES_MAX;
use probity_schemas::trust::{TrustPolicy, TrustPolicyError};
use rustls::{ClientConfig, RootCertStore};
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

fn can_be_asked(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    })
}

/// Speaks HTTP to witnesses.
#[derive(Debug)]
struct HttpCourier {
    http: Client<HttpsConnector<HttpConnector>, Body>,
}

impl HttpCourier {
    /// Trusts the certificate authorities that this machine trusts.
    fn new() -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = connector.https_or_http().enable_http1().build();
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http })
    }

    async fn send(&self, url: String, body: String) -> Result<Answer, CourierError> {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Body::from(body));
        let request = request.map_err(|error| unreachable(&error))?;
        let answer = self.http.request(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = to_bytes(Body::new(answer.into_body()), WITNESS_ANSWER_BYTES_MAX).await;
        let body = body.map_err(|_| CourierError::Strange)?;
        let body = String::from_utf8(body.to_vec()).map_err(|_| CourierError::Strange)?;
        Ok(Answer { status, body })
    }
}

#[async_trait]
impl Courier for HttpCourier {
    async fn add_checkpoint(&self, prefix: &str, body: String) -> Result<Answer, CourierError> {
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        let wait = Duration::from_secs(WITNESS_SECONDS_MAX);
        tokio::time::timeout(wait, self.send(url, body))
            .await
            .unwrap_or(Err(CourierError::Silent))
    }
}

fn unreachable(error: &(dyn std::error::Error + 'static)) -> CourierError {
    CourierError::Unreachable {
        why: crate::output::chain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::can_be_asked;

    #[test]
    fn only_http_is_spoken() {
        for (url, expected) in [
            ("https://witness.example/w", true),
            ("http://127.0.0.1:7380/", true),
            ("file:///etc/passwd", false),
            ("witness.example", false),
            ("/add", false),
            ("https://witness.example/w?x=1", false),
            ("https://", false),
        ] {
            assert_eq!(can_be_asked(url), expected, "{url}");
        }
    }
}
