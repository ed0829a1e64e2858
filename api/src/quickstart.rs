//! `probity quickstart`: the whole product once, on real HTTP, in a minute.
//!
//! It sets up a data directory, serves it, plays an agent's working day through the adapters' surface, exports the log, has
//! the judge (another program) judge it, changes one byte in a copy and has it judged again. Nothing is staged: whatever
//! does not go as the story says is counted, shown, and with `--once` ends in another exit code than 0.

mod client;
mod judge;
mod keep;
mod story;

use crate::cli::Failure;
use crate::config::{Secrets, ServerConfig, StoreConfig, parse_tenant};
use crate::output::{complain, say};
use crate::serve::{ServeError, Server, stop_signal};
use client::Client;
use keep::Kept;
use probity_ledger::signer::{FileSigner, Signer as _};
use probity_schemas::subject::Tenant;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// The story: an agent that mends a service; one of the runs that the tests play.
const RUN: &str = include_str!("../../tests/fixtures/runs/coding_agent.json");

/// Where that agent works.
const WORKSPACE_ROOT: &str = "/workspace/repo";

/// How `quickstart` is told what to do.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory; it is made when it is not there, and used again when it is.
    #[arg(long, value_name = "DIR", default_value = "./probity-data")]
    data: PathBuf,
    /// Address and port to serve on; another port is taken when this one is not free.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The tenant that the story plays in.
    #[arg(long, hide = true, default_value = "local", value_parser = parse_tenant)]
    tenant: Tenant,
    /// End after the story instead of serving on.
    #[arg(long)]
    once: bool,
}

/// Runs the story.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    crate::logging::start_quiet();
    let stop = stop_signal()?;
    let mut kept = Kept::load_or_make(&options.data)?;
    let server = open(&options, kept.secrets()).await?;
    kept.issue_keys(&server.app().ledger, &options.tenant)
        .await?;
    let (client, address) = (
        Client::new(server.address(), options.tenant.clone(), &kept)?,
        server.address(),
    );
    introduce(&options, &server);
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async move { drop(ended.await) }));
    let told = tell(&options.data, &client).await;
    say_next_steps(&options, address, &kept);
    if !options.once {
        say("\nserving until you press ctrl-c …");
        stop.await;
    }
    drop(end);
    serving.await.map_err(std::io::Error::other)?;
    told
}

/// The story from the first policy to the judge's second verdict.
async fn tell(data: &Path, client: &Client) -> Result<(), Failure> {
    let surprises = story::play(RUN, client).await?;
    let bundle = judge::export(data, client).await?;
    let key = verifier_key(data, client)?;
    let verdicts = judge::judge_twice(&bundle, &key).await;
    let surprises = surprises.into_iter().chain(verdicts).collect::<Vec<_>>();
    let Some(first) = surprises.first() else {
        return Ok(());
    };
    let (count, what) = (surprises.len(), first.clone());
    for surprise in &surprises {
        complain(format_args!("surprise: {surprise}"));
    }
    Err(Failure::Story { count, what })
}

/// Opens the server; on another port when the one asked for is taken.
async fn open(options: &Options, secrets: Secrets) -> Result<Server, Failure> {
    let config = config(options, secrets);
    match Server::open(config.clone()).await {
        Err(ServeError::Bind { address, .. }) => {
            say(format_args!("{address} is taken: another port will do"));
            let listen = SocketAddr::new(address.ip(), 0);
            Ok(Server::open(ServerConfig { listen, ..config }).await?)
        }
        opened => Ok(opened?),
    }
}

fn config(options: &Options, secrets: Secrets) -> ServerConfig {
    let store = StoreConfig {
        data: options.data.clone(),
        keys: None,
        database: None,
        origin: None,
    };
    let template = vec![("workspace.root".to_owned(), WORKSPACE_ROOT.to_owned())];
    ServerConfig {
        template,
        secrets,
        ..ServerConfig::new(store, options.tenant.clone(), options.listen)
    }
}

/// The key of the story's log, taken from the key directory as an auditor would get it: not from the bundle.
fn verifier_key(data: &Path, client: &Client) -> Result<String, Failure> {
    let signer = FileSigner::load(&data.join("keys"), client.tenant())?;
    let signer = signer.ok_or_else(|| Failure::NoLog {
        tenant: client.tenant().clone(),
    })?;
    Ok(signer.verifier_key().to_string())
}

fn introduce(options: &Options, server: &Server) {
    say("probity: the governance ledger for ai agents\n");
    say(format_args!("data directory  {}", options.data.display()));
    say(format_args!(
        "record store    {}",
        server.app().ledger.durability()
    ));
    say(format_args!("listening on http://{}\n", server.address()));
}

fn say_next_steps(options: &Options, address: SocketAddr, kept: &Kept) {
    let (data, tenant) = (options.data.display(), &options.tenant);
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "probity".to_owned());
    let judge = Path::new(&program).with_file_name(judge::JUDGE);
    let log = format!("http://{address}/v1/logs/{tenant}");
    say(format_args!(
        "\nkeys (kept in {data}/{}, readable by you alone)",
        keep::FILE
    ));
    for (name, value) in kept.shown() {
        say(format_args!("  {name}={value}"));
    }
    let steps = [
        format!("set -a; . {data}/{}; set +a", keep::FILE),
        format!("curl -H \"x-api-key: $PROBITY_AUDITOR_KEY\" {log}/checkpoint"),
        format!("curl -H \"x-api-key: $PROBITY_AUDITOR_KEY\" '{log}/records?from=0&limit=3'"),
        format!("curl -H \"x-api-key: $PROBITY_ADMIN_KEY\" '{log}/decisions?status=denied'"),
        format!("{program} export --data {data} --tenant {tenant} --out log.tar"),
        format!(
            "{} log.tar --key \"$({program} vkey --data {data} --tenant {tenant})\"",
            judge.display()
        ),
        format!("{program} serve --data {data} --template workspace.root={WORKSPACE_ROOT}"),
    ];
    say("\nnext steps");
    for step in steps {
        say(format_args!("  {step}"));
    }
}
