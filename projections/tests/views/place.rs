//! Where a story keeps its views: a fresh directory with SQLite, and a fresh database of the PostgreSQL server.

use crate::log::Logs;
use probity_ledger::store::DatabaseUrl;
use probity_projections::views::{Views, ViewsConfig};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A place for views that is nobody else's.
pub(crate) struct Place {
    pub(crate) config: ViewsConfig,
    directory: TempDir,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// One place of each kind.
pub(crate) async fn both() -> [Place; 2] {
    [Place::sqlite(), Place::postgres().await]
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = ViewsConfig {
            data: directory.path().to_owned(),
            database: DatabaseUrl::sqlite(directory.path().join("records.db")),
        };
        Self { config, directory }
    }

    async fn postgres() -> Self {
        let server = std::env::var("PROBITY_TEST_POSTGRES").expect(
            "PROBITY_TEST_POSTGRES must name a PostgreSQL server, e.g. postgres://postgres@127.0.0.1:5432/postgres",
        );
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("probity_views_{}_{number}", std::process::id());
        let admin = sqlx::PgPool::connect(&server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&admin)
                .await
                .unwrap();
        }
        admin.close().await;
        let (host, _) = server.rsplit_once('/').unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = ViewsConfig {
            data: directory.path().to_owned(),
            database: format!("{host}/{name}").parse().unwrap(),
        };
        Self { config, directory }
    }

    /// Opens the views of these logs.
    pub(crate) async fn open(&self, logs: &Logs) -> Views {
        Views::open(&self.config, logs.clone()).await.unwrap()
    }

    /// Opens them and follows to the end.
    pub(crate) async fn follow(&self, logs: &Logs) -> Views {
        let views = self.open(logs).await;
        views.catch_up().await.unwrap();
        views
    }

    /// Deletes everything that views keep.
    pub(crate) async fn wipe(&self) {
        match self.config.database.postgres() {
            None => {
                for name in ["views.db", "views.db-wal", "views.db-shm"] {
                    let _ = std::fs::remove_file(self.directory.path().join(name));
                }
            }
            Some(_) => self.execute("DROP SCHEMA probity_views CASCADE").await,
        }
    }

    /// Changes what views keep behind their back.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self.config.database.postgres() {
            None => {
                let file = self.directory.path().join("views.db");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                sqlx::query(sql).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Some(options) => {
                let pool = sqlx::PgPool::connect_with(options.clone()).await.unwrap();
                sqlx::query(sql).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
    }

    /// A table's full name.
    pub(crate) fn table(&self, name: &str) -> String {
        match self.config.database.postgres() {
            None => name.to_owned(),
            Some(_) => format!("probity_views.{name}"),
        }
    }
}
