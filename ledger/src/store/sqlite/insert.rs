//! INSERTs of many rows by one prepared statement: a call of the driver costs as much as a few rows. Which rows, and in which
//! transaction, is their user's business.

use sqlx::AssertSqlSafe;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};

use crate::store::limits::INSERT_ROWS_MAX;

/// A statement whose values are being bound.
pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// An INSERT of any number of rows.
pub(super) struct Insert {
    into: &'static str,
    row: &'static str,
    end: &'static str,
}

pub(super) const RECORDS: Insert = Insert {
    into: "INSERT INTO records (log, sequence, time_micros, leaf, line) VALUES ",
    row: "(?,?,?,?,?)",
    end: "",
};
pub(super) const SUBJECTS: Insert = Insert {
    into: "INSERT INTO subjects (log, subject, revision, sequence) VALUES ",
    row: "(?,?,?,?)",
    end: "",
};
pub(super) const ALIASES: Insert = Insert {
    into: "INSERT INTO aliases (log, alias, subject) VALUES ",
    row: "(?,?,?)",
    end: " ON CONFLICT (log, alias) DO UPDATE SET subject = excluded.subject",
};
pub(super) const KEYS: Insert = Insert {
    into: "INSERT OR REPLACE INTO idempotency \
           (log, key, fingerprint, first, count, time_micros, reply) VALUES ",
    row: "(?,?,?,?,?,?,?)",
    end: "",
};
pub(super) const ATTACHMENTS: Insert = Insert {
    into: "INSERT INTO attachments (log, blake3, first, size, content) VALUES ",
    row: "(?,?,?,?,?)",
    end: " ON CONFLICT (log, blake3) DO NOTHING",
};

pub(super) const DISCLOSURES: Insert = Insert {
    into: "INSERT INTO disclosures (log, sequence, place, person, sealed) VALUES ",
    row: "(?,?,?,?,?)",
    end: "",
};

pub(super) const TILES: Insert = Insert {
    into: "INSERT INTO tiles (log, level, idx, hashes) VALUES ",
    row: "(?,?,?,?)",
    end: " ON CONFLICT (log, level, idx) DO NOTHING",
};

impl Insert {
    /// The statement for so many rows.
    pub(super) fn sql(&self, rows: usize) -> String {
        format!(
            "{}{}{}",
            self.into,
            vec![self.row; rows].join(","),
            self.end
        )
    }

    /// Inserts all rows, as many at once as a prepared statement takes.
    pub(super) async fn rows<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> Result<(), sqlx::Error> {
        for chunk in rows.chunks(INSERT_ROWS_MAX) {
            let statement = sqlx::query(AssertSqlSafe(self.sql(chunk.len())));
            let statement = chunk.iter().fold(statement, &bind);
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }
}
