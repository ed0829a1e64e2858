//! A thousand tenants that share the load of governed decisions, beside one that has all of it: every log has a chain, a tree and a signature of its own for each
//! commit, and the commit is shared.
//!
//! `cargo bench --bench walk -- tenants`; PostgreSQL takes part when `PROBITY_TEST_POSTGRES` names a server.

use crate::log::{Place, tenant};
use crate::measure::{Rate, SAMPLES, median, print};
use crate::rules;
use futures_util::StreamExt as _;
use probity_ledger::Ledger;
use probity_schemas::subject::Tenant;
use std::sync::Arc;
use std::time::Instant;

/// Logs that share the load.
const TENANTS: usize = 1_000;

/// Clients, each of which waits for its decision before it asks again.
const CLIENTS: usize = 256;

/// Decisions that a client asks for in a sample.
const EACH: usize = 80;

/// Both stores, if both are there.
pub async fn run() {
    measure(Place::sqlite()).await;
    if let Ok(server) = std::env::var("PROBITY_TEST_POSTGRES") {
        measure(Place::postgres(&server).await).await;
    }
}

async fn measure(place: Place) {
    let ledger = place.open("tenants").await;
    println!("{}", ledger.durability());
    let names = (0..TENANTS).map(|number| Tenant::parse(&format!("tenant-{number:04}")).unwrap());
    let many: Arc<[Tenant]> = names.collect();
    let one: Arc<[Tenant]> = [tenant()].into();
    futures_util::stream::iter(many.iter().chain(&*one))
        .for_each_concurrent(CLIENTS, |tenant| make(&ledger, tenant))
        .await;
    let (mut shared, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        shared.push(press(&ledger, &many).await);
        alone.push(press(&ledger, &one).await);
    }
    ledger.close().await;
    print(
        &format!("{} {TENANTS} tenants", place.name()),
        "decisions",
        median(shared),
        "one tenant",
        median(alone),
    );
    place.remove().await;
}

/// A log with its agent and its policies.
async fn make(ledger: &Ledger, tenant: &Tenant) {
    ledger.create_log(tenant).await.unwrap();
    rules::publish(ledger, tenant).await;
}

/// All clients at once, each going through the tenants from a place of its own.
async fn press(ledger: &Ledger, tenants: &Arc<[Tenant]>) -> Rate {
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let (ledger, tenants) = (ledger.clone(), Arc::clone(tenants));
        tokio::spawn(async move {
            for number in 0..EACH {
                let place = client * EACH + number;
                let tenant = &tenants[place % tenants.len()];
                rules::submit(&ledger, tenant, rules::request(place)).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    Rate::of((CLIENTS * EACH) as u64, begun.elapsed())
}
