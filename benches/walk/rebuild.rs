//! How fast views are built from records: all of them from the first record on, and then each again beside itself with its digest compared, as
//! `Views::rebuild` does. Beside it, the same records read in pages and decoded by nobody.
//!
//! `cargo bench --bench walk -- rebuild`. The log: PROBITY_BENCH_RECORDS records (1,000,000 unless set), one in ten a decision under 32
//! policies, the rest observations; on SQLite. Each figure is one run.

use crate::fill::fill;
use crate::log::{Place, rows, tenant};
use crate::measure::{Rate, print, records};
use probity_ledger::store::DatabaseUrl;
use probity_projections::{Views, ViewsConfig};
use std::time::Instant;

/// Builds all views, and each again.
pub async fn run() {
    let records = records(1_000_000);
    let place = Place::sqlite();
    let ledger = place.open("rebuild").await;
    println!("{}", ledger.durability());
    fill(&ledger, records).await;
    let begun = Instant::now();
    let read = rows(&ledger, records).await.len() as u64;
    let limit = Rate::of(read, begun.elapsed());
    let root = tempfile::tempdir().unwrap();
    let config = ViewsConfig {
        data: root.path().to_owned(),
        database: DatabaseUrl::sqlite(root.path().join("records.db")),
    };
    let views = Views::open(&config, ledger.reader()).await.unwrap();
    let begun = Instant::now();
    views.catch_up().await.unwrap();
    let log = ledger.reader().log(&tenant()).await.unwrap().unwrap();
    tell("all views together", log.size, begun, limit);
    for name in views.lag().into_iter().map(|lag| lag.view) {
        let begun = Instant::now();
        let report = views.rebuild(name).await.unwrap();
        assert!(report.equal, "{report:?}");
        tell(&format!("again: {name}"), report.records, begun, limit);
    }
    views.close().await;
    ledger.close().await;
}

fn tell(name: &str, records: u64, begun: Instant, limit: Rate) {
    let rate = Rate::of(records, begun.elapsed());
    print(name, "records", rate, "read in pages", limit);
}
