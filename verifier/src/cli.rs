//! The command line: what an auditor can ask for, in words for someone who never saw the program.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Judges an exported Probity log: that nothing in it was changed, dropped, added or reordered since it was signed, and
/// that every decision in it follows from the published rules. Works offline, and trusts only the keys you give it.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true, subcommand_value_name = "PROOF")]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) proof: Option<Proof>,

    #[command(flatten)]
    pub(crate) bundle: Option<Arguments>,
}

/// A proof that is judged alone.
#[derive(Debug, Subcommand)]
pub(crate) enum Proof {
    /// Judges a receipt (C2SP tlog-proof): that one record is in the log.
    Receipt {
        /// The receipt.
        #[arg(value_name = "FILE")]
        receipt: PathBuf,

        /// A file that holds the record: its exact line.
        #[arg(long, value_name = "LINE-FILE")]
        record: PathBuf,

        #[command(flatten)]
        how: How,
    },
    /// Judges a consistency proof: that the log of a newer checkpoint begins with the log of an older one.
    Consistency {
        /// The checkpoint that you kept.
        #[arg(value_name = "OLD-CHECKPOINT")]
        old: PathBuf,

        /// The checkpoint that you were given.
        #[arg(value_name = "NEW-CHECKPOINT")]
        new: PathBuf,

        /// The proof: hashes in base64, one a line.
        #[arg(value_name = "PROOF")]
        proof: PathBuf,

        #[command(flatten)]
        how: How,
    },
}

/// Under which keys a proof is judged, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// A verifier key that you trust, as `probity vkey` prints it. Can be given more than once.
    #[arg(long = "key", value_name = "VKEY", required = true)]
    pub(crate) keys: Vec<String>,

    /// A key of which you know from the log's owner that it was stolen, as VKEY@SIZE: what it signed above that size is not
    /// trusted. Can be given more than once.
    #[arg(long, value_name = "VKEY@SIZE")]
    pub(crate) compromised: Vec<String>,

    /// Print one JSON document instead of text.
    #[arg(long)]
    pub(crate) json: bool,

    /// Print nothing; the exit code is the answer.
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// How a bundle is judged.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bundle: a directory, or a .tar archive (it is not unpacked).
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,

    /// A verifier key that you trust, as `probity vkey` prints it. Get it from the log's owner by another way than the
    /// bundle: a key that came with a bundle proves nothing. An earlier key of the log is enough: where it was rotated, the log is
    /// followed to the one in force. Can be given more than once.
    #[arg(long = "key", value_name = "VKEY", required_unless_present = "policy")]
    pub(crate) keys: Vec<String>,

    /// A key of which you know from the log's owner that it was stolen, as VKEY@SIZE: what it signed above that size is not
    /// trusted. Can be given more than once.
    #[arg(long, value_name = "VKEY@SIZE")]
    pub(crate) compromised: Vec<String>,

    /// A key of a person or producer that you trust, as ACTOR=KEY (`user:0199…=MCow…`): what this actor says must be
    /// signed by it. ACTOR=KEY@N: from record N on. Can be given more than once, also for one actor.
    #[arg(long = "actor-key", value_name = "ACTOR=KEY")]
    pub(crate) actor_keys: Vec<String>,

    /// A checkpoint of the same log that you kept from an earlier visit. Shows that the history you saw then is the
    /// beginning of this one, and that nothing was cut off.
    #[arg(long, value_name = "CHECKPOINT-FILE")]
    pub(crate) since: Option<PathBuf>,

    /// The key of a witness that must have cosigned the checkpoint. Can be given more than once: then each must have.
    #[arg(long = "witness", value_name = "VKEY")]
    pub(crate) witnesses: Vec<String>,

    /// A C2SP tlog-policy file: its logs are keys that you trust, and its quorum of witnesses must have cosigned the
    /// checkpoint.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Certificates (PEM) of authorities that you trust to stamp times (RFC 3161). The bundle must hold a time-stamp of one of
    /// them, and no record may have a time outside what the stamps allow. Can be given more than once.
    #[arg(long = "tsa", value_name = "FILE.pem")]
    pub(crate) authorities: Vec<PathBuf>,

    /// The bundle may be a part of a log. Without this, such a bundle is not judged (exit code 2). Of each subject in it, it
    /// is said whether all its records are there.
    #[arg(long)]
    pub(crate) partial: bool,

    /// Do not decide each decision again; check only that the records are what was signed.
    #[arg(long)]
    pub(crate) no_adjudication: bool,

    /// Write a page that can be filed and printed to this file: verdict, checks, what happened, what was not checked.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Print one JSON document instead of text.
    #[arg(long)]
    pub(crate) json: bool,

    /// Print nothing; the exit code is the answer.
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

const EXAMPLES: &str = "\
Exit codes:
  0  every check that was asked for holds
  1  something is false; the first broken record and the rule are named
  2  it could not be judged: unreadable, empty, no trusted key, newer than this program

Examples:
  Judge an export, with the key that the log's owner gave you:
    probity-verify acme.tar --key 'ledger.example/acme+1f2e3d4c+AX…'

  Show also that nothing was cut off or rewritten since your last visit:
    probity-verify acme.tar --key \"$(cat acme.vkey)\" --since acme-checkpoint-2026-01

  Show also that a witness, whom the log's owner does not run, saw the same log:
    probity-verify acme.tar --key \"$(cat acme.vkey)\" --witness 'witness.example/w1+5b6c7d8e+BH…'

  Keep a page for the file:
    probity-verify acme.tar --key \"$(cat acme.vkey)\" --report acme-2026-11.html

  Show that one record is in the log, and that a checkpoint continues the one you kept:
    probity-verify receipt refund.tlog-proof --record refund.jsonl --key \"$(cat acme.vkey)\"
    probity-verify consistency kept.checkpoint new.checkpoint proof --key \"$(cat acme.vkey)\"

  Use it in a program:
    probity-verify acme.tar --key \"$(cat acme.vkey)\" --json | jq .verdict";

#[cfg(test)]
mod tests {
    use super::Program;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Program::command().debug_assert();
    }
}
