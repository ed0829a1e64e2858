//! A log of observations and decisions, for the benches that read it.

use crate::log::{batch, tenant};
use crate::rules::{publish, request, submit};
use probity_ledger::Ledger;

/// Appends so many records, whole thousands: one in ten a decision under 32 policies, the rest observations.
pub async fn fill(ledger: &Ledger, records: usize) {
    let tenant = &tenant();
    publish(ledger, tenant).await;
    for round in 0..records / 1000 {
        ledger.submit(tenant, batch(round, 900)).await.unwrap();
        let decisions: Vec<_> = (0..100)
            .map(|at| submit(ledger, tenant, request(round * 100 + at)))
            .collect();
        futures_util::future::join_all(decisions).await;
    }
}
