//! A node's connection to the database: the real trait, over virtual time, in bad weather.
//!
//! A write goes its way once it is sent, whether or not anybody waits for it still; so does what a node sent before it crashed. A node
//! that crashed gets no answer any more, and what is left of its tasks waits for ever: what it did not send never happens.

use crate::database::{Database, LogRows};
use crate::random::Dice;
use crate::trace::Trace;
use crate::weather::{Fate, Weather};
use probity_ledger::store::{Append, AppendError, LogNumber, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::time::sleep;

/// Seconds after which a store gives its server up.
const PATIENCE_SECONDS: u64 = 30;

/// A clock that leaps ahead by more stops its writer.
const LEAP_MICROS_MAX: i64 = 60_000_000;

/// One node's connection, as long as the node lives.
pub(crate) struct Link {
    node: String,
    database: Arc<Mutex<Database>>,
    weather: Arc<Mutex<Weather>>,
    dice: Arc<Dice>,
    trace: Arc<Trace>,
    /// Its ledger saw the clock when it was right: a leap since then must not be taken for the time.
    knew_better: AtomicBool,
    dead: AtomicBool,
    /// Wakes in the order of arrival, which a `watch` does not.
    died: Notify,
}

/// A call that did not go well.
pub(crate) enum Failure {
    NotDone,
    Unknown,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotDone => Self::Io(std::io::ErrorKind::ConnectionRefused.into()),
            Failure::Unknown => Self::Silent {
                seconds: PATIENCE_SECONDS,
            },
        }
    }
}

impl Link {
    pub(crate) fn new(
        node: &str,
        database: &Arc<Mutex<Database>>,
        weather: &Arc<Mutex<Weather>>,
        dice: &Arc<Dice>,
        trace: &Arc<Trace>,
    ) -> Self {
        Self {
            node: node.to_owned(),
            database: Arc::clone(database),
            weather: Arc::clone(weather),
            dice: Arc::clone(dice),
            trace: Arc::clone(trace),
            knew_better: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        }
    }

    /// The node crashes.
    pub(crate) fn cut(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_waiters();
    }

    /// Waits until the node crashes.
    pub(crate) async fn died(&self) {
        let died = self.died.notified();
        if !self.is_dead() {
            died.await;
        }
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending().await
        }
    }

    fn fate(&self, what: &str) -> Fate {
        let weather = *self.weather.lock().unwrap();
        let fate = weather.fate(&self.dice);
        let told = match fate {
            Fate::Answered(before, after) if (before + after).as_millis() < 100 => return fate,
            Fate::Answered(before, after) => {
                format!("done after {before:?}, answered after {after:?}")
            }
            Fate::Refused(_) => "refused".to_owned(),
            Fate::Lost(None, _) => "lost on its way".to_owned(),
            Fate::Lost(Some(after), _) => format!("unanswered, done after {after:?}"),
        };
        self.trace
            .note(format_args!("{} {what}: {told}", self.node));
        fate
    }

    /// Asks: what is lost changes nothing.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        act: impl FnOnce(&Database) -> T + Send,
    ) -> Result<T, StoreError> {
        self.alive().await;
        let failure = match self.fate(what) {
            Fate::Answered(before, after) => {
                sleep(before).await;
                let answer = act(&self.database.lock().unwrap());
                sleep(after).await;
                self.alive().await;
                return Ok(answer);
            }
            Fate::Refused(after) => (after, Failure::NotDone),
            Fate::Lost(_, after) => (after, Failure::Unknown),
        };
        sleep(failure.0).await;
        self.alive().await;
        Err(failure.1.into())
    }

    /// Asks about one log.
    pub(crate) async fn ask_log<T>(
        &self,
        what: &str,
        log: LogNumber,
        act: impl FnOnce(&LogRows) -> T + Send,
    ) -> Result<T, StoreError> {
        self.ask(what, |database| act(database.log(log))).await
    }

    /// Changes something.
    pub(crate) async fn tell<T: Send + 'static>(
        &self,
        what: &'static str,
        act: impl FnOnce(&mut Database) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.alive().await;
        let fate = self.fate(what);
        let arrives = match fate {
            Fate::Answered(after, _) | Fate::Lost(Some(after), _) => Some(after),
            Fate::Refused(_) | Fate::Lost(None, _) => None,
        };
        let sent = arrives.map(|after| {
            let (database, trace) = (Arc::clone(&self.database), Arc::clone(&self.trace));
            let node = self.node.clone();
            tokio::spawn(async move {
                sleep(after).await;
                if matches!(fate, Fate::Lost(..)) {
                    trace.note(format_args!("{node} {what}: arrives after all"));
                }
                act(&mut database.lock().unwrap())
            })
        });
        let answer = match (fate, sent) {
            (Fate::Answered(_, after), Some(sent)) => {
                let done = sent.await.map_err(|_| Failure::Unknown)?;
                sleep(after).await;
                Ok(done)
            }
            (Fate::Refused(after), _) => {
                sleep(after).await;
                Err(Failure::NotDone)
            }
            (Fate::Answered(_, after) | Fate::Lost(_, after), _) => {
                sleep(after).await;
                Err(Failure::Unknown)
            }
        };
        self.alive().await;
        answer
    }

    /// Appends: whether it was done can be known, or not.
    pub(crate) async fn send(&self, append: Append) -> Result<(), AppendError> {
        let (first, node) = (append.expected.range.size(), self.node.clone());
        let (count, epoch) = (append.records.len(), append.expected.epoch);
        let told = format!("{node} append {first}+{count} in epoch {epoch}");
        self.trace.note(&told);
        let latest = self.database.lock().unwrap().time.now() + LEAP_MICROS_MAX;
        let leapt = append
            .records
            .iter()
            .any(|record| record.time_micros > latest);
        let is_taken = leapt && self.knew_better.load(Ordering::Relaxed);
        self.knew_better.fetch_or(!leapt, Ordering::Relaxed);
        assert!(
            !is_taken,
            "{told}: the leap of a clock was taken for the time"
        );
        let trace = Arc::clone(&self.trace);
        let done = self.tell("append", move |database| {
            let done = database.append(&node, append);
            let came = if done.is_ok() { "committed" } else { "fenced" };
            trace.note(format_args!("{told}: {came}"));
            done
        });
        match done.await {
            Ok(done) => done,
            Err(failure @ Failure::NotDone) => Err(AppendError::NotDone(failure.into())),
            Err(failure @ Failure::Unknown) => Err(AppendError::Unknown(failure.into())),
        }
    }
}
