//! What happened in a run, line by line, each with its virtual time: its hash tells two runs apart, its end is shown when a run fails.
//!
//! No line holds an id, a salt, a hash or a key: those come from the operating system and differ each time, and nothing that happens
//! depends on them.

use std::collections::VecDeque;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use tokio::time::Instant;

/// Lines shown of a run that failed.
const LINES_SHOWN: usize = 120;

/// A run's story.
pub(crate) struct Trace {
    start: Instant,
    /// Every line is printed as it comes.
    aloud: bool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    hasher: DefaultHasher,
    newest: VecDeque<String>,
}

impl Trace {
    pub(crate) fn begin() -> Self {
        Self {
            start: Instant::now(),
            aloud: crate::asked(crate::ONE_SEED).is_some(),
            told: Mutex::default(),
        }
    }

    /// Takes note.
    pub(crate) fn note(&self, what: impl Display) {
        if crate::violations::any() {
            return;
        }
        let line = format!("{:>7} ms  {what}", self.start.elapsed().as_millis());
        if self.aloud {
            println!("{line}");
        }
        let mut told = self.told.lock().unwrap();
        line.hash(&mut told.hasher);
        if told.newest.len() == LINES_SHOWN {
            told.newest.pop_front();
        }
        told.newest.push_back(line);
    }

    /// What two runs of one seed have in common.
    pub(crate) fn digest(&self) -> u64 {
        self.told.lock().unwrap().hasher.finish()
    }

    /// How it ended.
    pub(crate) fn newest(&self) -> String {
        let told = self.told.lock().unwrap();
        let lines: Vec<&str> = told.newest.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}
