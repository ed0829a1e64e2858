//! `probity-verify`: the judge as a program. What it prints and how it exits is here; what it finds is the library's.

mod alone;
mod cli;
mod progress;

use clap::Parser as _;
use cli::{Arguments, Program};
use probity_schemas::limits::TRUST_POLICY_BYTES_MAX;
use probity_schemas::trust::TrustPolicy;
use probity_verifier::{Authorities, Options, Report, Witnesses, judge_path, limits};
use progress::Bar;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

fn main() -> ExitCode {
    let program = Program::parse();
    let (exit, printed) = match (program.proof, program.bundle) {
        (Some(proof), _) => alone::tell(&proof),
        (None, Some(arguments)) => tell(&arguments),
        // The command line asks for one of the two.
        (None, None) => (2, Ok(())),
    };
    // A verdict that could not be told is no success.
    ExitCode::from(if printed.is_ok() { exit } else { 2 })
}

/// Judges a bundle and prints what was found; the exit code.
fn tell(arguments: &Arguments) -> (u8, io::Result<()>) {
    let report = examine(arguments).unwrap_or_else(Report::not_judged);
    let printed = print(&report, arguments).and_then(|()| file(&report, arguments));
    if let (Err(error), Some(path)) = (&printed, &arguments.report) {
        let _ = writeln!(io::stderr(), "{}: {error}", path.display());
    }
    (report.exit, printed)
}

/// The report on the bundle, or why there can be none.
fn examine(arguments: &Arguments) -> Result<Report, String> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let mut keys = parse_keys("--key", &arguments.keys)?;
    let logs = policy.iter().flat_map(TrustPolicy::logs);
    keys.extend(logs.map(|log| log.key.clone()));
    let options = Options {
        actor_keys: parse_keys("--actor-key", &arguments.actor_keys)?,
        keys,
        compromised: parse_keys("--compromised", &arguments.compromised)?,
        since: arguments.since.as_deref().map(read_since).transpose()?,
        witnesses: Witnesses {
            keys: parse_keys("--witness", &arguments.witnesses)?,
            policy,
        },
        authorities: read_authorities(&arguments.authorities)?,
        partial: arguments.partial,
        adjudicate: !arguments.no_adjudication,
        chronicle: arguments.report.is_some(),
    };
    Ok(judge_path(&arguments.bundle, &options, &Bar::new()))
}

fn parse_keys<K: FromStr<Err: Display>>(flag: &str, keys: &[String]) -> Result<Vec<K>, String> {
    let parse = |key: &String| {
        key.parse()
            .map_err(|error| format!("{flag} {key}: {error}"))
    };
    keys.iter().map(parse).collect()
}

/// The checkpoint that the auditor kept.
fn read_since(path: &Path) -> Result<Vec<u8>, String> {
    read("--since", path, limits::SINCE_BYTES_MAX)
}

/// Whom the auditor trusts.
fn read_policy(path: &Path) -> Result<TrustPolicy, String> {
    let bytes = read("--policy", path, TRUST_POLICY_BYTES_MAX)?;
    let wrong = |why: String| format!("--policy {}: {why}", path.display());
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    TrustPolicy::parse(&text).map_err(|error| wrong(error.to_string()))
}

/// Whose time-stamps count.
fn read_authorities(paths: &[PathBuf]) -> Result<Authorities, String> {
    paths.iter().try_fold(Authorities::default(), |all, path| {
        let pem = read("--tsa", path, limits::AUTHORITIES_BYTES_MAX)?;
        let wrong = |why| format!("--tsa {}: {why}", path.display());
        Ok(all.with(Authorities::parse_pem(&pem).map_err(wrong)?))
    })
}

/// A file that the auditor named; of a longer one so much that its length shows.
fn read(flag: &str, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut content));
    read.map_err(|error| format!("{flag} {}: {error}", path.display()))?;
    Ok(content)
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
