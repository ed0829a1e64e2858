//! Reading records on all cores: lines are read one by one in parallel, and folded in order.
//!
//! There is no queue. Each worker takes a chunk of lines, reads them, waits for its turn and folds them in. So memory is a
//! chunk a worker, and what a line's record borrows from never leaves the worker that holds it.

use crate::Progress;
use crate::limits::WORKERS_MAX;
use crate::line::Line;
use crate::lines::{Chunk, End, Lines};
use crate::walk::Walk;
use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Walks through all lines of `source`.
pub(crate) fn walk_lines(
    source: &mut (dyn Read + Send),
    walk: &mut Walk<'_>,
    progress: &dyn Progress,
) -> End {
    let lines = Mutex::new(Lines::new(source));
    let turns = Turns::new(walk);
    // Two more than there are cores, so that none is idle while workers wait for their turns.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..(cores + 2).min(WORKERS_MAX) {
            scope.spawn(|| work(&lines, &turns, progress));
        }
    });
    lines
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .end()
}

fn work(lines: &Mutex<Lines<'_>>, turns: &Turns<'_, '_>, progress: &dyn Progress) {
    let _abandon = AbandonOnPanic(turns);
    let mut chunk = Chunk::default();
    while lock(lines).next_chunk(&mut chunk) {
        let read: Vec<Line<'_>> = chunk.lines().map(Line::read).collect();
        let stretch = Line::stretch(chunk.first(), &read);
        if !turns.take(chunk.number(), |walk| walk.lines(&read, &stretch)) {
            return;
        }
        progress.advance(chunk.bytes());
    }
}

/// The walk, and whose turn it is.
struct Turns<'w, 'f> {
    state: Mutex<Turn<'w, 'f>>,
    changed: Condvar,
}

struct Turn<'w, 'f> {
    next: u64,
    /// A worker panicked: its turn will never come to an end.
    abandoned: bool,
    walk: &'w mut Walk<'f>,
}

impl<'w, 'f> Turns<'w, 'f> {
    fn new(walk: &'w mut Walk<'f>) -> Self {
        Self {
            state: Mutex::new(Turn {
                next: 0,
                abandoned: false,
                walk,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits for turn `number` and takes it; false if it will never come.
    fn take(&self, number: u64, fold: impl FnOnce(&mut Walk<'f>)) -> bool {
        let mut turn = lock(&self.state);
        while turn.next != number && !turn.abandoned {
            turn = self
                .changed
                .wait(turn)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if turn.abandoned {
            return false;
        }
        fold(turn.walk);
        turn.next += 1;
        self.changed.notify_all();
        true
    }
}

/// Lets the others go when a worker panics; the panic itself goes on to the caller when the workers are joined.
struct AbandonOnPanic<'t, 'w, 'f>(&'t Turns<'w, 'f>);

impl Drop for AbandonOnPanic<'_, '_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).abandoned = true;
            self.0.changed.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
