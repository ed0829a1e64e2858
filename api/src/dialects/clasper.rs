//! This surface: an adapter API and an operators' API. Its contract is in `docs`.

mod case;
mod credentials;
mod decisions;
mod envelope;
mod execution;
mod fields;
mod ingest;
mod number;
mod policies;
