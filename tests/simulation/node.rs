//! One server: a data directory that outlives crashes, keys, clocks, a connection, and a ledger as long as it runs.

use crate::clock::NodeClock;
use crate::database::Database;
use crate::link::Link;
use crate::random::Dice;
use crate::trace::Trace;
use crate::weather::Weather;
use probity_ledger::store::{DatabaseUrl, Store};
use probity_ledger::{Config, Ledger};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a graceful stop may take before somebody pulls the plug.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Beginning of the name of a key file that cannot be read for a while.
const HIDDEN: &str = "hidden.";

/// A server.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) weather: Arc<Mutex<Weather>>,
    root: PathBuf,
    running: Mutex<Option<Running>>,
}

/// A server that runs.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) ledger: Ledger,
    pub(crate) link: Arc<Link>,
}

impl Node {
    pub(crate) fn new(name: &'static str, root: &Path, clock: NodeClock) -> Self {
        let root = root.join(name);
        fs::create_dir_all(root.join("keys")).unwrap();
        // Otherwise the ledger draws a name that is another one in each run.
        fs::write(root.join("node"), name).unwrap();
        Self {
            name,
            root,
            clock: Arc::new(clock),
            weather: Arc::default(),
            running: Mutex::default(),
        }
    }

    /// The ledger, if it runs.
    pub(crate) fn running(&self) -> Option<Running> {
        self.running.lock().unwrap().clone()
    }

    /// Starts, however long the store refuses.
    pub(crate) async fn start(
        &self,
        database: &Arc<Mutex<Database>>,
        dice: &Arc<Dice>,
        trace: &Arc<Trace>,
    ) {
        loop {
            let link = Arc::new(Link::new(self.name, database, &self.weather, dice, trace));
            let store = Arc::clone(&link) as Arc<dyn Store>;
            let clock = Arc::clone(&self.clock) as Arc<_>;
            match Ledger::on(store, clock, self.config()).await {
                Ok(ledger) => {
                    trace.note(format_args!("{} runs", self.name));
                    *self.running.lock().unwrap() = Some(Running { ledger, link });
                    return;
                }
                Err(_) => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// Ends here and now: what was not sent to the store never happens.
    pub(crate) fn crash(&self) {
        if let Some(running) = self.running.lock().unwrap().take() {
            running.link.cut();
        }
    }

    /// Ends in order.
    pub(crate) async fn stop(&self) {
        let Some(running) = self.running.lock().unwrap().take() else {
            return;
        };
        let _ = timeout(STOP_PATIENCE, running.ledger.close()).await;
        running.link.cut();
    }

    /// Where its keys are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// An operator brings it the keys that another node has.
    pub(crate) fn copy_keys_from(&self, other: &Self) {
        for name in other.key_files() {
            let to = self.keys().join(&name);
            if !to.exists() {
                fs::copy(other.keys().join(&name), to).unwrap();
            }
        }
    }

    /// Its key files cannot be read for a while.
    pub(crate) fn hide_keys(&self) {
        for name in self.key_files() {
            let (shown, hidden) = self.paths(&name);
            fs::rename(&shown, hidden).unwrap();
            // A directory in its place: there, and no key can be read.
            fs::create_dir(shown).unwrap();
        }
    }

    /// And again they can.
    pub(crate) fn show_keys(&self) {
        for name in self.names() {
            if let Some(name) = name.strip_prefix(HIDDEN) {
                let (shown, hidden) = self.paths(name);
                fs::remove_dir(&shown).unwrap();
                fs::rename(hidden, shown).unwrap();
            }
        }
    }

    fn key_files(&self) -> Vec<String> {
        let is_key = |name: &String| {
            let is_shown = name.contains(".key") && !name.starts_with(HIDDEN);
            is_shown && self.keys().join(name).is_file()
        };
        self.names().into_iter().filter(is_key).collect()
    }

    /// Where a key file is, and where it is while it cannot be read.
    fn paths(&self, name: &str) -> (PathBuf, PathBuf) {
        let keys = self.keys();
        (keys.join(name), keys.join(format!("{HIDDEN}{name}")))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.keys()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn config(&self) -> Config {
        let setting = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        Config {
            data: self.root.clone(),
            keys: self.keys(),
            // Where the keys of persons would be; there are no persons here, so it is never opened.
            database: DatabaseUrl::sqlite(self.root.join("unused.db")),
            origin: Some("ledger.example".to_owned()),
            address: format!("{}.example:8080", self.name),
            settings: vec![
                setting("mode", "guarded"),
                setting("approval.seconds", "25"),
                setting("grant.seconds", "15"),
            ],
            credentials: None,
            queue_commands_max: 64,
            witnesses: None,
            authority: None,
        }
    }
}
