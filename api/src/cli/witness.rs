//! `probity witness`: watches logs for somebody who does not run them.

use super::Failure;
use crate::config::LogFormat;
use crate::logging;
use crate::output::say;
use crate::serve::stop_signal;
use crate::witness::{Book, serve};
use probity_schemas::vkey::VerifierKey;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The witness's directory: its key, the newest checkpoint of each log, evidence. Never put an older copy back.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address and port to listen on. Port 0 takes a free one; the line `listening on http://…` says which.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7380")]
    listen: SocketAddr,
    /// The name of the witness's key, e.g. `witness.example/w1`. Fixed when the key is made.
    #[arg(long)]
    name: String,
    /// The verifier key of a log to watch; its name is the log's origin. Any log with C2SP checkpoints will do. Can be
    /// given more than once.
    #[arg(long = "log", value_name = "VKEY", required = true)]
    logs: Vec<VerifierKey>,
    /// How the log on standard error is written.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

/// Prints the witness's verifier key, then where it listens, each alone on a line.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    logging::start(arguments.log_format);
    let stop = stop_signal()?;
    let book = Book::open(&arguments.data, &arguments.name, &arguments.logs)?;
    let listener = TcpListener::bind(arguments.listen).await?;
    say(book.verifier_key());
    say(format_args!(
        "listening on http://{}",
        listener.local_addr()?
    ));
    serve(listener, book, stop).await;
    Ok(())
}
