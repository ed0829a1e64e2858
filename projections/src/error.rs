//! What can go wrong on the read side, in three kinds that never mix: a record that a view cannot apply
//! ([`Unappliable`], parks its key), a view that has not come far enough ([`NotYet`]), and a database or a log
//! that does not answer ([`ViewError`]).

use crate::position::Position;
use probity_ledger::store::is_away;
use thiserror::Error;

/// Why a view cannot apply a record. It is a property of the record and the row: a retry gives the same, unless the
/// program or the row has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unappliable {
    /// The record changes a row that is not there.
    #[error("there is no {what} that it could change")]
    Missing {
        /// What is not there.
        what: &'static str,
    },
    /// The record brings a thing into being that is there already.
    #[error("the {what} is there already")]
    Repeated {
        /// What is there.
        what: &'static str,
    },
    /// A number does not fit its column.
    #[error("a number does not fit 63 bits")]
    TooLarge,
    /// A body does not become JSON.
    #[error("a value does not become JSON: {reason}")]
    NotJson {
        /// What the encoder says.
        reason: String,
    },
    /// The row holds what this program never wrote.
    #[error("the row's column {column} holds what was never written there")]
    BadCell {
        /// The column.
        column: &'static str,
    },
}

/// Why views do not answer.
#[derive(Debug, Error)]
pub enum ViewError {
    /// The views' database says no, or says nothing.
    #[error("the views' database failed")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error("the log could not be read")]
    Source(#[from] probity_ledger::store::StoreError),
    /// A row holds what this program never wrote.
    #[error("the view {view} holds a row that was never written: column {column}")]
    BadRow {
        /// The view.
        view: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The bookkeeping of views holds what this program never wrote.
    #[error("the views' bookkeeping holds what was never written: {what}")]
    Corrupt {
        /// What was found.
        what: &'static str,
    },
    /// No view has this name.
    #[error("there is no view named {name}")]
    UnknownView {
        /// The name asked for.
        name: String,
    },
    /// Another caller's rebuild of the same view ended first.
    #[error("the view {view} was rebuilt by somebody else meanwhile")]
    RebuiltElsewhere {
        /// The view.
        view: &'static str,
    },
    /// The directory of the views could not be made.
    #[error("the data directory could not be used")]
    Io(#[from] std::io::Error),
    /// A computation was given up because the program stops.
    #[error("the follower was stopped")]
    Stopped,
}

impl ViewError {
    /// Whether the database is out of reach or too busy for now: asked again later, it may answer.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Database(error) => is_away(error),
            Self::Source(error) => error.is_away(),
            _ => false,
        }
    }
}

/// A view has not come as far as the caller asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the view is at {} records, not yet at {wanted}", .position.size)]
pub struct NotYet {
    /// Where the view is.
    pub position: Position,
    /// Where the caller wanted it.
    pub wanted: u64,
    /// Why it will not get there, when it stopped.
    pub stopped: Option<String>,
}

/// An error and what it came from, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
