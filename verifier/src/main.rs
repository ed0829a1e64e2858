//! `probity-verify`: the judge as a program. What it prints and how it exits is here; what it finds is the library's.

mod cli;
mod progress;

use clap::Parser as _;
use cli::Arguments;
use probity_verifier::{Options, Report, judge_path, limits};
use progress::Bar;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let report = examine(&arguments).unwrap_or_else(Report::not_judged);
    let printed = print(&report, &arguments).and_then(|()| file(&report, &arguments));
    if let (Err(error), Some(path)) = (&printed, &arguments.report) {
        let _ = writeln!(io::stderr(), "{}: {error}", path.display());
    }
    // A verdict that could not be told is no success.
    ExitCode::from(if printed.is_ok() { report.exit } else { 2 })
}

/// The report on the bundle, or why there can be none.
fn examine(arguments: &Arguments) -> Result<Report, String> {
    if arguments.partial {
        return Err("partial bundles cannot be judged by this version".to_owned());
    }
    let parse = |key: &String| key.parse().map_err(|error| format!("--key {key}: {error}"));
    let actor = |key: &String| {
        key.parse()
            .map_err(|error| format!("--actor-key {key}: {error}"))
    };
    let options = Options {
        actor_keys: arguments
            .actor_keys
            .iter()
            .map(actor)
            .collect::<Result<_, _>>()?,
        keys: arguments.keys.iter().map(parse).collect::<Result<_, _>>()?,
        since: arguments.since.as_deref().map(read_since).transpose()?,
        adjudicate: !arguments.no_adjudication,
        chronicle: arguments.report.is_some(),
    };
    Ok(judge_path(&arguments.bundle, &options, &Bar::new()))
}

/// The checkpoint that the auditor kept.
fn read_since(path: &Path) -> Result<Vec<u8>, String> {
    let limit = limits::SINCE_BYTES_MAX as u64 + 1;
    let mut note = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut note));
    read.map_err(|error| format!("--since {}: {error}", path.display()))?;
    Ok(note)
}

fn print(report: &Report, arguments: &Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if arguments.json {
        out.write_all(report.to_json()?.as_bytes())?;
    } else if !arguments.quiet {
        write!(out, "{report}")?;
    }
    out.flush()
}

/// Writes the page, if one was asked for.
fn file(report: &Report, arguments: &Arguments) -> io::Result<()> {
    match &arguments.report {
        Some(path) => std::fs::write(path, report.to_html()),
        None => Ok(()),
    }
}
