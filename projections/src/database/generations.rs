//! The generations of views: which is read, which is built beside it, and how the one takes the other's place.
//!
//! A view's rows live in `<view>_v<version>_g<generation>`; its pointer says which generation is read, and which is being
//! built beside it. Moving the pointer is the whole of a swap.

use super::{Database, Session};
use crate::error::ViewError;
use crate::value::{Kind, Value};
use crate::view::Definition;

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
    /// What a follower has to follow: of each view the generation that is read (`true`), and the one being built.
    pub(crate) async fn targets(
        &self,
        views: &'static [Definition],
    ) -> Result<Vec<(Target, bool)>, ViewError> {
        let mut session = self.read().await?;
        let table = session.name("pointers");
        let sql = format!("SELECT view, version, live, building FROM {table}");
        let kinds = [Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer];
        let rows = session.fetch(&sql, Vec::new(), &kinds).await?;
        session.rollback().await?;
        let mut targets = Vec::with_capacity(views.len());
        for view in views {
            let named = name(view);
            let row = rows.iter().find(|row| row.starts_with(&named));
            let Some([_, _, Value::Integer(live), Value::Integer(building)]) =
                row.map(Vec::as_slice)
            else {
                return Err(ViewError::Corrupt { what: "a pointer" });
            };
            targets.push((Target::new(view, *live), true));
            if *building != 0 {
                targets.push((Target::new(view, *building), false));
            }
        }
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
}

fn name(view: &'static Definition) -> [Value; 2] {
    [Value::text(view.name), Value::Integer(view.version.into())]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
