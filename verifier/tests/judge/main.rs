//! The judge judged: honest bundles are accepted, and every way of changing one is refused with the right exit code,
//! record and rule.

#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod bundles;
mod changes;
mod cut;
mod disclosed;
mod erased;
mod files;
mod flips;
mod forgery;
mod honest;
mod identity;
mod lawless;
mod layout;
mod page;
mod part;
mod producers;
mod rotated;
mod sealed;
mod sealer;
#[path = "../../../schemas/tests/events/seeds.rs"]
mod seeds;
mod signed;
mod splices;
mod stamped;
mod stolen;
mod story;
mod tamper;
mod vacuous;
mod withheld;
mod witnesses;
