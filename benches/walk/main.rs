//! The load program for the walk of a record, outside HTTP: `cargo bench --bench walk [-- append | tenants | read | rebuild | evidence]`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    unreachable_pub,
    reason = "a load program"
)]

mod append;
mod evidence;
mod fill;
mod log;
mod measure;
mod raw;
mod read;
mod rebuild;
mod rules;
mod tenants;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let all = wanted.is_empty();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if all || wanted.iter().any(|word| word == "append") {
            append::run().await;
        }
        if all || wanted.iter().any(|word| word == "tenants") {
            tenants::run().await;
        }
        if all || wanted.iter().any(|word| word == "read") {
            read::run().await;
        }
        if all || wanted.iter().any(|word| word == "rebuild") {
            rebuild::run().await;
        }
        if all || wanted.iter().any(|word| word == "evidence") {
            evidence::run().await;
        }
    });
}
