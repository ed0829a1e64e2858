//! The tables: three that keep the books (pointers, positions, parked keys), and one for each generation of a view.

use super::{Database, Session, Target};
use crate::error::ViewError;
use crate::value::{Kind, Value};
use crate::view::Column;
use probity_schemas::subject::Tenant;

impl Database {
    /// Makes the books' tables. Two nodes may do so at once; the slower one finds them made.
    pub(super) async fn prepared(self) -> Result<Self, ViewError> {
        for last in [false, false, true] {
            match self.prepare().await {
                Ok(()) => break,
                Err(_) if !last => {}
                Err(error) => {
                    self.close().await;
                    return Err(error);
                }
            }
        }
        Ok(self)
    }

    async fn prepare(&self) -> Result<(), ViewError> {
        let mut session = self.write().await?;
        if let Session::Postgres(_) = session {
            let schema = "CREATE SCHEMA IF NOT EXISTS probity_views";
            session.execute(schema, Vec::new()).await?;
        }
        let text = session.text();
        for (table, columns, key) in [
            (
                "pointers",
                format!(
                    "view {text}, version BIGINT NOT NULL, live BIGINT NOT NULL, building BIGINT NOT NULL"
                ),
                "view, version",
            ),
            (
                "positions",
                format!(
                    "target {text}, tenant {text}, log_id {text}, size BIGINT NOT NULL, leaf {text}, parked BIGINT NOT NULL"
                ),
                "target, tenant",
            ),
            (
                "parked",
                format!(
                    "target {text}, tenant {text}, key {text}, sequence BIGINT NOT NULL, error {text}, attempts BIGINT NOT NULL"
                ),
                "target, tenant, key, sequence",
            ),
        ] {
            let name = session.name(table);
            let sql = format!("CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({key}))");
            session.execute(&sql, Vec::new()).await?;
        }
        Ok(session.commit().await?)
    }
}

impl Session {
    /// Drops what a target holds of a tenant, but for its position.
    pub(crate) async fn clear(
        &mut self,
        target: &Target,
        tenant: &Tenant,
    ) -> Result<(), ViewError> {
        let sql = format!("DELETE FROM {} WHERE tenant = ?", self.name(&target.table));
        self.execute(&sql, vec![Value::text(tenant.as_str())])
            .await?;
        let place = vec![Value::text(&target.table), Value::text(tenant.as_str())];
        let sql = format!(
            "DELETE FROM {} WHERE target = ? AND tenant = ?",
            self.name("parked")
        );
        self.execute(&sql, place.clone()).await?;
        let sql = format!(
            "UPDATE {} SET parked = 0 WHERE target = ? AND tenant = ?",
            self.name("positions")
        );
        self.execute(&sql, place).await.map(drop)
    }

    pub(super) async fn drop_table(&mut self, target: &str) -> Result<(), ViewError> {
        let sql = format!("DROP TABLE IF EXISTS {}", self.name(target));
        self.execute(&sql, Vec::new()).await?;
        for book in ["positions", "parked"] {
            let sql = format!("DELETE FROM {} WHERE target = ?", self.name(book));
            self.execute(&sql, vec![Value::text(target)]).await?;
        }
        Ok(())
    }

    pub(super) async fn create(&mut self, target: &Target) -> Result<(), ViewError> {
        let text = self.text();
        let column = |at: usize, column: &Column| {
            let null = if at < target.view.keys {
                " NOT NULL"
            } else {
                ""
            };
            match column.kind {
                Kind::Integer => format!("\"{}\" BIGINT{null}", column.name),
                Kind::Text => format!(
                    "\"{}\" {}{null}",
                    column.name,
                    text.trim_end_matches(" NOT NULL")
                ),
            }
        };
        let columns = target.view.columns.iter().enumerate();
        let columns: Vec<String> = columns.map(|(at, one)| column(at, one)).collect();
        let keys: Vec<&str> = target.view.columns[..target.view.keys]
            .iter()
            .map(|key| key.name)
            .collect();
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} (tenant {text}, {}, PRIMARY KEY (tenant, {}))",
            self.name(&target.table),
            columns.join(", "),
            quoted(&keys),
        );
        self.execute(&sql, Vec::new()).await?;
        for (at, index) in target.view.indexes.iter().enumerate() {
            let table = &target.table;
            let sql = format!(
                "CREATE INDEX IF NOT EXISTS {table}_{at} ON {} (tenant, {})",
                self.name(table),
                quoted(index)
            );
            self.execute(&sql, Vec::new()).await?;
        }
        Ok(())
    }

    /// A text column that cannot be empty, compared byte by byte whatever the database's language.
    const fn text(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "TEXT NOT NULL",
            Self::Postgres(_) => "TEXT COLLATE \"C\" NOT NULL",
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}
