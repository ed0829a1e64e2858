//! The read side: views of the log, made by following it, and the questions they answer.
//!
//! Not here: anything that decides (a decision never reads a view), anything that signs, anybody's wire format. A
//! view can be deleted at any time and comes back the same; where it stands is part of every answer.

mod database;
mod digest;
mod entry;
mod error;
mod fold;
mod follow;
pub mod limits;
mod parked;
mod position;
mod progress;
mod query;
mod rebuild;
pub mod source;
mod value;
mod view;
pub mod views;

pub use entry::Entry;
pub use error::{NotYet, Unappliable, ViewError};
pub use parked::{Parked, Retried};
pub use position::Position;
pub use progress::Lag;
pub use query::{Page, Query, Workspace};
pub use rebuild::Report;
pub use value::Json;
pub use views::{Views, ViewsConfig};
