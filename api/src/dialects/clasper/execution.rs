//! Executions.
mod context;
mod reply;
pub(crate) mod request;
mod trace;
