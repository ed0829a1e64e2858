//! What a view is: a name, a version, a table of rows, and a fold. Everything else (reading, loading, writing, positions,
//! parking, rebuilding) is the follower's and the same for all.
//!
//! A record touches at most one row of a view, named by the record alone. That keeps the fold a pure function of one row
//! and makes a row's key the unit of order: what cannot be applied holds up its own key and nothing else. What needs two
//! rows is two views, or a query.

use crate::entry::Entry;
use crate::error::Unappliable;
use crate::limits::INDEXED_TEXT_BYTES_MAX;
use crate::value::{Kind, Value};
use probity_schemas::hash::sha256;

/// A column of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
}

/// A row's values, in the order of its columns.
pub(crate) type Cells = Vec<Value>;

/// The values that name a row inside its tenant: its leading columns.
pub(crate) type Key = Vec<Value>;

/// A row as callers see it, and as it is kept. Made by the `row!` macro.
pub trait Row: Send + Sync + 'static {
    /// Its columns, the key's first. The tenant is not among them: it is part of every key.
    const COLUMNS: &'static [Column];

    /// Into the table.
    ///
    /// # Errors
    /// [`Unappliable`] when a value does not fit its column.
    fn into_cells(self) -> Result<Cells, Unappliable>
    where
        Self: Sized;

    /// Out of the table.
    ///
    /// # Errors
    /// The column that holds what was never written.
    fn from_cells(cells: Cells) -> Result<Self, &'static str>
    where
        Self: Sized;
}

/// A view.
pub trait View: Send + Sync + 'static {
    /// What a row is.
    type Row: Row;

    /// The view's name.
    const NAME: &'static str;

    /// Grows with every change of what the rows say; a new one is built from record 0, beside the old.
    const VERSION: u32;

    /// How many of the leading columns name a row.
    const KEYS: usize;

    /// Columns that lists are narrowed or ordered by, one index each.
    const INDEXES: &'static [&'static [&'static str]];

    /// Whether every record makes a row of its own, so that none need be loaded.
    const APPEND_ONLY: bool = false;

    /// The row that a record touches; `None` when the record is not this view's business.
    fn key(entry: &Entry) -> Option<Key>;

    /// What becomes of the row.
    ///
    /// # Errors
    /// [`Unappliable`], which parks the row's key.
    fn apply(entry: &Entry, row: Option<Self::Row>) -> Result<Self::Row, Unappliable>;
}

/// A view without its types, as the follower handles it.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) columns: &'static [Column],
    pub(crate) keys: usize,
    pub(crate) indexes: &'static [&'static [&'static str]],
    pub(crate) append_only: bool,
    key: fn(&Entry) -> Option<Key>,
    apply: fn(&Entry, Option<Cells>) -> Result<Cells, Unappliable>,
}

impl Definition {
    /// The definition of a view.
    pub(crate) const fn of<V: View>() -> Self {
        assert!(V::Row::COLUMNS.len() <= crate::limits::COLUMNS_MAX);
        assert!(V::KEYS > 0 && V::KEYS <= crate::limits::INDEXED_TEXTS_MAX);
        Self {
            name: V::NAME,
            version: V::VERSION,
            columns: V::Row::COLUMNS,
            keys: V::KEYS,
            indexes: V::INDEXES,
            append_only: V::APPEND_ONLY,
            key: V::key,
            apply: apply_cells::<V>,
        }
    }

    /// The row that a record touches.
    pub(crate) fn key(&self, entry: &Entry) -> Option<Key> {
        (self.key)(entry).map(|key| key.into_iter().map(bounded).collect())
    }

    /// What becomes of the row.
    pub(crate) fn apply(&self, entry: &Entry, row: Option<Cells>) -> Result<Cells, Unappliable> {
        let mut cells = (self.apply)(entry, row)?;
        for (cell, column) in cells.iter_mut().zip(self.columns) {
            if is_long(cell) && self.is_indexed(column.name) {
                *cell = bounded(std::mem::replace(cell, Value::Null));
            }
        }
        Ok(cells)
    }

    /// A value as it stands in a column, to compare with.
    pub(crate) fn comparable(&self, column: &str, value: Value) -> Value {
        if is_long(&value) && self.is_indexed(column) {
            bounded(value)
        } else {
            value
        }
    }

    fn is_indexed(&self, column: &str) -> bool {
        let keys = self.columns.iter().take(self.keys);
        let indexes = self.indexes.iter().flat_map(|index| index.iter());
        keys.map(|key| key.name)
            .chain(indexes.copied())
            .any(|name| name == column)
    }
}

fn apply_cells<V: View>(entry: &Entry, row: Option<Cells>) -> Result<Cells, Unappliable> {
    let row = row.map(V::Row::from_cells).transpose();
    V::apply(
        entry,
        row.map_err(|column| Unappliable::BadCell { column })?,
    )?
    .into_cells()
}

fn is_long(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.len() > INDEXED_TEXT_BYTES_MAX)
}

/// Cuts an over-long text for an index, and ends it in its hash so that two never become one.
fn bounded(value: Value) -> Value {
    match value {
        Value::Text(text) if text.len() > INDEXED_TEXT_BYTES_MAX => {
            let hash = sha256(&[text.as_bytes()]).to_hex();
            let cut = text.floor_char_boundary(INDEXED_TEXT_BYTES_MAX - hash.len() - 1);
            Value::Text(format!("{}#{hash}", &text[..cut]))
        }
        value => value,
    }
}

/// Declares a row: the struct that callers get, and the columns it is kept in.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
        pub struct $name {
            $($(#[$note])* pub $field: $type,)+
        }

        impl $crate::view::Row for $name {
            const COLUMNS: &'static [$crate::view::Column] = &[
                $($crate::view::Column {
                    name: stringify!($field),
                    kind: <$type as $crate::value::Cell>::KIND,
                }),+
            ];

            fn into_cells(self) -> Result<$crate::view::Cells, $crate::error::Unappliable> {
                Ok(vec![$($crate::value::Cell::store(self.$field)?),+])
            }

            fn from_cells(cells: $crate::view::Cells) -> Result<Self, &'static str> {
                let mut cells = cells.into_iter();
                Ok(Self {
                    $($field: cells
                        .next()
                        .and_then($crate::value::Cell::load)
                        .ok_or(stringify!($field))?),+
                })
            }
        }
    };
}
pub(crate) use row;

#[cfg(test)]
mod tests {
    use super::bounded;
    use crate::limits::INDEXED_TEXT_BYTES_MAX;
    use crate::value::Value;

    #[test]
    fn long_texts_are_cut_and_stay_apart() {
        let long = |last: char| format!("{}{last}", "ü".repeat(INDEXED_TEXT_BYTES_MAX));
        let (one, other) = (Value::Text(long('a')), Value::Text(long('b')));
        assert_ne!(bounded(one.clone()), bounded(other));
        let Value::Text(text) = bounded(one.clone()) else {
            unreachable!("a text stays a text");
        };
        assert!(text.len() <= INDEXED_TEXT_BYTES_MAX);
        assert_eq!(bounded(Value::Text(text.clone())), Value::Text(text));
        let short = Value::Text("x".repeat(INDEXED_TEXT_BYTES_MAX));
        assert_eq!(bounded(short.clone()), short);
    }
}
