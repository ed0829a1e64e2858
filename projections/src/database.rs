//! The views' own database: a file beside the records on SQLite, a schema of its own on PostgreSQL. One set of
//! statements for both, written with `?` for a value.
//!
//! Nothing in here needs to be durable: views are built again from the records. So nothing waits for a disk
//! (`synchronous=NORMAL`, `synchronous_commit=off`), and the records' write lock is never touched.

/// Binds values, one for each `?`.
macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Null => query.bind(None::<String>),
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
            };
        }
        query
    }};
}

mod file;
mod generations;
mod schema;
mod sets;

use crate::error::ViewError;
use crate::limits::{READERS_MAX, ROWS_AT_ONCE};
use crate::value::{Kind, Value};
use crate::view::Cells;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Postgres, Row as _, Sqlite, Transaction};
use std::path::Path;
use std::time::Duration;

pub(crate) use file::open_file;
pub(crate) use generations::{Pointer, Target};

/// Where the views are kept.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// One writer, and readers that never wait for it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    /// Every node's.
    Postgres(PgPool),
}

/// A transaction.
pub(crate) enum Session {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Database {
    /// Opens the file `views.db` of a data directory.
    pub(crate) async fn sqlite(data: &Path) -> Result<Self, ViewError> {
        std::fs::create_dir_all(data)?;
        let options = SqliteConnectOptions::new()
            .filename(data.join("views.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(512)
            .row_buffer_size(ROWS_AT_ONCE);
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections);
        // A full disk makes SQLite end a transaction by itself, and the driver goes on counting it: such a connection begins no other.
        let writer = pool(1)
            .before_acquire(|connection, _| {
                let ended = !connection.is_in_transaction();
                Box::pin(async move { Ok(ended) })
            })
            .connect_with(options.clone())
            .await?;
        let readers = pool(READERS_MAX).connect_lazy_with(options);
        Self::Sqlite { writer, readers }.prepared().await
    }

    /// Opens the schema `probity_views`.
    pub(crate) async fn postgres(options: &PgConnectOptions) -> Result<Self, ViewError> {
        let pool = PgPoolOptions::new()
            .max_connections(READERS_MAX + 1)
            .connect_with(options.clone().application_name("probity views"))
            .await?;
        Self::Postgres(pool).prepared().await
    }

    /// A transaction that may write.
    pub(crate) async fn write(&self) -> Result<Session, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                Ok(Session::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?))
            }
            Self::Postgres(pool) => {
                let begin = "BEGIN; SET LOCAL synchronous_commit TO off";
                Ok(Session::Postgres(pool.begin_with(begin).await?))
            }
        }
    }

    /// A transaction that reads, all of it at one moment.
    pub(crate) async fn read(&self) -> Result<Session, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Session::Sqlite(readers.begin().await?)),
            Self::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Ok(Session::Postgres(pool.begin_with(begin).await?))
            }
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Session {
    /// A table's full name.
    pub(crate) fn name(&self, table: &str) -> String {
        match self {
            Self::Sqlite(_) => table.to_owned(),
            Self::Postgres(_) => format!("probity_views.{table}"),
        }
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<u64, ViewError> {
        let done = match self {
            Self::Sqlite(transaction) => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql.to_owned())), values);
                query.execute(&mut **transaction).await?.rows_affected()
            }
            Self::Postgres(transaction) => {
                let query = bind!(sqlx::query(AssertSqlSafe(numbered(sql))), values);
                query.execute(&mut **transaction).await?.rows_affected()
            }
        };
        Ok(done)
    }

    /// Runs a query whose columns are of these kinds.
    pub(crate) async fn fetch(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        kinds: &[Kind],
    ) -> Result<Vec<Cells>, ViewError> {
        match self {
            Self::Sqlite(transaction) => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql.to_owned())), values);
                let rows = query.fetch_all(&mut **transaction).await?;
                rows.iter().map(|row| sqlite_cells(row, kinds)).collect()
            }
            Self::Postgres(transaction) => {
                let query = bind!(sqlx::query(AssertSqlSafe(numbered(sql))), values);
                let rows = query.fetch_all(&mut **transaction).await?;
                rows.iter().map(|row| postgres_cells(row, kinds)).collect()
            }
        }
    }

    /// Reads whole rows of a table: `rest` is the query from `FROM` on.
    pub(crate) async fn rows(
        &mut self,
        target: &Target,
        rest: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Cells>, ViewError> {
        let columns = target.columns("");
        match self {
            // One value a row: the driver copies each with SQLite's allocator, and frees it on another thread, which for
            // a page of decisions is more work than all the rest.
            Self::Sqlite(_) => {
                let sql = format!("SELECT json_array({columns}) {rest}");
                let packed = self.fetch(&sql, values, &[Kind::Text]).await?;
                packed.iter().map(|row| unpacked(row)).collect()
            }
            Self::Postgres(_) => {
                let sql = format!("SELECT {columns} {rest}");
                self.fetch(&sql, values, &target.kinds()).await
            }
        }
    }

    /// Makes everything of the transaction visible at once.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Ends the transaction as if it had never been.
    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }
}

/// The values of a row that came as a JSON array.
fn unpacked(row: &[Value]) -> Result<Cells, ViewError> {
    let corrupt = ViewError::Corrupt { what: "a row" };
    match row {
        [Value::Text(text)] => serde_json::from_str(text).map_err(|_| corrupt),
        _ => Err(corrupt),
    }
}

/// Writes `$1`, `$2` … for each `?`; no statement of this crate has one inside a literal.
fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    for (at, part) in sql.split('?').enumerate() {
        if at > 0 {
            out.push_str(&format!("${at}"));
        }
        out.push_str(part);
    }
    out
}

/// Reads a row's values, by the kinds of its columns.
macro_rules! cells {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row, kinds: &[Kind]) -> Result<Cells, ViewError> {
            let cell = |(at, kind): (usize, &Kind)| {
                Ok(match kind {
                    Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Value::Text),
                    Kind::Integer => row.try_get::<Option<i64>, _>(at)?.map(Value::Integer),
                }
                .unwrap_or(Value::Null))
            };
            kinds.iter().enumerate().map(cell).collect()
        }
    };
}

cells!(sqlite_cells, SqliteRow);
cells!(postgres_cells, PgRow);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
    use super::{Database, Kind, Value};

    #[tokio::test]
    async fn nothing_waits_for_a_disk() {
        let data = tempfile::tempdir().unwrap();
        let url = std::env::var("PROBITY_TEST_POSTGRES")
            .expect("PROBITY_TEST_POSTGRES must name a PostgreSQL server");
        for (database, sql, expected) in [
            (
                Database::sqlite(data.path()).await.unwrap(),
                "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
                "1",
            ),
            (
                Database::postgres(&url.parse().unwrap()).await.unwrap(),
                "SELECT current_setting('synchronous_commit')",
                "off",
            ),
        ] {
            let mut session = database.write().await.unwrap();
            let rows = session.fetch(sql, Vec::new(), &[Kind::Text]).await.unwrap();
            assert_eq!(rows, [[Value::text(expected)]]);
            session.rollback().await.unwrap();
            database.close().await;
        }
    }

    #[tokio::test]
    async fn a_packed_row_comes_back_as_it_was() {
        let data = tempfile::tempdir().unwrap();
        let database = Database::sqlite(data.path()).await.unwrap();
        let mut session = database.read().await.unwrap();
        let row = vec![
            Value::Null,
            Value::text("\"\\/\u{1}\u{1f}\u{7f}\u{2028}\u{fffd}\u{1f512}é\n"),
            Value::text(""),
            Value::text("[1, {\"a\": null}]"),
            Value::text("12"),
            Value::Integer(i64::MIN),
            Value::Integer(i64::MAX),
        ];
        let sql = "SELECT json_array(?, ?, ?, ?, ?, ?, ?)";
        let packed = session
            .fetch(sql, row.clone(), &[Kind::Text])
            .await
            .unwrap();
        assert_eq!(super::unpacked(&packed[0]).unwrap(), row);
        assert!(super::unpacked(&[Value::text("[1.5]")]).is_err());
        session.rollback().await.unwrap();
        database.close().await;
    }

    #[test]
    fn values_are_numbered_for_postgresql() {
        assert_eq!(
            super::numbered("a = ? AND b IN (?, ?)"),
            "a = $1 AND b IN ($2, $3)"
        );
        assert_eq!(super::numbered("SELECT 1"), "SELECT 1");
    }
}
