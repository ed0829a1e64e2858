//! The surfaces of other products, so that clients people already run work unchanged. Each folder translates its own
//! words to commands and back; none imports another, and nothing outside knows their names.

pub mod clasper;
