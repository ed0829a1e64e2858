//! The append: admit, decide, seal, sign, store, read, prove, export.
//!
//! Not here: HTTP, views, anybody's wire format. `pipeline` is the walk of one batch.

pub mod store;
