//! What each stage of the walk costs for one governed decision under 32 policies, and the whole walk beside it, so that the cost of a record
//! is a table that adds up: `cargo bench --bench stages`.
//!
//! The stages are called as the ledger calls them; what is left between their sum and the whole is the store, the queue and the threads.

#![expect(
    clippy::unwrap_used,
    clippy::float_arithmetic,
    unreachable_pub,
    reason = "a bench"
)]

#[expect(dead_code, reason = "shared with the bench `walk`")]
#[path = "walk/log.rs"]
mod log;
#[path = "walk/rules.rs"]
mod rules;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures_util::future::join_all;
use log::{Place, batch, tenant};
use probity_governance::command::{Alias, Command, Moment};
use probity_governance::execute::{Index, execute};
use probity_governance::state::{Closed, State};
use probity_ledger::store::StoredRecord;
use probity_schemas::canonical::{canonicalize, check};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::record::Record;
use probity_schemas::time::Time;
use probity_schemas::tree::CompactRange;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Decisions that are asked for at once where the whole walk is measured.
const AT_ONCE: usize = 256;

/// A log in which nothing was said under any second name.
struct Nothing;

impl Index for Nothing {
    fn alias(&self, _: &Alias) -> Option<String> {
        None
    }

    fn closed(&self, _: Uuid) -> Option<Closed> {
        None
    }
}

/// A log with the rules and one decision: its state before the decision, and the decision's record.
async fn prepare(place: &Place) -> (State, StoredRecord) {
    let ledger = place.open("stages").await;
    rules::publish(&ledger, &tenant()).await;
    rules::submit(&ledger, &tenant(), rules::request(0)).await;
    let head = ledger.reader().log(&tenant()).await.unwrap().unwrap();
    let rows = log::rows(&ledger, usize::try_from(head.size).unwrap()).await;
    ledger.close().await;
    let (decision, before) = rows.split_last().unwrap();
    let mut state = State::default();
    for row in before {
        let record = Record::parse_canonical(&row.line).unwrap();
        let event = record.event().unwrap();
        state.apply(&log::applied(&record, &event)).unwrap();
    }
    (state, decision.clone())
}

fn stages(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let place = Place::sqlite();
    let (state, row) = runtime.block_on(prepare(&place));
    let record = Record::parse_canonical(&row.line).unwrap();
    let event = record.event().unwrap();
    let command = Command {
        actor: "agent:bench".to_owned(),
        operation: rules::request(0),
        ..batch(0, 0).command
    };
    let mut group = criterion.benchmark_group("decision");
    let context = br#"{"targets": {"paths": ["/workspace/repo/src/0"]}, "exec": {"cwd": "/workspace/repo", "argv0": "ls", "argv": ["ls", "-la"]}}"#;
    group.bench_function("1 request: canonical form", |bencher| {
        bencher.iter(|| canonicalize(black_box(context)).unwrap());
    });
    group.bench_function("2 decide: gather, weigh, draft", |bencher| {
        let moment = Moment {
            time: Time::from_micros(1_800_000_000_000_000),
            id: Uuid::from_u128(7),
            salt: Hash::EMPTY,
        };
        bencher.iter(|| execute(&state, &Nothing, black_box(&command), &moment).unwrap());
    });
    group.bench_function("3 write the line", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&event)).unwrap());
    });
    group.bench_function("4 check its canonical form", |bencher| {
        bencher.iter(|| check(black_box(&row.line)).unwrap());
    });
    group.bench_function("5 leaf hash", |bencher| {
        bencher.iter(|| leaf_hash(black_box(&row.line)));
    });
    group.bench_function("6 tree", |bencher| {
        let mut range = CompactRange::new();
        bencher.iter(|| range.push(black_box(row.leaf)));
    });
    group.bench_function("7 fold into the state", |bencher| {
        let fold = |mut state: State| {
            state.apply(&log::applied(&record, &event)).unwrap();
            state
        };
        bencher.iter_batched(|| state.clone(), fold, BatchSize::SmallInput);
    });
    group.bench_function("8 root and signature, once a commit", |bencher| {
        let mut range = CompactRange::new();
        (0..1_000_000).for_each(|_| range.push(row.leaf));
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        bencher.iter(|| {
            let checkpoint = Checkpoint {
                origin: "bench.example/bench".to_owned(),
                size: range.size(),
                root: range.root(),
            };
            ed25519_dalek::Signer::sign(&key, checkpoint.to_string().as_bytes())
        });
    });
    group.bench_function("9 read it again for the views", |bencher| {
        bencher.iter(|| {
            Record::parse_canonical(black_box(&row.line))
                .unwrap()
                .event()
                .unwrap()
        });
    });
    let ledger = runtime.block_on(place.open("whole"));
    let tenant = &tenant();
    runtime.block_on(rules::publish(&ledger, tenant));
    let mut number = 0;
    group.bench_function(
        "whole: asked, durable on SQLite, answered; 256 at once",
        |bencher| {
            bencher.iter_custom(|rounds| {
                let mut took = Duration::ZERO;
                let commands = usize::try_from(rounds).unwrap().next_multiple_of(AT_ONCE);
                for _ in 0..commands / AT_ONCE {
                    let begun = Instant::now();
                    let asked = (0..AT_ONCE)
                        .map(|at| rules::submit(&ledger, tenant, rules::request(number + at)));
                    runtime.block_on(join_all(asked));
                    took += begun.elapsed();
                    number += AT_ONCE;
                }
                took.mul_f64(rounds as f64 / commands as f64)
            });
        },
    );
    group.finish();
    runtime.block_on(ledger.close());
}

criterion_group!(benches, stages);
criterion_main!(benches);
