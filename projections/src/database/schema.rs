//! The tables: three that keep the books (pointers, positions, parked keys), and one for each generation of a view.
//!
//! A view's rows live in `<view>_v<version>_g<generation>`; its pointer says which generation is read, and which is being
//! built beside it. Moving the pointer is the whole of a swap.

use super::{Database, Session};
use crate::error::ViewError;
use crate::value::{Kind, Value};
use crate::view::{Column, Definition};
use probity_schemas::subject::Tenant;

/// One generation of a view: what a follower writes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) view: &'static Definition,
    pub(crate) table: String,
}

/// Which generations of a view there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// The one that is read.
    pub(crate) live: i64,
    /// The one that is being built; 0 when there is none.
    pub(crate) building: i64,
}

impl Target {
    pub(crate) fn new(view: &'static Definition, generation: i64) -> Self {
        let table = format!("{}_v{}_g{generation}", view.name, view.version);
        Self { view, table }
    }

    /// The columns, for a statement.
    pub(crate) fn columns(&self, prefix: &str) -> String {
        let names = self.view.columns.iter();
        let names: Vec<String> = names
            .map(|column| format!("{prefix}\"{}\"", column.name))
            .collect();
        names.join(", ")
    }

    /// The columns' kinds.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.view.columns.iter().map(|column| column.kind).collect()
    }
}

impl Database {
    /// Makes the books' tables. Two nodes may do so at once; the slower one finds them made.
    pub(super) async fn prepared(self) -> Result<Self, ViewError> {
        for last in [false, false, true] {
            match self.prepare().await {
                Err(_) if !last => {}
                done => {
                    done?;
                    break;
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

    /// What a follower has to follow: of each view the generation that is read (`true`), and the one being built.
    pub(crate) async fn targets(
        &self,
        views: &'static [Definition],
    ) -> Result<Vec<(Target, bool)>, ViewError> {
        let mut session = self.read().await?;
        let mut targets = Vec::with_capacity(views.len());
        for view in views {
            let missing = ViewError::Corrupt { what: "a pointer" };
            let pointer = session.pointer(view).await?.ok_or(missing)?;
            targets.push((Target::new(view, pointer.live), true));
            if pointer.building != 0 {
                targets.push((Target::new(view, pointer.building), false));
            }
        }
        session.rollback().await?;
        Ok(targets)
    }

    /// The view's pointer; with its first generation when the view is new. Drops what an earlier pointer left behind.
    pub(crate) async fn adopt(&self, view: &'static Definition) -> Result<Pointer, ViewError> {
        let mut session = self.write().await?;
        session.alone().await?;
        let known = session.pointer(view).await?;
        let pointer = match known {
            Some(pointer) => {
                session.sweep(view, pointer).await?;
                pointer
            }
            None => {
                session.create(&Target::new(view, 1)).await?;
                let table = session.name("pointers");
                let sql = format!(
                    "INSERT INTO {table} (view, version, live, building) VALUES (?, ?, 1, 0) ON CONFLICT DO NOTHING"
                );
                session.execute(&sql, name(view).to_vec()).await?;
                Pointer {
                    live: 1,
                    building: 0,
                }
            }
        };
        session.commit().await?;
        Ok(pointer)
    }
}

impl Session {
    /// Lets no other node make or drop a view's tables until the session ends; on SQLite no writer is beside this one.
    async fn alone(&mut self) -> Result<(), ViewError> {
        if let Self::Postgres(_) = self {
            let sql = format!(
                "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
                self.name("pointers")
            );
            self.execute(&sql, Vec::new()).await?;
        }
        Ok(())
    }

    /// The view's pointer, if the view is not new.
    pub(crate) async fn pointer(
        &mut self,
        view: &'static Definition,
    ) -> Result<Option<Pointer>, ViewError> {
        let table = self.name("pointers");
        let sql = format!("SELECT live, building FROM {table} WHERE view = ? AND version = ?");
        let kinds = [Kind::Integer, Kind::Integer];
        let rows = self.fetch(&sql, name(view).to_vec(), &kinds).await?;
        match rows.first().map(Vec::as_slice) {
            None => Ok(None),
            Some([Value::Integer(live), Value::Integer(building)]) => Ok(Some(Pointer {
                live: *live,
                building: *building,
            })),
            Some(_) => Err(ViewError::Corrupt { what: "a pointer" }),
        }
    }

    /// Begins a generation beside the live one, or joins the one that was begun.
    pub(crate) async fn begin_generation(
        &mut self,
        view: &'static Definition,
    ) -> Result<Pointer, ViewError> {
        self.alone().await?;
        let table = self.name("pointers");
        let sql = format!(
            "UPDATE {table} SET building = live + 1 WHERE view = ? AND version = ? AND building = 0"
        );
        let begun = self.execute(&sql, name(view).to_vec()).await?;
        let missing = ViewError::Corrupt { what: "a pointer" };
        let pointer = self.pointer(view).await?.ok_or(missing)?;
        if begun > 0 {
            self.sweep(view, pointer).await?;
            self.create(&Target::new(view, pointer.building)).await?;
        }
        Ok(pointer)
    }

    /// Makes the generation that was built the live one; `false` when somebody else did.
    pub(crate) async fn swap_generation(
        &mut self,
        view: &'static Definition,
        pointer: Pointer,
    ) -> Result<bool, ViewError> {
        let table = self.name("pointers");
        let sql = format!(
            "UPDATE {table} SET live = building, building = 0 WHERE view = ? AND version = ? AND live = ? AND building = ?"
        );
        let mut values = name(view).to_vec();
        values.extend([pointer.live, pointer.building].map(Value::Integer));
        Ok(self.execute(&sql, values).await? == 1)
    }

    /// Drops the generation before the live one and all older versions. Not done at a swap itself: somebody may still be
    /// reading it.
    async fn sweep(
        &mut self,
        view: &'static Definition,
        pointer: Pointer,
    ) -> Result<(), ViewError> {
        self.drop_table(&Target::new(view, pointer.live - 1).table)
            .await?;
        let table = self.name("pointers");
        let old =
            format!("SELECT version, live, building FROM {table} WHERE view = ? AND version < ?");
        let kinds = [Kind::Integer, Kind::Integer, Kind::Integer];
        for row in self.fetch(&old, name(view).to_vec(), &kinds).await? {
            let [
                Value::Integer(version),
                Value::Integer(live),
                Value::Integer(building),
            ] = row[..]
            else {
                return Err(ViewError::Corrupt { what: "a pointer" });
            };
            for generation in [live - 1, live, building] {
                self.drop_table(&format!("{}_v{version}_g{generation}", view.name))
                    .await?;
            }
        }
        let forget = format!("DELETE FROM {table} WHERE view = ? AND version < ?");
        self.execute(&forget, name(view).to_vec()).await?;
        Ok(())
    }

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

    async fn drop_table(&mut self, target: &str) -> Result<(), ViewError> {
        let sql = format!("DROP TABLE IF EXISTS {}", self.name(target));
        self.execute(&sql, Vec::new()).await?;
        for book in ["positions", "parked"] {
            let sql = format!("DELETE FROM {} WHERE target = ?", self.name(book));
            self.execute(&sql, vec![Value::text(target)]).await?;
        }
        Ok(())
    }

    async fn create(&mut self, target: &Target) -> Result<(), ViewError> {
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

fn name(view: &'static Definition) -> [Value; 2] {
    [Value::text(view.name), Value::Integer(view.version.into())]
}
