//! What every handler shares: the ledger, the views, the configuration. Cheap to clone; no state of its own.
//!
//! A router is built over `App` as axum state. A surface is a `fn router() -> Router<App>`; `serve` puts them together
//! and wraps them in the layers that hold for all (request id, limits, time, forwarding).

use crate::config::ServerConfig;
use crate::error::ApiError;
use crate::limiter::Limiter;
use crate::limits::POSITION_WAIT_MILLIS;
use metrics_exporter_prometheus::PrometheusHandle;
use probity_ledger::Ledger;
use probity_ledger::store::StoreError;
use probity_projections::Views;
use probity_schemas::subject::Tenant;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    /// Where every command goes, and where every reply comes from.
    pub ledger: Ledger,
    /// Where lists come from. Never asked for anything a decision or a reply needs.
    pub views: Views,
    /// How this process was configured.
    pub config: Arc<ServerConfig>,
    /// Counts requests of each credential, if configured.
    pub limiter: Option<Arc<Limiter>>,
    /// Speaks to other nodes.
    pub http: reqwest::Client,
    /// What this process measures.
    pub metrics: PrometheusHandle,
    /// Cancelled when the server begins to stop: streams that have no end of their own end then.
    pub stopping: CancellationToken,
}

impl App {
    /// Counts one request of a credential. To be called once a request, after the credential was found good.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] when it made too many.
    pub fn count_request(&self, credential: &str) -> Result<(), ApiError> {
        self.limiter
            .as_ref()
            .map_or(Ok(()), |limiter| limiter.count(credential))
    }

    /// Waits, bounded, until the views show what is committed now, so that a caller finds its own writes in a list. Views that are
    /// further behind answer as they are.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be learned what is committed.
    pub async fn settle(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let Some(state) = self.ledger.state(tenant).await? else {
            return Ok(());
        };
        let patience = Duration::from_millis(POSITION_WAIT_MILLIS);
        if let Err(late) = self.views.wait(tenant, state.size, patience).await {
            tracing::debug!(
                view.position = late.position.size,
                "a list is answered by a view that is behind"
            );
        }
        Ok(())
    }
}
