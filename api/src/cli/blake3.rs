//! `probity blake3`: the names under which files are kept as attachments.

use super::Failure;
use crate::output::say;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The files; one name a line, in this order.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    for file in &arguments.files {
        let mut hasher = ::blake3::Hasher::new();
        std::io::copy(&mut std::fs::File::open(file)?, &mut hasher)?;
        say(hasher.finalize().to_hex());
    }
    Ok(())
}
