//! Connections to the file and the settings each kind of them needs. What is said here about durability is what the
//! store promises, so it is asked back from SQLite, not assumed.

use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _, SqlitePool};

use crate::store::StoreError;
use crate::store::limits::{
    BUSY_SECONDS_MAX, PAGE_BYTES, READERS_MAX, STATEMENTS_MAX, WAL_PAGES_MAX,
};

/// The schema's history, oldest first. A file that was released is never changed.
const MIGRATIONS: [&str; 7] = [
    include_str!("../../../migrations/sqlite/0001_records.sql"),
    include_str!("../../../migrations/sqlite/0002_cosignatures.sql"),
    include_str!("../../../migrations/sqlite/0003_timestamps.sql"),
    include_str!("../../../migrations/sqlite/0004_disclosures.sql"),
    include_str!("../../../migrations/sqlite/0005_checkpoints.sql"),
    include_str!("../../../migrations/sqlite/0006_attachments.sql"),
    include_str!("../../../migrations/sqlite/0007_erased_attachments.sql"),
];

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(BUSY_SECONDS_MAX))
        .statement_cache_capacity(STATEMENTS_MAX)
        .foreign_keys(false)
        .disable_statement_logging()
}

fn writing_options(path: &Path) -> SqliteConnectOptions {
    options(path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", WAL_PAGES_MAX.to_string())
        // What is deleted is overwritten: attachments can be erased.
        .pragma("secure_delete", "ON")
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
}

/// The writing connection, over a schema that is up to date.
pub(super) async fn writer(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = writing_options(path).connect().await?;
    let migrations = (1..).zip(MIGRATIONS).map(|(version, sql)| {
        Migration::new(
            version,
            "records".into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
        .run(&mut connection)
        .await?;
    Ok(connection)
}

/// The connection that copies the write-ahead log back, beside the writer.
pub(super) async fn checkpointer(path: &Path) -> Result<SqliteConnection, StoreError> {
    Ok(writing_options(path)
        .create_if_missing(false)
        .connect()
        .await?)
}

/// Connections that read.
pub(super) fn readers(path: &Path) -> SqlitePool {
    let options = options(path).read_only(true).row_buffer_size(512);
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .test_before_acquire(false)
        .connect_lazy_with(options.immutable(is_still(path)))
}

/// Whether nobody can be writing: on a file system that is mounted read-only, without a write-ahead log. SQLite would share the file through
/// another one beside it, which cannot be made there.
fn is_still(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let read_only = access(path, Access::WRITE_OK) == Err(Errno::ROFS);
    read_only && !Path::new(&log).exists()
}

/// Refuses a file whose schema is not the one this program reads.
pub(super) async fn check_version(readers: &SqlitePool) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_one(readers)
            .await?;
    let found = match tables {
        0 => 0,
        _ => {
            sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
                .fetch_one(readers)
                .await?
        }
    };
    if found == known {
        Ok(())
    } else {
        Err(StoreError::SchemaVersion { found, known })
    }
}

/// What the writing connection says about its durability.
pub(super) async fn durability(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut *connection)
        .await?;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await?;
    if journal != "wal" {
        return Err(StoreError::NotDurable {
            setting: "journal_mode",
            value: journal,
        });
    }
    if synchronous != 2 {
        return Err(StoreError::NotDurable {
            setting: "synchronous",
            value: synchronous.to_string(),
        });
    }
    Ok(format!("sqlite {version} WAL synchronous=FULL"))
}

/// Closes a connection; the last one copies the write-ahead log back and removes it.
pub(super) async fn close(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "store: a connection did not close cleanly; nothing is lost");
    }
}
