//! The judge: given a bundle, and keys that the auditor brought, it says what holds, what is false and what was not
//! checked. It trusts nothing in the bundle, needs no network and knows no secret.
//!
//! It shares the format (`probity-schemas`) and the rules (`probity-governance`) with the writer, and nothing else: no
//! store, no server. [`judge()`] is the walk of one bundle.

mod attachments;
mod bundle;
mod chronicle;
mod court;
mod disclosures;
mod erasures;
mod identity;
mod judge;
pub mod limits;
mod line;
mod lines;
mod part;
mod proofs;
mod report;
mod rule;
mod seal;
mod shown;
mod signatures;
mod signers;
mod subjects;
mod timestamps;
mod tree;
mod walk;
mod withheld;
mod witnesses;
mod workers;

pub use bundle::{Bundle, ReadError};
pub use chronicle::{Act, Chronicle, Day};
pub use erasures::ErasureReport;
pub use judge::{Options, Progress, judge, judge_path};
pub use proofs::{ProofReport, judge_consistency, judge_receipt};
pub use report::{Broken, Check, CheckName, CheckResult, Counts, Report, Verdict};
pub use signatures::TrustedActor;
pub use signers::CompromisedKey;
pub use timestamps::Authorities;
pub use witnesses::Witnesses;
