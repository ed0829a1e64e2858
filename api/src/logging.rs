//! The server's own log: structured, on standard error, fields dotted by entity.
//!
//! Never logged: keys, tokens, secrets, bodies, and what a policy condition saw. `PROBITY_LOG` filters.

use crate::config::LogFormat;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging, everything worth an operator's while. A second call changes nothing.
pub(crate) fn start(format: LogFormat) {
    start_at("info,sqlx=warn", format);
}

/// Starts logging what goes wrong, and nothing else.
pub(crate) fn start_quiet() {
    start_at("warn", LogFormat::Text);
}

fn start_at(level: &str, format: LogFormat) {
    let filter = EnvFilter::try_from_env("PROBITY_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost: telling so on the same standard error would end the task that wrote it.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        tracing::debug!("log: started before");
    }
}
