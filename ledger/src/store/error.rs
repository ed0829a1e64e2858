//! What can go wrong with a store. Not refusals by the rules (those are records), and not what a judge finds.

use std::sync::Arc;

use thiserror::Error;

/// Why an append did not happen, or may have.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The log's row is another one: somebody else appended, or owns the log now. Nothing was written.
    #[error("the log was moved on by somebody else")]
    Conflict,
    /// The store refused before the commit was sent. Nothing was written, and nothing will be.
    #[error("nothing was written")]
    NotDone(#[source] StoreError),
    /// The commit was sent and its answer is not known; it may even still be under way. The writer must
    /// [`claim`](super::Store::claim) the log again and look at the row that gives: the claim fences this append.
    #[error("whether it was written is not known")]
    Unknown(#[source] StoreError),
}

/// A store that does not do what it is asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database says no, or says nothing. Shared, because one failed commit fails every append in it.
    #[error("the database failed")]
    Database(#[source] Arc<sqlx::Error>),
    /// The database did not answer in time.
    #[error("the database did not answer within {seconds} s")]
    Silent {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Somebody was reading for so long that deleted content could not be overwritten.
    #[error("deleted content is in the write-ahead log still: somebody reads")]
    Read,
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The schema is another version's, and the store was opened only to read.
    #[error("the database has schema version {found}, this program reads {known}")]
    SchemaVersion {
        /// The version found; 0 when there is none.
        found: i64,
        /// The version this program knows.
        known: i64,
    },
    /// The database is set up so that it may lose what it said it kept.
    #[error("the database may lose what it said it kept: {setting} is {value}")]
    NotDurable {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The store holds something that this program never wrote.
    #[error("the store holds what was never written: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// The caller handed over an append that contradicts itself.
    #[error("an append that contradicts itself: {what}")]
    BadAppend {
        /// What does not fit.
        what: &'static str,
    },
    /// A record names an attachment that is not there whole.
    #[error("an attachment that a record names is not there")]
    AttachmentGone,
    /// A number is larger than the store can keep.
    #[error("{number} is more than the store can keep")]
    TooLarge {
        /// The number.
        number: u64,
    },
    /// Neither `sqlite:PATH` nor `postgres://…`. The text is not repeated: it may hold a password.
    #[error("a database is named sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")]
    BadUrl(#[source] Option<Arc<sqlx::Error>>),
    /// Another process holds the data directory.
    #[error("another process has this data directory open")]
    Locked,
    /// The store was opened only to read.
    #[error("the store was opened only to read")]
    ReadOnly,
    /// The store was closed, or the task that serves it ended.
    #[error("the store is closed")]
    Closed,
    /// A file operation failed.
    #[error("a file could not be used")]
    Io(#[from] std::io::Error),
}

impl StoreError {
    /// Whether the database is out of reach or too busy for now: asked again later, it may answer.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Silent { .. } | Self::Closed => true,
            Self::Database(error) => is_away(error),
            _ => false,
        }
    }
}

/// The same of what the driver says. PostgreSQL's classes (manual, appendix A): 08 connection, 53 resources, 57P an operator's
/// intervention.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5
                && ["08", "53", "57P"]
                    .iter()
                    .any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Database(Arc::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoreError;

    #[test]
    fn what_may_answer_later_is_told_from_what_is_broken() {
        let away = [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::PoolClosed,
            sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
        ];
        for error in away {
            assert!(StoreError::from(error).is_away());
        }
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_away());
        let what = "a hash".to_owned();
        assert!(!StoreError::Corrupt { what }.is_away());
    }
}
