//! `probity export`: a log's bundle, to a tar or a directory. It only reads, and may run beside the server.

use super::Failure;
use crate::config::{StoreConfig, parse_tenant};
use crate::open;
use crate::output::complain;
use indicatif::{ProgressBar, ProgressStyle};
use probity_ledger::Reader;
use probity_ledger::export::{BundleSink, DirectorySink, End, ExportError, TarSink, export};
use probity_schemas::subject::Tenant;
use std::path::{Path, PathBuf};
use tokio::fs::File;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// Where to: a file whose name ends in `.tar`, or a directory that does not exist yet.
    #[arg(long, value_name = "FILE.tar|DIR")]
    out: PathBuf,
    /// The first record.
    #[arg(long)]
    from: Option<u64>,
    /// The last record.
    #[arg(long)]
    to: Option<u64>,
    /// Only records of this subject.
    #[arg(long)]
    subject: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    whole_log(&arguments)?;
    let reader = Reader::open(&open::database(&arguments.store)?).await?;
    let (out, keys) = (&arguments.out, arguments.store.keys());
    if out.extension().is_some_and(|extension| extension == "tar") {
        write_tar(&reader, &arguments.tenant, &keys, out).await
    } else {
        write(
            &reader,
            &arguments.tenant,
            &keys,
            out,
            &mut DirectorySink::create(out)?,
        )
        .await
    }
}

/// Writes beside the target and puts it in place when it is whole and durable.
async fn write_tar(
    reader: &Reader,
    tenant: &Tenant,
    keys: &Path,
    out: &Path,
) -> Result<(), Failure> {
    let partial = out.with_extension("tar.partial");
    let mut sink = TarSink::new(File::create(&partial).await?);
    let written = write(reader, tenant, keys, out, &mut sink).await;
    if written.is_ok() {
        sink.into_inner().sync_all().await?;
        tokio::fs::rename(&partial, out).await?;
    } else {
        tokio::fs::remove_file(&partial).await?;
    }
    written
}

async fn write(
    reader: &Reader,
    tenant: &Tenant,
    keys: &Path,
    out: &Path,
    sink: &mut dyn BundleSink,
) -> Result<(), Failure> {
    let bar = progress_bar();
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let summary = export(reader, tenant, keys, End::Newest, sink, &mut progress).await;
    bar.finish_and_clear();
    let summary = summary.map_err(|error| match error {
        ExportError::NoLog => Failure::NoLog {
            tenant: tenant.clone(),
        },
        error => error.into(),
    })?;
    complain(format_args!(
        "exported: {} records of {} to {}; {}",
        summary.count,
        summary.origin,
        out.display(),
        summary.witnessed
    ));
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} records, {per_sec}, {eta} left",
    );
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn whole_log(arguments: &Arguments) -> Result<(), Failure> {
    let part = [
        ("--from", arguments.from.is_some()),
        ("--to", arguments.to.is_some()),
        ("--subject", arguments.subject.is_some()),
    ];
    match part.into_iter().find(|(_, given)| *given) {
        Some((what, _)) => Err(Failure::NotInThisVersion { what }),
        None => Ok(()),
    }
}
