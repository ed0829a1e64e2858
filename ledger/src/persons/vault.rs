//! Where wrapped keys are kept: `persons.db` beside the signer's key for SQLite, schema `probity_keys` on PostgreSQL.
//!
//! The file overwrites what is deleted (`secure_delete`) and has no write-ahead log, in which a deleted key would live on. It is
//! not the records' file, so that a copy of the records holds no key. Whoever changes something takes a turn, one at a time
//! among all processes: which wrapping key is in force may only change in one.

use super::PersonError;
use crate::store::{DatabaseUrl, PersonToken, StoreError};
use probity_schemas::subject::Tenant;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// Seconds to wait for the database.
const WAIT_SECONDS_MAX: u64 = 10;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS persons (token BLOB PRIMARY KEY, tenant TEXT NOT NULL, \
     lookup BLOB NOT NULL, wrap BLOB NOT NULL, sealed BLOB NOT NULL, UNIQUE (tenant, lookup)) STRICT";
const FIND: &str =
    "SELECT token, tenant, lookup, wrap, sealed FROM persons WHERE tenant = $1 AND lookup = $2";
const BY_TOKEN: &str = "SELECT token, tenant, lookup, wrap, sealed FROM persons WHERE token = $1";
const ALL: &str = "SELECT token, tenant, lookup, wrap, sealed FROM persons";
const TOKENS: &str = "SELECT token FROM persons";
const ANY_WRAP: &str = "SELECT wrap FROM persons LIMIT 1";
const INSERT: &str =
    "INSERT INTO persons (token, tenant, lookup, wrap, sealed) VALUES ($1, $2, $3, $4, $5)";
const DELETE_ALL: &str = "DELETE FROM persons";
const LOCK: &str = "LOCK TABLE persons IN EXCLUSIVE MODE";

/// A wrapped key.
#[derive(Clone, Debug)]
pub(super) struct PersonRow {
    pub(super) token: PersonToken,
    pub(super) tenant: String,
    pub(super) lookup: [u8; 32],
    pub(super) wrap: [u8; 8],
    pub(super) sealed: Vec<u8>,
}

type Columns = (Vec<u8>, String, Vec<u8>, Vec<u8>, Vec<u8>);

/// The keys.
pub(super) enum Vault {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The right to change keys, until it is committed or dropped.
pub(super) enum Turn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// The same steps on either database, with the statement as it reads there.
macro_rules! on {
    ($kind:ident, $held:expr, $sql:expr, |$query:ident, $pool:ident| $steps:expr) => {
        match $held {
            $kind::Sqlite($pool) => {
                let $query = AssertSqlSafe($sql.to_owned());
                $steps
            }
            $kind::Postgres($pool) => {
                let $query = AssertSqlSafe($sql.replace(" persons", " probity_keys.persons"));
                $steps
            }
        }
    };
}

impl Vault {
    pub(super) async fn open(database: &DatabaseUrl, keys: &Path) -> Result<Self, PersonError> {
        let wait = Duration::from_secs(WAIT_SECONDS_MAX);
        if let Some(options) = database.postgres() {
            let pool = PgPoolOptions::new()
                .max_connections(2)
                .acquire_timeout(wait);
            let options = options.clone().disable_statement_logging();
            return Ok(Self::Postgres(pool.connect_lazy_with(options)));
        }
        std::fs::create_dir_all(keys).map_err(|source| PersonError::File {
            path: keys.to_owned(),
            source,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(keys.join("persons.db"))
            .create_if_missing(true)
            .busy_timeout(wait)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Extra)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_with(options).await.map_err(StoreError::from)?;
        sqlx::query(CREATE)
            .execute(&pool)
            .await
            .map_err(StoreError::from)?;
        Ok(Self::Sqlite(pool))
    }

    /// The key of a person, by what it is found under.
    pub(super) async fn find(
        &self,
        tenant: &Tenant,
        lookup: [u8; 32],
    ) -> Result<Option<PersonRow>, PersonError> {
        let (tenant, lookup) = (tenant.to_string(), lookup.to_vec());
        let found: Result<Option<Columns>, sqlx::Error> = on!(Vault, self, FIND, |sql, pool| {
            sqlx::query_as(sql)
                .bind(tenant)
                .bind(lookup)
                .fetch_optional(pool)
                .await
        });
        found.map_err(StoreError::from)?.map(row).transpose()
    }

    /// The key that a token stands for.
    pub(super) async fn by_token(
        &self,
        token: PersonToken,
    ) -> Result<Option<PersonRow>, PersonError> {
        let token = token.to_vec();
        let found: Result<Option<Columns>, sqlx::Error> =
            on!(Vault, self, BY_TOKEN, |sql, pool| {
                sqlx::query_as(sql).bind(token).fetch_optional(pool).await
            });
        found.map_err(StoreError::from)?.map(row).transpose()
    }

    /// What stands for each person there is a key of.
    pub(super) async fn tokens(&self) -> Result<HashSet<PersonToken>, PersonError> {
        let found: Result<Vec<Vec<u8>>, sqlx::Error> = on!(Vault, self, TOKENS, |sql, pool| {
            sqlx::query_scalar(sql).fetch_all(pool).await
        });
        let found = found.map_err(StoreError::from)?.into_iter();
        found
            .map(|token| token.try_into().map_err(|_| PersonError::Changed))
            .collect()
    }

    /// With which key some key is wrapped; all are wrapped with the same.
    pub(super) async fn any_wrap(&self) -> Result<Option<[u8; 8]>, PersonError> {
        wrap(on!(Vault, self, ANY_WRAP, |sql, pool| {
            sqlx::query_scalar(sql).fetch_optional(pool).await
        }))
    }

    /// Takes a turn.
    pub(super) async fn turn(&self) -> Result<Turn, PersonError> {
        let turn = match self {
            Self::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Turn::Sqlite),
            Self::Postgres(pool) => pool.begin().await.map(Turn::Postgres),
        };
        let mut turn = turn.map_err(StoreError::from)?;
        if let Turn::Postgres(transaction) = &mut turn {
            let lock = AssertSqlSafe(LOCK.replace(" persons", " probity_keys.persons"));
            let locked = sqlx::query(lock).execute(&mut **transaction).await;
            locked.map_err(StoreError::from)?;
        }
        Ok(turn)
    }
}

impl Turn {
    pub(super) async fn any_wrap(&mut self) -> Result<Option<[u8; 8]>, PersonError> {
        wrap(on!(Turn, self, ANY_WRAP, |sql, held| {
            sqlx::query_scalar(sql).fetch_optional(&mut **held).await
        }))
    }

    pub(super) async fn find(
        &mut self,
        tenant: &Tenant,
        lookup: [u8; 32],
    ) -> Result<Option<PersonRow>, PersonError> {
        let (tenant, lookup) = (tenant.to_string(), lookup.to_vec());
        let found: Result<Option<Columns>, sqlx::Error> = on!(Turn, self, FIND, |sql, held| {
            sqlx::query_as(sql)
                .bind(tenant)
                .bind(lookup)
                .fetch_optional(&mut **held)
                .await
        });
        found.map_err(StoreError::from)?.map(row).transpose()
    }

    pub(super) async fn all(&mut self) -> Result<Vec<PersonRow>, PersonError> {
        let found: Result<Vec<Columns>, sqlx::Error> = on!(Turn, self, ALL, |sql, held| {
            sqlx::query_as(sql).fetch_all(&mut **held).await
        });
        found
            .map_err(StoreError::from)?
            .into_iter()
            .map(row)
            .collect()
    }

    pub(super) async fn insert(&mut self, row: PersonRow) -> Result<(), PersonError> {
        let done: Result<(), sqlx::Error> = on!(Turn, self, INSERT, |sql, held| {
            let query = sqlx::query(sql).bind(row.token.to_vec()).bind(row.tenant);
            let query = query.bind(row.lookup.to_vec()).bind(row.wrap.to_vec());
            query.bind(row.sealed).execute(&mut **held).await.map(drop)
        });
        Ok(done.map_err(StoreError::from)?)
    }

    /// Puts other rows in the place of all.
    pub(super) async fn replace(&mut self, rows: Vec<PersonRow>) -> Result<(), PersonError> {
        let done: Result<(), sqlx::Error> = on!(Turn, &mut *self, DELETE_ALL, |sql, held| {
            sqlx::query(sql).execute(&mut **held).await.map(drop)
        });
        done.map_err(StoreError::from)?;
        for row in rows {
            self.insert(row).await?;
        }
        Ok(())
    }

    /// Makes what was done durable.
    pub(super) async fn commit(self) -> Result<(), PersonError> {
        let done = match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        };
        Ok(done.map_err(StoreError::from)?)
    }
}

fn wrap(found: Result<Option<Vec<u8>>, sqlx::Error>) -> Result<Option<[u8; 8]>, PersonError> {
    let found = found.map_err(StoreError::from)?;
    found
        .map(|wrap| wrap.try_into().map_err(|_| PersonError::Changed))
        .transpose()
}

fn row(columns: Columns) -> Result<PersonRow, PersonError> {
    let (token, tenant, lookup, wrap, sealed) = columns;
    let changed = |_| PersonError::Changed;
    Ok(PersonRow {
        token: token.try_into().map_err(changed)?,
        tenant,
        lookup: lookup.try_into().map_err(changed)?,
        wrap: wrap.try_into().map_err(changed)?,
        sealed,
    })
}
