//! How fast records become durable, beside the same rows put into the same tables by plain SQL, one commit a batch.
//!
//! `cargo bench --bench walk -- append`; PostgreSQL takes part when `PROBITY_TEST_POSTGRES` names a server. Each figure is the median of five; the
//! two sides alternate. Durability in force is printed first.

use crate::log::{Place, batch};
use crate::measure::{Rate, SAMPLES, median, print};
use probity_ledger::Ledger;
use std::time::Instant;

/// Records a sample appends, by the size of its batches.
const PLANS: [(usize, usize); 3] = [(1, 1_000), (64, 12_800), (1024, 61_440)];

/// Both stores, if both are there.
pub async fn run() {
    measure_all(Place::sqlite()).await;
    match std::env::var("PROBITY_TEST_POSTGRES") {
        Ok(server) => measure_all(Place::postgres(&server).await).await,
        Err(_) => {
            println!("postgres: PROBITY_TEST_POSTGRES names no server, so it is not measured")
        }
    }
}

async fn measure_all(place: Place) {
    for (size, records) in PLANS {
        let (mut ours, mut raws) = (Vec::new(), Vec::new());
        for sample in 0..SAMPLES {
            let ledger = place.open(&format!("ours-{size}-{sample}")).await;
            if size == 1 && sample == 0 {
                println!("{}", ledger.durability());
            }
            ours.push(append(&ledger, size, records).await);
            let lines = crate::log::rows(&ledger, records).await;
            ledger.close().await;
            raws.push(
                crate::raw::insert(&place, &format!("raw-{size}-{sample}"), &lines, size).await,
            );
        }
        print(
            &format!("{} append, batch {size}", place.name()),
            "records",
            median(ours),
            "raw insert",
            median(raws),
        );
    }
    place.remove().await;
}

/// One client that waits for each batch's receipt.
async fn append(ledger: &Ledger, size: usize, records: usize) -> Rate {
    let batches: Vec<_> = (0..records / size)
        .map(|number| batch(number, size))
        .collect();
    let begun = Instant::now();
    for batch in batches {
        ledger.submit(&crate::log::tenant(), batch).await.unwrap();
    }
    Rate::of(records as u64, begun.elapsed())
}
