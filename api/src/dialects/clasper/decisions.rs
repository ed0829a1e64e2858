//! Decisions.
mod wire;
