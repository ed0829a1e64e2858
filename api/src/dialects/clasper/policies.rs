//! Policies.
mod conditions;
mod wire;
