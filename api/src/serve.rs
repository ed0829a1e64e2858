//! The server's life: bind, open, listen, drain, close.
//!
//! A stop first refuses new connections and ends endless streams, then lets requests under way finish (bounded), then
//! lets the views go (they catch up at the next start), then drains the ledger's queues and closes it. So whatever was
//! acknowledged is durable, and whatever was not recorded was not acknowledged.

use crate::app::App;
use crate::background::Background;
use crate::config::ServerConfig;
use crate::limiter::Limiter;
use crate::limits::{HEADER_SECONDS_MAX, NODE_CONNECT_SECONDS_MAX, STOP_SECONDS_MAX};
use crate::measure;
use crate::open;
use crate::output::chain;
use crate::router::router;
use crate::timestamping::TimestampConfigError;
use crate::witnessing::WitnessConfigError;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use probity_ledger::Ledger;
use probity_ledger::OpenError;
use probity_ledger::config::Config;
use probity_ledger::store::StoreError;
use probity_projections::{ViewError, Views};
use probity_schemas::subject::Tenant;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Why a server did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The record store is not named as one is.
    #[error("the record store cannot be used")]
    Store(#[from] StoreError),
    /// The ledger cannot be opened.
    #[error("the ledger cannot be opened")]
    Ledger(#[from] OpenError),
    /// The views cannot be opened.
    #[error("the views cannot be opened")]
    Views(#[from] ViewError),
    /// The system does not let us listen to signals, or make a client.
    #[error("the system refuses")]
    System(#[from] std::io::Error),
    /// A client for other nodes cannot be made.
    #[error("no client for other nodes can be made")]
    Client(#[from] reqwest::Error),
    /// The witnesses cannot be asked.
    #[error("the witnesses cannot be asked")]
    Witnesses(#[from] WitnessConfigError),
    /// The time-stamp authority cannot be asked.
    #[error("the time-stamp authority cannot be asked")]
    Timestamp(#[from] TimestampConfigError),
    /// Measurements cannot be kept.
    #[error("measurements cannot be kept")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// A server that is ready to answer.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
    background: Background,
}

impl Server {
    /// Binds the address, opens ledger and views.
    ///
    /// # Errors
    /// [`ServeError`] says what does not work.
    pub async fn open(config: ServerConfig) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
        let address = listener.local_addr()?;
        let metrics = measure::start()?;
        let mut place = open::server_config(&config, address)?;
        place.witnesses = config.witness.open()?;
        place.authority = config.timestamp.open()?;
        let background = Background::start()?;
        let opened = background.within(open_records(place, &config.tenant));
        let (ledger, views) = opened.await?;
        let http = node_client(&config)?;
        let limiter = config
            .rate_limit_per_second
            .map(|requests| Arc::new(Limiter::per_second(requests)));
        let app = App {
            ledger,
            views,
            config: Arc::new(config),
            limiter,
            http,
            metrics,
            stopping: CancellationToken::new(),
        };
        Ok(Self {
            listener,
            address,
            app,
            background,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers share.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop` comes, then drains and closes.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let service = router(self.app.clone());
        let upkeep = tokio::spawn(measure::keep_up(self.app.metrics.clone()));
        let header_bytes_max = self.app.config.header_bytes_max;
        tokio::select! {
            () = accept(&self.listener, &service, header_bytes_max, &connections) => {}
            () = stop => {}
        }
        drop(self.listener);
        tracing::info!("server: stopping");
        self.app.stopping.cancel();
        let drained = tokio::time::timeout(
            Duration::from_secs(STOP_SECONDS_MAX),
            connections.shutdown(),
        )
        .await;
        if drained.is_err() {
            tracing::warn!("server: requests under way were given up");
        }
        self.app.views.close().await;
        self.app.ledger.close().await;
        upkeep.abort();
        drop(self.background);
        tracing::info!("server: stopped");
    }
}

/// Speaks to other nodes: directly, and not for longer than the caller would wait.
fn node_client(config: &ServerConfig) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder().no_proxy();
    let builder = builder.connect_timeout(Duration::from_secs(NODE_CONNECT_SECONDS_MAX));
    builder
        .timeout(Duration::from_secs(config.request_seconds_max))
        .build()
}

/// Opens the ledger, with the configured tenant's log, and the views beside it.
async fn open_records(place: Config, tenant: &Tenant) -> Result<(Ledger, Views), ServeError> {
    let (data, database) = (place.data.clone(), place.database.clone());
    let ledger = open::ledger(place).await?;
    create_own_log(&ledger, tenant).await;
    let views = open::views(&data, database, &ledger).await?;
    Ok((ledger, views))
}

/// Makes the configured tenant's log, and seals what the configuration changes. Where another node has it, or it is only to
/// be read here, the server serves all the same.
async fn create_own_log(ledger: &Ledger, tenant: &Tenant) {
    if let Err(error) = ledger.create_log(tenant).await {
        tracing::warn!(
            tenant.id = tenant.as_str(),
            error.chain = chain(&error),
            "server: the tenant's log is not written here"
        );
    }
}

/// Takes connections, for ever.
pub(crate) async fn accept(
    listener: &TcpListener,
    service: &axum::Router,
    header_bytes_max: usize,
    connections: &GracefulShutdown,
) {
    let builder = connection_builder(header_bytes_max);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve_connection(&builder, service, connections, stream),
            Err(error) => {
                tracing::warn!(error.chain = %error, "server: a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn connection_builder(header_bytes_max: usize) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECONDS_MAX))
        .max_header_size(header_bytes_max);
    builder
}

fn serve_connection(
    builder: &http1::Builder,
    service: &axum::Router,
    connections: &GracefulShutdown,
    stream: TcpStream,
) {
    // Answers are small and waited for: they are not to wait for more of them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = builder.serve_connection(
        TokioIo::new(stream),
        TowerToHyperService::new(service.clone()),
    );
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(error.chain = %error, "server: a connection ended");
        }
    });
}

/// Comes when somebody asks the process to end.
///
/// # Errors
/// When the system does not let us listen to signals.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
