//! The configuration: one struct, prose on every field, each flag also as `PROBITY_<FLAG>`.
//!
//! Secrets are never flags: they come from the environment alone, are wiped when dropped, and print as nothing.

use crate::limits::{
    BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADER_BYTES_MIN, QUEUE_COMMANDS_MAX, REQUEST_SECONDS_MAX,
    UPLOAD_BYTES_MAX, UPLOAD_QUOTA_BYTES,
};
use crate::timestamping::TimestampConfig;
use crate::witnessing::WitnessConfig;
use jsonwebtoken::Algorithm;
use probity_governance::limits::WINDOW_SECONDS_MAX;
use probity_governance::settings::{self, PERSONAL_PREFIX, TEMPLATE_PREFIX};
use probity_schemas::limits::{ATTACHMENT_BYTES_MAX, INTEGER_MAX};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{Mode, SignatureMode};
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use zeroize::Zeroizing;

const APPROVAL_SECONDS_DEFAULT: u32 = 3_600;
const GRANT_SECONDS_DEFAULT: u32 = 900;

/// Where records and keys are: what every command that opens a data directory needs to know.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreConfig {
    /// The data directory: node id, lock, and, unless configured otherwise, database, views and keys.
    #[arg(
        long,
        env = "PROBITY_DATA",
        value_name = "DIR",
        default_value = "./probity-data"
    )]
    pub data: PathBuf,

    /// The directory of the signing keys and the guard. Keep it on another disk than the database, and out of its
    /// backups. `DATA/keys` when absent.
    #[arg(long, env = "PROBITY_KEYS", value_name = "DIR")]
    pub keys: Option<PathBuf>,

    /// The record store: `sqlite:PATH` or `postgres://…`. `sqlite:DATA/probity.db` when absent. A URL that holds a
    /// password belongs into the environment, not on the command line.
    #[arg(
        long,
        env = "PROBITY_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database: Option<DatabaseText>,

    /// The first part of every log's origin, e.g. `ledger.example`. Fixed by a data directory's first record;
    /// `probity-<8 random hex>.local` when absent then.
    #[arg(long, env = "PROBITY_ORIGIN", value_name = "NAME")]
    pub origin: Option<String>,
}

/// Everything that `probity serve` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerConfig {
    /// Where records and keys are.
    #[command(flatten)]
    pub store: StoreConfig,

    /// Address and port to listen on. Port 0 takes a free one; the line `listening on http://…` says which.
    #[arg(
        long,
        env = "PROBITY_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// Where other nodes on the same database reach this one, `HOST:PORT`. The address listened on when absent.
    #[arg(long, env = "PROBITY_ADDRESS", value_name = "HOST:PORT")]
    pub address: Option<String>,

    /// The tenant that surfaces without a tenant in their paths speak for, and whose readers may read `/metrics`.
    #[arg(long, env = "PROBITY_TENANT", value_name = "TENANT", default_value = "local", value_parser = parse_tenant)]
    pub tenant: Tenant,

    /// How a request is treated that no policy speaks of: `permissive` lets it pass with a warning, `guarded` refuses
    /// it unless a fallback policy matches, `strict` refuses it. Each change is a record of every log.
    #[arg(long, env = "PROBITY_MODE", value_name = "MODE", default_value = "guarded", value_parser = parse_mode)]
    pub mode: Mode,

    /// Seconds that a pending decision waits for a person.
    #[arg(long, env = "PROBITY_APPROVAL_SECONDS", value_name = "SECONDS", default_value_t = APPROVAL_SECONDS_DEFAULT, value_parser = window())]
    pub approval_seconds: u32,

    /// Seconds that a grant holds once a person gave it.
    #[arg(long, env = "PROBITY_GRANT_SECONDS", value_name = "SECONDS", default_value_t = GRANT_SECONDS_DEFAULT, value_parser = window())]
    pub grant_seconds: u32,

    /// Whether people must sign their answers with their own registered key. A log whose setting changes says so.
    #[arg(long, env = "PROBITY_SIGNED_APPROVALS")]
    pub signed_approvals: bool,

    /// Whether producers must sign their reports with their own registered key: `off` neither checks nor keeps
    /// signatures, `warn` notes those that do not stand, `enforce` refuses reports without one that stands.
    #[arg(long, env = "PROBITY_SIGNED_REPORTS", value_name = "MODE", default_value = "warn", value_parser = parse_signature_mode)]
    pub signed_reports: SignatureMode,

    /// A value for `{{NAME}}` in policies, e.g. `workspace.root=/srv/work`; may be given several times (in the
    /// environment, separated by commas). Requests cannot set these.
    #[arg(long, env = "PROBITY_TEMPLATE", value_name = "NAME=VALUE", value_delimiter = ',', value_parser = parse_template)]
    pub template: Vec<(String, String)>,

    /// What is personal in reports of a kind, e.g. `complaint={"person":"/customer/id","pointers":["/customer/mail"]}`; may be given several
    /// times (in the environment, one a line). It stays in force until it is taken away by `complaint=`.
    #[arg(long, env = "PROBITY_PERSONAL", value_name = "KIND=RULE", value_delimiter = '\n', value_parser = parse_personal)]
    pub personal: Vec<(String, Option<String>)>,

    /// Commands that may wait for one log's writer; the next one is answered 503 with `Retry-After`.
    #[arg(long, env = "PROBITY_QUEUE", value_name = "COMMANDS", default_value_t = QUEUE_COMMANDS_MAX)]
    pub queue: usize,

    /// Requests a second that one credential may make. Off when absent: then only the queue sheds load.
    #[arg(long, env = "PROBITY_RATE_LIMIT_PER_SECOND", value_name = "REQUESTS")]
    pub rate_limit_per_second: Option<NonZeroU32>,

    /// Bytes that a request's body may have.
    #[arg(long, env = "PROBITY_BODY_BYTES_MAX", value_name = "BYTES", default_value_t = BODY_BYTES_MAX)]
    pub body_bytes_max: usize,

    /// Bytes that one uploaded attachment may have; at most 4294967296.
    #[arg(long, env = "PROBITY_ATTACHMENT_BYTES_MAX", value_name = "BYTES", default_value_t = UPLOAD_BYTES_MAX, value_parser = clap::value_parser!(u64).range(1..=ATTACHMENT_BYTES_MAX))]
    pub attachment_bytes_max: u64,

    /// Bytes that all uploaded attachments of one log may have together, those that no record names yet among them. What
    /// comes with a report itself is not counted.
    #[arg(long, env = "PROBITY_ATTACHMENT_QUOTA_BYTES", value_name = "BYTES", default_value_t = UPLOAD_QUOTA_BYTES, value_parser = clap::value_parser!(u64).range(..=INTEGER_MAX))]
    pub attachment_quota_bytes: u64,

    /// Bytes that a request's head may have; at least 8192.
    #[arg(long, env = "PROBITY_HEADER_BYTES_MAX", value_name = "BYTES", default_value_t = HEADER_BYTES_MAX, value_parser = parse_header_bytes)]
    pub header_bytes_max: usize,

    /// Seconds after which an unanswered request is given up. A streamed answer may last longer.
    #[arg(long, env = "PROBITY_REQUEST_SECONDS_MAX", value_name = "SECONDS", default_value_t = REQUEST_SECONDS_MAX)]
    pub request_seconds_max: u64,

    /// How the log on standard error is written. `PROBITY_LOG` filters it, e.g. `info,probity_ledger=debug`.
    #[arg(long, env = "PROBITY_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Who is to cosign checkpoints.
    #[command(flatten)]
    pub witness: WitnessConfig,

    /// Who stamps checkpoints with the time.
    #[command(flatten)]
    pub timestamp: TimestampConfig,

    /// What comes from the environment alone.
    #[arg(skip)]
    pub secrets: Secrets,
}

/// The address of a database. It may hold a password and therefore prints as nothing.
#[derive(Clone)]
pub struct DatabaseText(pub String);

impl From<&str> for DatabaseText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for DatabaseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(database)")
    }
}

/// How the server's own log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Secrets that the surfaces' own documentation names. Read from the environment, never logged, wiped when dropped.
#[derive(Clone, Default)]
pub struct Secrets {
    /// `ADAPTER_JWT_SECRET`: what adapters sign their tokens with. Without it no adapter token is accepted.
    pub adapter_jwt: Option<Zeroizing<String>>,
    /// `ADAPTER_JWT_ALGORITHM`: the one algorithm accepted, HS256 (the default), HS384 or HS512.
    pub adapter_jwt_algorithm: Algorithm,
    /// `OPS_LOCAL_API_KEY`: one key for all operators. Without it the operators' routes are closed.
    pub ops_key: Option<Zeroizing<String>>,
}

impl Secrets {
    /// Reads the environment.
    ///
    /// # Errors
    /// A text for people when an algorithm is named that this program does not accept.
    pub fn from_environment() -> Result<Self, String> {
        let value = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let algorithm = value("ADAPTER_JWT_ALGORITHM").unwrap_or_else(|| "HS256".to_owned());
        Ok(Self {
            adapter_jwt: value("ADAPTER_JWT_SECRET").map(Zeroizing::new),
            adapter_jwt_algorithm: parse_algorithm(&algorithm)?,
            ops_key: value("OPS_LOCAL_API_KEY").map(Zeroizing::new),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secrets)")
    }
}

impl StoreConfig {
    /// The directory of keys and guard.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.data.join("keys"))
    }
}

impl ServerConfig {
    /// The defaults, for a program that has no command line of its own.
    #[must_use]
    pub fn new(store: StoreConfig, tenant: Tenant, listen: SocketAddr) -> Self {
        Self {
            store,
            listen,
            address: None,
            tenant,
            mode: Mode::Guarded,
            approval_seconds: APPROVAL_SECONDS_DEFAULT,
            grant_seconds: GRANT_SECONDS_DEFAULT,
            signed_approvals: false,
            signed_reports: SignatureMode::Warn,
            template: Vec::new(),
            personal: Vec::new(),
            queue: QUEUE_COMMANDS_MAX,
            rate_limit_per_second: None,
            body_bytes_max: BODY_BYTES_MAX,
            attachment_bytes_max: UPLOAD_BYTES_MAX,
            attachment_quota_bytes: UPLOAD_QUOTA_BYTES,
            header_bytes_max: HEADER_BYTES_MAX,
            request_seconds_max: REQUEST_SECONDS_MAX,
            log_format: LogFormat::Text,
            witness: WitnessConfig::default(),
            timestamp: TimestampConfig::default(),
            secrets: Secrets::default(),
        }
    }

    /// The settings that decisions depend on, as the log names them.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, Option<String>)> {
        let fixed = [
            (settings::MODE, self.mode.to_string()),
            (
                settings::APPROVAL_SECONDS,
                self.approval_seconds.to_string(),
            ),
            (settings::GRANT_SECONDS, self.grant_seconds.to_string()),
        ];
        let fixed = fixed
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value)));
        let templates = self
            .template
            .iter()
            .map(|(name, value)| (format!("{TEMPLATE_PREFIX}{name}"), Some(value.clone())));
        let signed = self.signed_approvals.then(|| "required".to_owned());
        let signed = std::iter::once((settings::APPROVAL_SIGNATURE.to_owned(), signed));
        let reports =
            (self.signed_reports != SignatureMode::Warn).then(|| self.signed_reports.to_string());
        let reports = std::iter::once((settings::TELEMETRY_SIGNATURE.to_owned(), reports));
        let personal = self
            .personal
            .iter()
            .map(|(kind, rule)| (format!("{PERSONAL_PREFIX}{kind}"), rule.clone()));
        let all = fixed.chain(signed).chain(reports).chain(templates);
        all.chain(personal).collect()
    }
}

fn parse_signature_mode(text: &str) -> Result<SignatureMode, String> {
    SignatureMode::parse(text).ok_or_else(|| "expected off, warn or enforce".to_owned())
}

pub(crate) fn parse_tenant(text: &str) -> Result<Tenant, String> {
    Tenant::parse(text).map_err(|error| error.to_string())
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "expected permissive, guarded or strict".to_owned())
}

fn parse_template(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("expected NAME=VALUE")?;
    settings::check(&format!("{TEMPLATE_PREFIX}{name}"), Some(value))
        .map_err(|fault| fault.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_personal(text: &str) -> Result<(String, Option<String>), String> {
    let (kind, rule) = text
        .split_once('=')
        .filter(|(kind, _)| !kind.is_empty())
        .ok_or("expected KIND=RULE")?;
    let rule = Some(rule).filter(|rule| !rule.is_empty());
    settings::check(&format!("{PERSONAL_PREFIX}{kind}"), rule)
        .map_err(|fault| fault.to_string())?;
    Ok((kind.to_owned(), rule.map(str::to_owned)))
}

fn window() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(WINDOW_SECONDS_MAX))
}

fn parse_header_bytes(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "expected a number".to_owned())?;
    if bytes < HEADER_BYTES_MIN {
        Err(format!("expected at least {HEADER_BYTES_MIN}"))
    } else {
        Ok(bytes)
    }
}

fn parse_algorithm(text: &str) -> Result<Algorithm, String> {
    match text {
        "HS256" => Ok(Algorithm::HS256),
        "HS384" => Ok(Algorithm::HS384),
        "HS512" => Ok(Algorithm::HS512),
        _ => Err("ADAPTER_JWT_ALGORITHM: expected HS256, HS384 or HS512".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Secrets, ServerConfig, parse_algorithm};
    use clap::Parser;
    use zeroize::Zeroizing;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        config: ServerConfig,
    }

    fn parse(arguments: &[&str]) -> Result<ServerConfig, clap::Error> {
        Command::try_parse_from([&["probity"], arguments].concat()).map(|command| command.config)
    }

    #[test]
    fn defaults_are_closed_and_guarded() {
        let config = parse(&[]).unwrap();
        assert!(config.listen.ip().is_loopback());
        assert_eq!(
            config.settings()[0],
            ("mode".to_owned(), Some("guarded".to_owned()))
        );
        assert!(config.secrets.adapter_jwt.is_none() && config.secrets.ops_key.is_none());
        assert!(config.rate_limit_per_second.is_none());
    }

    #[test]
    fn defaults_are_the_same_without_a_command_line() {
        let parsed = parse(&[]).unwrap();
        let made = ServerConfig::new(parsed.store.clone(), parsed.tenant.clone(), parsed.listen);
        assert_eq!(format!("{parsed:?}"), format!("{made:?}"));
    }

    #[test]
    fn what_is_personal_becomes_settings_and_is_taken_away() {
        let rule = r#"{"person":"/id","pointers":["/mail"]}"#;
        let config = parse(&["--personal", &format!("note={rule}"), "--personal", "old="]).unwrap();
        let settings = config.settings();
        assert!(settings.contains(&("personal.note".to_owned(), Some(rule.to_owned()))));
        assert!(settings.contains(&("personal.old".to_owned(), None)));
        for bad in ["note", "=x", "note={}", "A={}"] {
            assert!(parse(&["--personal", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn templates_become_settings() {
        let config = parse(&["--template", "workspace.root=/srv/a=b"]).unwrap();
        let last = config.settings().pop().unwrap();
        assert_eq!(
            last,
            (
                "template.workspace.root".to_owned(),
                Some("/srv/a=b".to_owned())
            )
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            ["--template", "workspace.root"],
            ["--template", "=x"],
            ["--template", "tenant.id=other"],
            ["--approval-seconds", "0"],
            ["--mode", "open"],
            ["--tenant", "Local"],
            ["--header-bytes-max", "100"],
            ["--attachment-bytes-max", "4294967297"],
            ["--listen", "8080"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
        assert!(parse_algorithm("none").is_err());
    }

    #[test]
    fn secrets_print_as_nothing() {
        let mut config = parse(&["--database", "postgres://user:hunter2@db/x"]).unwrap();
        config.secrets = Secrets {
            ops_key: Some(Zeroizing::new("hunter2".to_owned())),
            ..Secrets::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
