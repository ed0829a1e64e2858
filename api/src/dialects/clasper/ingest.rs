//! Reports.
mod trace;
