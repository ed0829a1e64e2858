//! Lists: what the log comes to, from views that follow it. Every answer says how much of the log it has seen.

mod decisions;
mod posture;
mod registry;
mod telemetry;

use crate::app::App;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    decisions::routes()
        .merge(registry::routes())
        .merge(telemetry::routes())
        .merge(posture::routes())
}
