//! The fold of a batch into the rows it touches: pure, in memory, the same for a live follower, a rebuild and a retry.

use crate::entry::Entry;
use crate::error::Unappliable;
use crate::limits::INDEXED_TEXT_BYTES_MAX;
use crate::value::Value;
use crate::view::{Cells, Definition, Key};
use probity_schemas::hash::sha256;
use std::collections::{HashMap, HashSet};

/// What a batch makes of the rows.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Rows that are new or changed.
    pub(crate) rows: Vec<Cells>,
    /// Records that could not be applied, in order.
    pub(crate) parked: Vec<ParkedRecord>,
}

/// A record that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParkedRecord {
    /// The name of its key.
    pub(crate) key: String,
    /// Its position.
    pub(crate) sequence: u64,
    /// Why.
    pub(crate) error: String,
}

/// Why a record was not even tried.
const AFTER_PARKED: &str = "an earlier record of the same key is parked";

/// The keys that records touch, each once, in order.
pub(crate) fn keys(view: &Definition, entries: &[Entry]) -> Vec<Key> {
    let mut seen = HashSet::new();
    let touched = entries.iter().filter_map(|entry| view.key(entry));
    touched.filter(|key| seen.insert(key.clone())).collect()
}

/// Folds records into rows. `rows` are those that are there, `parked` the names of keys that wait already.
pub(crate) fn fold(
    view: &Definition,
    entries: &[Entry],
    rows: Vec<Cells>,
    mut parked: HashSet<String>,
) -> Folded {
    let mut known: HashMap<Key, Cells> = rows
        .into_iter()
        .map(|cells| (cells[..view.keys].to_vec(), cells))
        .collect();
    let mut touched = Vec::new();
    let mut folded = Folded::default();
    for entry in entries {
        let Some(key) = view.key(entry) else { continue };
        let waits = !parked.is_empty() && parked.contains(&key_name(&key));
        let error = if waits {
            AFTER_PARKED.to_owned()
        } else {
            match apply(view, entry, &key, &mut known) {
                Ok(()) => {
                    touched.push(key);
                    continue;
                }
                Err(error) => error.to_string(),
            }
        };
        let name = key_name(&key);
        parked.insert(name.clone());
        folded.parked.push(ParkedRecord {
            key: name,
            sequence: entry.sequence,
            error,
        });
    }
    folded.rows = touched
        .into_iter()
        .filter_map(|key| known.remove(&key))
        .collect();
    folded
}

/// Applies one record; on failure the row is as it was.
fn apply(
    view: &Definition,
    entry: &Entry,
    key: &Key,
    known: &mut HashMap<Key, Cells>,
) -> Result<(), Unappliable> {
    let before = known.get(key).cloned();
    let after = view.apply(entry, before)?;
    known.insert(key.clone(), after);
    Ok(())
}

/// A key's name for people and for the list of parked keys: its values as a JSON array, cut if very long.
pub(crate) fn key_name(key: &Key) -> String {
    let values: Vec<serde_json::Value> = key
        .iter()
        .map(|value| match value {
            Value::Null => serde_json::Value::Null,
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
        })
        .collect();
    let name = serde_json::Value::Array(values).to_string();
    if name.len() <= 2 * INDEXED_TEXT_BYTES_MAX {
        return name;
    }
    let cut = name.floor_char_boundary(INDEXED_TEXT_BYTES_MAX);
    format!("{}#{}", &name[..cut], sha256(&[name.as_bytes()]).to_hex())
}
