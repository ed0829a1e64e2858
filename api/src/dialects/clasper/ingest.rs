//! t
mod trace;
mod wire;
