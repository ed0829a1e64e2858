//! Whose appends go into the next commit: every waiting log gets its turn, none can fill the commit alone for long.
//! Pure; the committer does the rest.

use std::collections::{HashMap, VecDeque};

use crate::store::LogNumber;
use crate::store::limits::{COMMIT_BYTES_MAX, TURN_BYTES_MAX, TURN_RECORDS_MAX};

/// How much an append weighs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    /// Its records.
    pub(super) records: usize,
    /// Bytes of its lines and attachments.
    pub(super) bytes: usize,
}

/// Appends that wait, by log, and the order in which logs have their turn.
pub(super) struct Turns<T> {
    order: VecDeque<LogNumber>,
    waiting: HashMap<LogNumber, VecDeque<(Weight, T)>>,
}

impl<T> Turns<T> {
    /// Nobody waits.
    pub(super) fn new() -> Self {
        Self {
            order: VecDeque::new(),
            waiting: HashMap::new(),
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Puts an append behind those of its log.
    pub(super) fn push(&mut self, log: LogNumber, weight: Weight, append: T) {
        let queue = self.waiting.entry(log).or_default();
        if queue.is_empty() {
            self.order.push_back(log);
        }
        queue.push_back((weight, append));
    }

    /// What the next commit holds: one turn of each log, until the commit is full. A log that was not reached, or has more,
    /// comes first, or again, in the next one. Never empty while somebody waits.
    pub(super) fn take(&mut self) -> Vec<T> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        for _ in 0..self.order.len() {
            if bytes >= COMMIT_BYTES_MAX {
                break;
            }
            let Some(log) = self.order.pop_front() else {
                break;
            };
            let Some(queue) = self.waiting.get_mut(&log) else {
                continue;
            };
            bytes += take_turn(queue, &mut taken);
            if queue.is_empty() {
                self.waiting.remove(&log);
            } else {
                self.order.push_back(log);
            }
        }
        taken
    }
}

/// Takes one log's turn: at least one append, then as many as fit. Gives the bytes taken.
fn take_turn<T>(queue: &mut VecDeque<(Weight, T)>, taken: &mut Vec<T>) -> usize {
    let mut turn = Weight {
        records: 0,
        bytes: 0,
    };
    while let Some((next, _)) = queue.front() {
        let sum = Weight {
            records: turn.records + next.records,
            bytes: turn.bytes + next.bytes,
        };
        let fits = sum.records <= TURN_RECORDS_MAX && sum.bytes <= TURN_BYTES_MAX;
        if !fits && (turn.records, turn.bytes) != (0, 0) {
            break;
        }
        turn = sum;
        taken.extend(queue.pop_front().map(|(_, append)| append));
    }
    turn.bytes
}

#[cfg(test)]
mod tests {
    use super::{Turns, Weight};

    const KIB: usize = 1024;

    /// Logs and sizes of appends in the order of their coming, and the commits they end up in.
    fn commits(appends: &[(i64, usize, usize)]) -> Vec<Vec<usize>> {
        let mut turns = Turns::new();
        for (number, (log, records, kib)) in appends.iter().enumerate() {
            turns.push(
                *log,
                Weight {
                    records: *records,
                    bytes: kib * KIB,
                },
                number,
            );
        }
        let mut commits = Vec::new();
        while !turns.is_empty() {
            commits.push(turns.take());
        }
        commits
    }

    #[test]
    fn every_log_gets_its_turn() {
        // Log 1 brings far more than a turn; log 2 waits for one commit only.
        let appends = [(1, 300, 1), (1, 300, 1), (1, 300, 1), (2, 1, 1)];
        assert_eq!(commits(&appends), [vec![0, 3], vec![1], vec![2]]);
    }

    #[test]
    fn small_appends_of_one_log_share_a_turn_up_to_its_records_and_bytes() {
        assert_eq!(
            commits(&[(1, 256, 1), (1, 256, 1), (1, 1, 1)]),
            [vec![0, 1], vec![2]]
        );
        assert_eq!(
            commits(&[(1, 1, 512), (1, 1, 512), (1, 1, 1)]),
            [vec![0, 1], vec![2]]
        );
    }

    #[test]
    fn one_append_may_exceed_a_turn_and_then_goes_alone() {
        assert_eq!(commits(&[(1, 10_000, 9000), (1, 1, 1)]), [vec![0], vec![1]]);
        assert_eq!(commits(&[(1, 1, 1), (1, 10_000, 9000)]), [vec![0], vec![1]]);
    }

    #[test]
    fn a_full_commit_leaves_the_other_logs_for_the_next_one() {
        let appends = [(1, 1, 9000), (2, 1, 9000), (3, 1, 1), (1, 1, 1)];
        assert_eq!(commits(&appends), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn an_append_without_records_is_taken_too() {
        assert_eq!(commits(&[(1, 0, 0), (1, 0, 0)]), [vec![0, 1]]);
    }
}
