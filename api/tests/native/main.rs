//! Stories over real HTTP: a server in this process, a client as anybody has one.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod attachments;
mod deciding;
mod forwarding;
mod harness;
mod hostile;
mod limits;
mod program;
mod reading;
mod tiles;
mod writing;
