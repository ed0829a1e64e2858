//! What each stage of the walk costs for one record: `cargo bench --bench stages`.

#![expect(clippy::unwrap_used, reason = "a bench")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use probity_schemas::canonical::{canonicalize, check};
use probity_schemas::hash::leaf_hash;
use probity_schemas::record::Record;
use probity_schemas::tree::CompactRange;
use std::hint::black_box;

/// A record of the golden bundle.
fn line() -> Vec<u8> {
    let text = include_str!("../schemas/vectors/bundle/records.jsonl");
    text.lines()
        .max_by_key(|line| line.len())
        .unwrap()
        .as_bytes()
        .to_vec()
}

fn stages(criterion: &mut Criterion) {
    let line = line();
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Bytes(line.len() as u64));
    group.bench_function("leaf hash", |bencher| {
        bencher.iter(|| leaf_hash(black_box(&line)))
    });
    group.bench_function("canonical check", |bencher| {
        bencher.iter(|| check(black_box(&line)))
    });
    group.bench_function("canonicalize", |bencher| {
        bencher.iter(|| canonicalize(black_box(&line)))
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| Record::parse(black_box(&line)).unwrap().sequence)
    });
    group.bench_function("parse with body", |bencher| {
        bencher.iter(|| Record::parse(black_box(&line)).unwrap().event().unwrap())
    });
    group.finish();
    let leaf = leaf_hash(&line);
    criterion.bench_function("tree: push", |bencher| {
        let mut range = CompactRange::new();
        bencher.iter(|| range.push(black_box(leaf)));
    });
    let mut range = CompactRange::new();
    (0..10_000_000).for_each(|_| range.push(leaf));
    criterion.bench_function("tree: root of 10,000,000", |bencher| {
        bencher.iter(|| black_box(&range).root());
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);
