//! Policies.
mod conditions;
mod wire;

pub(crate) use conditions::operator_word;
