//! Lists: what the log comes to, from views that follow it. Every answer says how much of the log it has seen.

mod decisions;

use crate::app::App;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    decisions::routes()
}
