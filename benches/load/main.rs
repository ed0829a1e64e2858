//! The load program: the shipped server, over HTTP, under the work that its clients give it.
//!
//! `cargo build --release && cargo bench --bench load [-- WORK…] [--connections 1,32,256] [--stores sqlite,postgres] [--rate R] [--seconds S]
//! [--samples N] [--records N] [--out DIR]`. Works: see `work.rs`. Closed loop unless `--rate` says how many requests are due a second; then a
//! request's latency counts from when it was due, so that a server that stalls is not flattered. Beside each figure stands the rate of a bare
//! HTTP server that echoes the same requests on the same cores in the same run.
//!
//! Instead of works: `growth --records 10000000` asks with a short log and again with one of that many records more (`growth.rs`), `overload
//! --seconds 60` for ten times what can be sustained (`overload.rs`), `soak --minutes 30` for little for a long time (`soak.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    unreachable_pub,
    reason = "a load program"
)]

mod client;
mod drive;
mod echo;
mod growth;
mod options;
mod overload;
mod report;
mod server;
mod soak;
mod usage;
mod work;

use drive::Measured;
use options::{Course, Options};
use server::Server;
use work::Work;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::args().nth(1).as_deref() == Some(echo::WORD) {
        return runtime.block_on(echo::serve());
    }
    let options = Options::of(std::env::args().skip(1));
    let measured = runtime.block_on(run(&options));
    report::write(&options.out, &measured);
}

async fn run(options: &Options) -> Vec<Measured> {
    let mut all = Vec::new();
    for store in &options.stores {
        match options.course {
            Some(Course::Growth) => all.extend(growth::grow(options, store).await),
            Some(Course::Overload) => overload::overload(options, store).await,
            Some(Course::Soak) => soak::soak(options, store).await,
            None => all.extend(figures(options, store).await),
        }
    }
    all
}

/// Each work, at each number of connections.
async fn figures(options: &Options, store: &str) -> Vec<Measured> {
    let mut all = Vec::new();
    for work in &options.works {
        for connections in &options.connections {
            let mut samples = Vec::new();
            for _ in 0..options.samples {
                samples.push(sample(options, store, *work, *connections).await);
            }
            let median = Measured::median(samples);
            println!("{median}");
            all.push(median);
        }
    }
    all
}

/// One figure, on a log of its own, and the echo beside it.
async fn sample(options: &Options, store: &str, work: Work, connections: usize) -> Measured {
    let echo = echo::Echo::start();
    let bare = drive::drive(options, &echo.target(), work, connections, None).await;
    drop(echo);
    let server = Server::start(store).await;
    let target = server.prepare(work, options.records).await;
    let mut measured = drive::drive(options, &target, work, connections, Some(&server)).await;
    measured.store = store.to_owned();
    measured.durability = server.durability();
    measured.echo = bare.rate;
    server.stop().await;
    measured
}
