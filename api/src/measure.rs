//! What this process measures, as Prometheus reads it.

use crate::limits::METRICS_UPKEEP_SECONDS;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bounds of durations, seconds.
const SECONDS: [f64; 11] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// The one recorder of this process.
static STARTED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts measuring; a second call gives the same handle.
///
/// # Errors
/// When another recorder is in place.
pub(crate) fn start() -> Result<PrometheusHandle, BuildError> {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = started.as_ref() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let handle = builder.install_recorder()?;
    describe();
    *started = Some(handle.clone());
    Ok(handle)
}

/// Folds what was measured into its distributions, for ever: until then each measurement is kept by itself, whether anybody reads
/// them or not.
pub(crate) async fn keep_up(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(Duration::from_secs(METRICS_UPKEEP_SECONDS));
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}

fn describe() {
    metrics::describe_counter!(
        "probity_http_requests_total",
        "Requests answered, by method, route and status."
    );
    metrics::describe_counter!(
        "probity_attachment_bytes_uploaded_total",
        metrics::Unit::Bytes,
        "Bytes of the attachments that were uploaded and kept."
    );
    metrics::describe_counter!(
        "probity_attachments_corrupt_total",
        "Attachments whose stored content was not what they are named by."
    );
    metrics::describe_histogram!(
        "probity_http_request_seconds",
        metrics::Unit::Seconds,
        "Time to answer, by method and route."
    );
}
