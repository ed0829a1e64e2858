//! One run: two servers, one database, clients and whoever breaks things, all on one thread over virtual time; then calm, and the
//! reckoning.

use crate::clock::{NodeClock, TrueTime};
use crate::database::Database;
use crate::jobs::{self, Job, Kind};
use crate::model::{Fate, Model};
use crate::node::{Node, Running};
use crate::random::Dice;
use crate::trace::Trace;
use crate::weather::Weather;
use crate::{client, nemesis, verdict};
use probity_ledger::Ledger;
use probity_ledger::store::LogNumber;
use probity_schemas::subject::Tenant;
use probity_verifier::Verdict;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::time::sleep;

/// Clients at work.
const CLIENTS: usize = 3;

/// Half of the runs have one log, in which clients meet more often; the others so many.
const LOGS_MAX: u64 = 2;

/// Times that a client asks, once all is well again, before recovery is said to have failed: some minutes.
const PATIENCE_ATTEMPTS: u64 = 200;

/// What a run came to, to see that runs do something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commands: u64,
    pub(crate) acknowledged: u64,
    pub(crate) replayed: u64,
    pub(crate) reads: u64,
    pub(crate) tricks: u64,
    pub(crate) records: u64,
    pub(crate) epochs: u64,
    pub(crate) judged: u64,
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) logs: Vec<Log>,
    pub(crate) nodes: [Node; 2],
    pub(crate) database: Arc<Mutex<Database>>,
    pub(crate) trace: Arc<Trace>,
    time: Arc<TrueTime>,
    dice: Arc<Dice>,
    counts: Mutex<Counts>,
    _root: TempDir,
}

/// A log and what is known of it.
pub(crate) struct Log {
    pub(crate) number: LogNumber,
    pub(crate) tenant: Tenant,
    model: Mutex<Model>,
}

/// Plays a seed to its end; a violation is a panic. `told` gets the trace at once, so that it is there then.
pub(crate) async fn play(seed: u64, judged: bool, told: &Mutex<Option<Arc<Trace>>>) -> Counts {
    let world = Arc::new(World::new(seed));
    *told.lock().unwrap() = Some(Arc::clone(&world.trace));
    world.begin().await;
    let nemesis = tokio::spawn(nemesis::rage(Arc::clone(&world), world.dice.fork()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let jobs = world.dice.within(8..28);
            let life = client::live(Arc::clone(&world), world.dice.fork(), number, jobs);
            tokio::spawn(life)
        })
        .collect();
    for client in clients {
        client.await.expect("a client saw nothing wrong");
    }
    nemesis.abort();
    let _ = nemesis.await;
    world.end(judged).await;
    world.counted()
}

impl World {
    fn new(seed: u64) -> Self {
        let root = root();
        let time = Arc::new(TrueTime::begin());
        let dice = Dice::of(seed);
        let logs = 1 + dice.within(0..LOGS_MAX);
        let node = |name| Node::new(name, root.path(), NodeClock::new(Arc::clone(&time)));
        Self {
            logs: (0..logs as LogNumber).map(Log::new).collect(),
            nodes: [node("a"), node("b")],
            database: Arc::new(Mutex::new(Database::new(Arc::clone(&time)))),
            trace: Arc::new(Trace::begin()),
            dice: Arc::new(dice),
            counts: Mutex::default(),
            time,
            _root: root,
        }
    }

    pub(crate) fn count(&self, act: impl FnOnce(&mut Counts)) {
        act(&mut self.counts.lock().unwrap());
    }

    fn counted(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    pub(crate) async fn start(&self, node: &Node) {
        node.start(&self.database, &self.dice, &self.trace).await;
    }

    /// A boot clock stood still.
    pub(crate) fn skew(&self) {
        for log in &self.logs {
            log.model(|model| model.skewed = true);
        }
    }

    /// An operator sees to it that both have all keys.
    pub(crate) fn share_keys(&self) {
        let [a, b] = &self.nodes;
        a.copy_keys_from(b);
        b.copy_keys_from(a);
    }

    /// What is derived goes: it must come back the same.
    pub(crate) fn drop_derived(&self) {
        let mut database = self.database.lock().unwrap();
        for log in &mut database.logs {
            log.snapshot = None;
            log.tiles.clear();
        }
    }

    /// In good weather: both servers run, and each log has its first records.
    async fn begin(&self) {
        for node in &self.nodes {
            self.start(node).await;
        }
        let Running { ledger, .. } = self.nodes[0].running().expect("it was started");
        for log in &self.logs {
            log.begin(&ledger).await;
        }
        self.share_keys();
        for node in &self.nodes {
            *node.weather.lock().unwrap() = Weather::draw(&self.dice);
        }
    }

    /// All is well again: recovery without hands, each retry answered, and the reckoning.
    async fn end(&self, judged: bool) {
        self.heal().await;
        for log in &self.logs {
            self.reckon(log, judged).await;
        }
    }

    async fn reckon(&self, log: &Log, judged: bool) {
        let (unknown, known) = log.retried();
        for job in unknown.iter().chain(known.iter().take(5)) {
            self.insist(log, job).await;
        }
        self.insist(log, &jobs::probe(&self.dice, "the end")).await;
        verdict::check(self, log);
        if judged {
            self.judge(log).await;
        }
        let database = self.database.lock().unwrap();
        let head = &database.log(log.number).head;
        self.count(|counts| counts.records += head.range.size());
        self.count(|counts| counts.epochs += head.epoch as u64);
        self.trace.note(format_args!(
            "{} records, epoch {}",
            head.range.size(),
            head.epoch
        ));
    }

    fn newest_time(&self) -> i64 {
        let database = self.database.lock().unwrap();
        let newest = database.logs.iter().filter_map(|log| log.records.last());
        newest.map(|row| row.time_micros).max().unwrap_or(0)
    }

    async fn heal(&self) {
        self.trace.note("all is well again");
        // What was recorded while a clock was ahead is the past for everybody.
        let ahead = self.newest_time() - self.time.now();
        for node in &self.nodes {
            *node.weather.lock().unwrap() = Weather::CALM;
            node.show_keys();
            node.clock.resume_boot();
            node.clock.set_wrong_by(ahead.max(0));
        }
        self.share_keys();
        for node in &self.nodes {
            // What is under way from before arrives before or after the new start, as it likes.
            if self.dice.chance(500) {
                node.crash();
            } else {
                node.stop().await;
            }
            sleep(self.dice.millis(0..3_000)).await;
            self.start(node).await;
        }
    }

    async fn insist(&self, log: &Log, job: &Job) {
        log.model(|model| {
            if !model.asked.contains_key(&job.mark) {
                model.ask(job);
            }
        });
        let done = client::insist(self, log, &self.dice, job, PATIENCE_ATTEMPTS).await;
        assert!(done, "{}: all is well, and nobody takes it", job.mark);
    }

    async fn judge(&self, log: &Log) {
        let ledger: Ledger = self.nodes[0].running().expect("it was started").ledger;
        let report = verdict::judged(self, log, &ledger).await;
        let words = serde_json::to_string_pretty(&report.broken).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::HoldsNotWitnessed,
            "{}: {words}",
            report.summary
        );
        self.count(|counts| counts.judged += 1);
    }
}

impl Log {
    fn new(number: LogNumber) -> Self {
        Self {
            number,
            tenant: Tenant::parse(&format!("acme-{number}")).unwrap(),
            model: Mutex::default(),
        }
    }

    pub(crate) fn model<T>(&self, act: impl FnOnce(&mut Model) -> T) -> T {
        act(&mut self.model.lock().unwrap())
    }

    /// Its first records, in good weather.
    async fn begin(&self, ledger: &Ledger) {
        jobs::prepare(ledger, &self.tenant)
            .await
            .expect("all is well");
        let key = ledger
            .verifier_key(&self.tenant)
            .await
            .expect("all is well");
        let first = ledger.checkpoint(&self.tenant).await.expect("all is well");
        self.model(|model| {
            model.keys.push(key.expect("it has a key").parse().unwrap());
            model.see_checkpoint(&first.expect("it has records"));
        });
    }

    /// Jobs with a key whose fate is unknown, and those that were acknowledged.
    fn retried(&self) -> (Vec<Job>, Vec<Job>) {
        let keyed = |(job, fate): &(Job, Fate)| {
            let is_open = matches!(job.kind, Kind::Observe(_)) && *fate != Fate::MustNot;
            (is_open && job.submission.idempotency.is_some()).then(|| (job.clone(), *fate))
        };
        let all = self.model(|model| model.asked.values().filter_map(keyed).collect::<Vec<_>>());
        let (known, unknown): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, fate)| *fate == Fate::Must);
        let jobs = |all: Vec<(Job, Fate)>| all.into_iter().map(|(job, _)| job).collect();
        (jobs(unknown), jobs(known))
    }
}

/// A directory for the servers' files: in memory where there is one, as each run makes some hundred of them durable.
fn root() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

impl Counts {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.acknowledged += other.acknowledged;
        self.replayed += other.replayed;
        self.reads += other.reads;
        self.tricks += other.tricks;
        self.records += other.records;
        self.epochs += other.epochs;
        self.judged += other.judged;
    }
}
