//! The event types: their JSON Schemas under `schemas/json/` are fresh, and what their structs write is canonical JSON.
//!
//! To write the schemas anew after a deliberate change: `PROBITY_SCHEMAS=write cargo test -p probity-schemas --test events`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod documents;
mod encoding;
mod generate;
mod seeds;
