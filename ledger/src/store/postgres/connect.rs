//! Connections to the server and the settings each of them needs. What is said here about durability is what the store
//! promises, so it is asked back from the server, not assumed.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, SqlSafeStr as _};

use crate::store::StoreError;
use crate::store::limits::{
    ACQUIRE_SECONDS_MAX, READING_CONNECTIONS_MAX, STATEMENT_SECONDS_MAX, STATEMENTS_MAX,
    UNTESTED_IDLE_SECONDS_MAX, WRITING_CONNECTIONS_MAX,
};

/// The schema's history, oldest first. A file that was released is never changed.
const MIGRATIONS: [&str; 7] = [
    include_str!("../../../migrations/postgres/0001_records.sql"),
    include_str!("../../../migrations/postgres/0002_cosignatures.sql"),
    include_str!("../../../migrations/postgres/0003_timestamps.sql"),
    include_str!("../../../migrations/postgres/0004_disclosures.sql"),
    include_str!("../../../migrations/postgres/0005_checkpoints.sql"),
    include_str!("../../../migrations/postgres/0006_attachments.sql"),
    include_str!("../../../migrations/postgres/0007_erased_attachments.sql"),
];

/// Options as given, with a name that the server's operator can recognise.
pub(super) fn named(options: PgConnectOptions) -> PgConnectOptions {
    let options = options
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging();
    match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("probity"),
    }
}

/// Brings the schema up to date. Several nodes that start at once take turns.
pub(super) async fn migrate(options: &PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    set_up(&mut connection, "off").await?;
    let migrations = (1..).zip(MIGRATIONS).map(|(version, sql)| {
        Migration::new(
            version,
            "records".into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("probity.migrations");
    migrator.create_schema("probity");
    migrator.run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Connections that write.
pub(super) fn writers(options: PgConnectOptions) -> PgPool {
    pool(WRITING_CONNECTIONS_MAX, "off").connect_lazy_with(options)
}

/// Connections that read, and cannot write.
pub(super) fn readers(options: PgConnectOptions) -> PgPool {
    pool(READING_CONNECTIONS_MAX, "on").connect_lazy_with(options)
}

fn pool(connections: u32, read_only: &'static str) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS_MAX))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > Duration::from_secs(UNTESTED_IDLE_SECONDS_MAX) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| Box::pin(set_up(connection, read_only)))
}

/// What every connection must be set to, whatever the role's or the server's own settings. A commit that waits for more than
/// the local disk is left as it is.
async fn set_up(connection: &mut PgConnection, read_only: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('default_transaction_isolation', 'read committed', false), \
                set_config('default_transaction_read_only', $1, false), \
                set_config('statement_timeout', $2, false), \
                set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
                    WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)",
    )
    .bind(read_only)
    .bind(format!("{STATEMENT_SECONDS_MAX}s"))
    .execute(connection)
    .await?;
    Ok(())
}

/// Refuses a schema that is not the one this program reads.
pub(super) async fn check_version(pool: &PgPool) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let table: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('probity.migrations')::text")
            .fetch_one(pool)
            .await?;
    let found = match table {
        None => 0,
        Some(_) => {
            sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM probity.migrations")
                .fetch_one(pool)
                .await?
        }
    };
    if found == known {
        Ok(())
    } else {
        Err(StoreError::SchemaVersion { found, known })
    }
}

/// What the server says about its durability.
pub(super) async fn durability(pool: &PgPool) -> Result<String, StoreError> {
    let (version, fsync, full_page_writes, synchronous_commit): (String, String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'), \
                current_setting('synchronous_commit')",
    )
    .fetch_one(pool)
    .await?;
    let off = [("fsync", fsync), ("full_page_writes", full_page_writes)]
        .into_iter()
        .find(|(_, value)| value != "on");
    match off {
        Some((setting, value)) => Err(StoreError::NotDurable { setting, value }),
        None => Ok(format!(
            "postgresql {version} fsync=on synchronous_commit={synchronous_commit}"
        )),
    }
}
