//! The program `probity`: its commands, and how each ends.
//!
//! Exit code 0: done. 1: not done, and standard error says why and what to do. 2: the command line was not understood.

mod actor_key;
mod approve;
mod blake3;
mod export;
mod guard;
mod key;
mod serve;
mod signer;
mod vkey;
mod witness;

use crate::output::{chain, complain};
use crate::person_key::PersonKeyError;
use crate::quickstart;
use crate::serve::ServeError;
use clap::{Parser, Subcommand};
use probity_governance::signing::KeyFault;
use probity_ledger::OpenError;
use probity_ledger::error::SubmitError;
use probity_ledger::export::ExportError;
use probity_ledger::signer::KeyError;
use probity_ledger::store::StoreError;
use probity_schemas::subject::Tenant;
use std::process::ExitCode;

pub(crate) use key::system_command;

/// The governance ledger for AI agents.
#[derive(Parser)]
#[command(name = "probity", version, propagate_version = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a data directory over HTTP.
    Serve(Box<crate::config::ServerConfig>),
    /// See it all work once: policy, request, approval, outcome, export, judge.
    Quickstart(quickstart::Options),
    /// Issue and revoke keys, register public keys of people and producers, rotate the key that signs a log.
    #[command(subcommand)]
    Key(key::Command),
    /// Answer a pending decision, signed with your own key on your own machine.
    Approve(approve::Arguments),
    /// Print a log's verifier key (C2SP vkey).
    Vkey(vkey::Arguments),
    /// Export a log to a bundle; may run beside the server.
    Export(export::Arguments),
    /// Print the names under which files are kept as attachments: BLAKE3, hexadecimal.
    Blake3(blake3::Arguments),
    /// Run a witness: it cosigns the checkpoints of logs, and never two that contradict each other.
    Witness(witness::Arguments),
    /// Decide about a log whose database lost signed records.
    #[command(subcommand)]
    Guard(guard::Command),
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A server has the data directory.
    #[error("the data directory is in use by a running server: {instead}")]
    InUse {
        /// What to do instead.
        instead: String,
    },
    /// The tenant has no log.
    #[error("no log of tenant {tenant} is here: check --data and --tenant")]
    NoLog {
        /// The tenant.
        tenant: Tenant,
    },
    /// The log names a key that is not here.
    #[error(
        "the log is signed with {key}, which is not in the key directory: check --keys, or ask on the node that writes the log"
    )]
    KeyNotHeld {
        /// The verifier key.
        key: String,
    },
    /// The environment holds what cannot be.
    #[error("{0}")]
    Environment(String),
    /// The command line contradicts itself.
    #[error(transparent)]
    Argument(#[from] crate::error::ApiError),
    /// A person's key cannot be used.
    #[error(transparent)]
    PersonKey(#[from] PersonKeyError),
    /// The public key cannot be registered.
    #[error("the key is refused")]
    ActorKey(#[from] KeyFault),
    /// The answer was not given.
    #[error("the answer was not given")]
    Approve(#[from] approve::ApproveError),
    /// The ledger did not open.
    #[error("the data directory cannot be opened")]
    Open(#[from] OpenError),
    /// The ledger did not record it.
    #[error("it was not recorded")]
    Submit(#[from] SubmitError),
    /// The store failed.
    #[error("the records cannot be read")]
    Store(#[from] StoreError),
    /// The key directory cannot be used.
    #[error("the key directory cannot be used")]
    Key(#[from] KeyError),
    /// The bundle was not written.
    #[error("the bundle was not written")]
    Export(#[from] ExportError),
    /// The witness's directory or key cannot be used.
    #[error("the witness did not start")]
    Witness(#[from] crate::witness::BookError),
    /// The server did not start.
    #[error("the server did not start")]
    Serve(#[from] ServeError),
    /// The system refuses.
    #[error("the system refuses")]
    System(#[from] std::io::Error),
    /// The story did not go as it should.
    #[error("the story did not go as it should, {count} times, first: {what}")]
    Story {
        /// How many things went otherwise.
        count: usize,
        /// The first of them.
        what: String,
    },
    /// The story's requests were not answered.
    #[error("the story was interrupted")]
    Http(#[from] reqwest::Error),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let program = Program::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into()),
    };
    match runtime.block_on(run(program.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(config) => serve::run(*config).await,
        Command::Quickstart(options) => quickstart::run(options).await,
        Command::Key(command) => key::run(command).await,
        Command::Approve(arguments) => approve::run(arguments).await,
        Command::Vkey(arguments) => vkey::run(&arguments).await,
        Command::Export(arguments) => export::run(arguments).await,
        Command::Blake3(arguments) => blake3::run(&arguments),
        Command::Witness(arguments) => witness::run(arguments).await,
        Command::Guard(command) => guard::run(command).await,
    }
}

fn report(failure: &Failure) -> ExitCode {
    complain(format_args!("probity: {}", chain(failure)));
    ExitCode::FAILURE
}
