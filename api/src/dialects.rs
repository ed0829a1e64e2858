//! The surfaces of other products, so that clients people already run work unchanged. Each folder translates its own
//! words to commands and back; none imports another, and nothing outside knows their names.

pub mod clasper;

use crate::app::App;
use axum::Router;

/// Every surface here, with its document.
pub(crate) fn router() -> Router<App> {
    clasper::router()
}
