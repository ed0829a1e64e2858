//! A witness (C2SP tlog-witness v1.0.0): it remembers the newest checkpoint of each log it knows, and cosigns one only if it goes on
//! from that. Anybody may run it for any C2SP log; it shares nothing with a ledger but the format.
//!
//! `book` is what it remembers and how it decides, `evidence` what it keeps when a log contradicts itself, `serve` the HTTP around.

mod book;
mod evidence;
mod serve;

pub(crate) use book::{Book, BookError};
pub(crate) use serve::serve;
