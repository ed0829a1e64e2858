//! The edge: HTTP, authentication, surfaces, the command line. What a request means is decided elsewhere.
//!
//! `app` is what handlers share, `router` puts surfaces and layers together, `serve` is the server's life, `native` is our
//! own API, `dialects` are others'. `witnessing` and `timestamping` say who else is asked, `courier` asks; `witness` is
//! the witness that others can run. `cli` is the program `probity`.

pub mod app;
pub mod auth;
mod background;
pub mod cli;
pub mod config;
mod courier;
pub mod dialects;
pub mod error;
pub mod forward;
mod health;
mod https;
pub mod key;
mod layers;
pub mod limiter;
pub mod limits;
mod logging;
mod measure;
pub mod native;
pub mod open;
mod output;
mod person_key;
mod quickstart;
mod router;
pub mod serve;
pub mod timestamping;
mod witness;
pub mod witnessing;
