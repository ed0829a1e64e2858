//! JSON Pointers (RFC 6901) to the values that are to be taken out, as a tree of steps. No value is looked at here.

use super::MarkError;
use crate::limits::POINTER_BYTES_MAX;
use std::collections::BTreeMap;

/// Values to take out, by the steps that lead to them.
#[derive(Default)]
pub(super) struct Marks(pub(super) BTreeMap<String, Mark>);

pub(super) enum Mark {
    /// This value, named by the pointer of this index.
    Whole(usize),
    /// Something in it.
    Within(Marks),
}

impl Marks {
    pub(super) fn add(&mut self, index: usize, pointer: &str) -> Result<(), MarkError> {
        let overlap = || MarkError::Overlap {
            pointer: pointer.to_owned(),
        };
        let mut steps = steps(pointer)?;
        let last = steps.pop().ok_or(MarkError::WholeBody)?;
        let mut marks = self;
        for step in steps {
            let mark = marks.0.entry(step);
            match mark.or_insert_with(|| Mark::Within(Self::default())) {
                Mark::Within(within) => marks = within,
                Mark::Whole(_) => return Err(overlap()),
            }
        }
        match marks.0.insert(last, Mark::Whole(index)) {
            None => Ok(()),
            Some(_) => Err(overlap()),
        }
    }

    /// The pointer that leads here or to the first value within.
    pub(super) fn first(&self) -> Option<usize> {
        self.0.values().find_map(Mark::first)
    }
}

impl Mark {
    pub(super) fn first(&self) -> Option<usize> {
        match self {
            Self::Whole(index) => Some(*index),
            Self::Within(marks) => marks.first(),
        }
    }
}

/// The steps of a JSON Pointer.
fn steps(pointer: &str) -> Result<Vec<String>, MarkError> {
    let bad = || MarkError::BadPointer {
        pointer: pointer.to_owned(),
    };
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    if pointer.len() > POINTER_BYTES_MAX {
        return Err(bad());
    }
    let rest = pointer.strip_prefix('/').ok_or_else(bad)?;
    rest.split('/')
        .map(|step| unescape(step).ok_or_else(bad))
        .collect()
}

/// `~0` is a tilde, `~1` a slash, and no tilde stands alone.
fn unescape(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let character = match part.as_bytes().first() {
            Some(b'0') => '~',
            Some(b'1') => '/',
            _ => return None,
        };
        plain.push(character);
        plain.push_str(part.get(1..)?);
    }
    Some(plain)
}

/// An index as a pointer spells it: decimal, without leading zeros.
pub(super) fn index(step: &str) -> Option<usize> {
    let plain =
        step == "0" || !step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| step.parse().ok()).flatten()
}
