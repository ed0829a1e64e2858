//! `probity export`: a log's bundle, to a tar or a directory. It only reads, and may run beside the server.

use super::Failure;
use crate::config::{StoreConfig, parse_tenant};
use crate::open;
use crate::output::complain;
use indicatif::{ProgressBar, ProgressStyle};
use probity_ledger::Reader;
use probity_ledger::export::{
    BundleSink, DirectorySink, End, ExportError, Shown, TarSink, export, export_part,
};
use probity_ledger::persons::Persons;
use probity_schemas::bundle::BundleFilter;
use probity_schemas::subject::Tenant;
use std::path::PathBuf;
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
    /// Only records of this subject, e.g. `decision/<id>`; with what shows that they are all of it, as of the newest seal.
    #[arg(long)]
    subject: Option<String>,
    /// Only records that carry this correlation id. No index has them: the log is read through, or what --from and --to leave of it.
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Without what opens personal values.
    #[arg(long)]
    redacted: bool,
}

/// What is exported.
struct Source<'a> {
    arguments: &'a Arguments,
    reader: Reader,
    keys: PathBuf,
    /// Who opens personal values; nobody for a redacted bundle.
    persons: Option<Persons>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let database = open::database(&arguments.store)?;
    if database.file().is_some_and(|file| !file.exists()) {
        let tenant = arguments.tenant;
        return Err(Failure::NoLog { tenant });
    }
    let keys = arguments.store.keys();
    let source = Source {
        reader: Reader::open(&database).await?,
        persons: (!arguments.redacted).then(|| Persons::new(&database, &keys)),
        arguments: &arguments,
        keys,
    };
    let out = &arguments.out;
    if out.extension().is_some_and(|extension| extension == "tar") {
        write_tar(&source).await
    } else {
        write(&source, &mut DirectorySink::create(out)?).await
    }
}

/// Writes beside the target and puts it in place when it is whole and durable.
async fn write_tar(source: &Source<'_>) -> Result<(), Failure> {
    let out = &source.arguments.out;
    let partial = out.with_extension("tar.partial");
    let mut sink = TarSink::new(File::create(&partial).await?);
    let written = write(source, &mut sink).await;
    if written.is_ok() {
        sink.into_inner().sync_all().await?;
        tokio::fs::rename(&partial, out).await?;
    } else {
        tokio::fs::remove_file(&partial).await?;
    }
    written
}

async fn write(source: &Source<'_>, sink: &mut dyn BundleSink) -> Result<(), Failure> {
    let (reader, arguments, keys) = (&source.reader, source.arguments, &source.keys);
    let tenant = &arguments.tenant;
    let bar = progress_bar();
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let shown = Shown {
        end: End::Newest,
        persons: source.persons.as_ref(),
    };
    let told = &mut progress;
    let summary = match part(arguments) {
        Some(filter) => export_part(reader, tenant, keys, shown, &filter, sink, told).await,
        None => export(reader, tenant, keys, shown, sink, told).await,
    };
    bar.finish_and_clear();
    let summary = summary.map_err(|error| match error {
        ExportError::NoLog => Failure::NoLog {
            tenant: tenant.clone(),
        },
        error => error.into(),
    })?;
    complain(format_args!(
        "exported: {} records and {} disclosures of {} to {}; {}",
        summary.count,
        summary.disclosures,
        summary.origin,
        arguments.out.display(),
        summary.witnessed
    ));
    if summary.attachments_missing > 0 {
        complain(format_args!(
            "exported: {} attachments that records name are gone from the store, and left out",
            summary.attachments_missing
        ));
    }
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} records, {per_sec}, {eta} left",
    );
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The part that is asked for, if not the whole log.
fn part(arguments: &Arguments) -> Option<BundleFilter> {
    let filter = BundleFilter {
        from: arguments.from,
        subject: arguments.subject.clone(),
        to: arguments.to,
        trace: arguments.trace.clone(),
    };
    (filter != BundleFilter::default()).then_some(filter)
}
