//! Executions.
mod context;
pub(crate) mod request;
