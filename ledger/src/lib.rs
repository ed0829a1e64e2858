//! The append: admit, decide, seal, sign, store, read, prove, export.
//!
//! Not here: HTTP, views, anybody's wire format. `pipeline` is the walk of one batch.

mod admit;
mod aliases;
pub mod attachment;
pub mod clock;
pub mod config;
pub mod cosigned;
pub mod cosigner;
pub mod courier;
pub mod error;
pub mod export;
pub mod guard;
mod history;
mod housekeeping;
mod idempotency;
pub mod ids;
mod keyfile;
pub mod lease;
pub mod ledger;
pub mod limits;
mod load;
mod log;
mod lookup;
mod open;
mod paths;
mod personal;
pub mod persons;
mod pipeline;
pub mod proof;
mod published;
pub mod reader;
pub mod receipt;
mod recent;
mod replica;
mod restore;
mod rotation;
mod runs;
mod seal;
mod sealing;
pub mod signer;
mod snapshot;
pub mod store;
mod tile_roots;
mod tiles;
pub mod timestamping;
pub mod upload;
pub mod witness;
mod writer;

pub use config::{Config, EnvironmentCredential};
pub use error::SubmitError;
pub use ledger::Ledger;
pub use open::OpenError;
pub use reader::Reader;
pub use receipt::{Committed, Idempotency, Receipt, Submission};
pub use seal::SealError;
