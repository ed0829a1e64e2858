//! Reading a view: lists narrowed by a filter, one row by its key, a count. Every answer comes with the position it was
//! read at, both at one moment.

use crate::database::{Database, Session, Target};
use crate::error::{NotYet, ViewError};
use crate::limits::PAGE_ROWS_MAX;
use crate::position::{POSITION_KINDS, Position};
use crate::progress::Board;
use crate::value::{Kind, Value};
use crate::view::{Cells, Definition, Key, Row, View};
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use std::marker::PhantomData;
use std::time::Duration;
use tokio::time::Instant;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most; more than [`PAGE_ROWS_MAX`] is read as that.
    pub limit: u32,
    /// Rows to leave out first. To go through a long list, narrow it by `before` instead.
    pub offset: u32,
}

impl Page {
    /// The first rows.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { limit, offset: 0 }
    }
}

/// Which workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Workspace {
    /// All of them.
    #[default]
    Any,
    /// The tenant's default one: records that name none.
    Default,
    /// The one of this name.
    Named(String),
}

/// A view that can be listed.
pub trait Listed: View {
    /// What a list can be narrowed by.
    type Filter: Sync;

    /// The order of a list, as in `ORDER BY`.
    const ORDER: &'static str;

    /// Adds what the filter asks for.
    fn narrow(filter: &Self::Filter, conditions: &mut Conditions);
}

/// The conditions of a list; all must hold.
#[derive(Debug)]
pub struct Conditions {
    view: &'static Definition,
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn new(view: &'static Definition, tenant: &Tenant) -> Self {
        Self {
            view,
            sql: "tenant = ?".to_owned(),
            values: vec![Value::text(tenant.as_str())],
        }
    }

    /// The column is this text, if one is asked for.
    pub fn equal(&mut self, column: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.one_of(column, [text]);
        }
    }

    /// The column is one of these texts; none asked for means any.
    pub fn one_of<'a>(&mut self, column: &'static str, texts: impl IntoIterator<Item = &'a str>) {
        let texts: Vec<Value> = texts
            .into_iter()
            .map(|text| self.view.comparable(column, Value::text(text)))
            .collect();
        if texts.is_empty() {
            return;
        }
        let marks = vec!["?"; texts.len()].join(", ");
        self.sql
            .push_str(&format!(" AND \"{column}\" IN ({marks})"));
        self.values.extend(texts);
    }

    /// The column is this flag, if one is asked for.
    pub fn flag(&mut self, column: &'static str, wanted: Option<bool>) {
        if let Some(wanted) = wanted {
            self.sql.push_str(&format!(" AND \"{column}\" = ?"));
            self.values.push(Value::Integer(wanted.into()));
        }
    }

    /// The column is empty.
    pub fn absent(&mut self, column: &'static str) {
        self.sql.push_str(&format!(" AND \"{column}\" IS NULL"));
    }

    /// The column is not empty.
    pub fn present(&mut self, column: &'static str) {
        self.sql.push_str(&format!(" AND \"{column}\" IS NOT NULL"));
    }

    /// The column, a text, is not before `since` and before `until`, byte by byte.
    pub fn between(&mut self, column: &'static str, since: Option<&str>, until: Option<&str>) {
        for (operator, text) in [(">=", since), ("<", until)] {
            if let Some(text) = text {
                self.sql
                    .push_str(&format!(" AND \"{column}\" {operator} ?"));
                self.values
                    .push(self.view.comparable(column, Value::text(text)));
            }
        }
    }

    /// The column, a time, is not before `since` and before `until`.
    pub fn within(&mut self, column: &'static str, since: Option<Time>, until: Option<Time>) {
        for (operator, time) in [(">=", since), ("<", until)] {
            if let Some(time) = time {
                self.sql
                    .push_str(&format!(" AND \"{column}\" {operator} ?"));
                self.values.push(Value::Integer(time.micros()));
            }
        }
    }

    /// The row comes from a record before this sequence.
    pub fn before(&mut self, sequence: Option<u64>) {
        if let Some(sequence) = sequence {
            self.sql.push_str(" AND \"sequence\" < ?");
            let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
            self.values.push(Value::Integer(sequence));
        }
    }

    /// The row is of this workspace.
    pub fn workspace(&mut self, workspace: &Workspace) {
        match workspace {
            Workspace::Any => {}
            Workspace::Default => self.absent("workspace"),
            Workspace::Named(name) => self.equal("workspace", Some(name)),
        }
    }
}

/// Reads one view. Lives as long as the views it was asked of.
#[derive(Debug)]
pub struct Query<'a, V> {
    database: &'a Database,
    board: &'a Board,
    view: PhantomData<V>,
}

impl<'a, V: View> Query<'a, V> {
    pub(crate) const fn new(database: &'a Database, board: &'a Board) -> Self {
        Self {
            database,
            board,
            view: PhantomData,
        }
    }

    /// Waits until this view has applied a log's first `size` records.
    ///
    /// # Errors
    /// [`NotYet`] when it takes longer, or when the view stopped before.
    pub async fn wait(
        &self,
        tenant: &Tenant,
        size: u64,
        timeout: Duration,
    ) -> Result<Position, NotYet> {
        let deadline = Instant::now() + timeout;
        self.board.wait_for(V::NAME, tenant, size, deadline).await
    }

    /// The row of a key.
    pub(crate) async fn row(
        &self,
        tenant: &Tenant,
        key: Key,
    ) -> Result<(Option<V::Row>, Position), ViewError> {
        let view = const { &Definition::of::<V>() };
        let columns = view.columns.iter().take(view.keys);
        let conditions = columns.zip(key).fold(
            Conditions::new(view, tenant),
            |mut conditions, (column, value)| {
                conditions
                    .sql
                    .push_str(&format!(" AND \"{}\" = ?", column.name));
                conditions.values.push(view.comparable(column.name, value));
                conditions
            },
        );
        let (rows, position) = self.select(tenant, conditions, "LIMIT 1").await?;
        Ok((rows.into_iter().next(), position))
    }

    async fn select(
        &self,
        tenant: &Tenant,
        conditions: Conditions,
        tail: &str,
    ) -> Result<(Vec<V::Row>, Position), ViewError> {
        let (mut session, target, position) = open(self.database, conditions.view, tenant).await?;
        let rest = format!(
            "FROM {} WHERE {} {tail}",
            session.name(&target.table),
            conditions.sql
        );
        let rows = session.rows(&target, &rest, conditions.values).await?;
        session.rollback().await?;
        let rows: Result<Vec<_>, _> = rows.into_iter().map(read_row::<V>).collect();
        Ok((rows?, position))
    }
}

impl<V: Listed> Query<'_, V> {
    /// A list, in the view's order.
    ///
    /// # Errors
    /// [`ViewError`] when the views' database does not answer, or holds what was never written.
    pub async fn list(
        &self,
        tenant: &Tenant,
        filter: &V::Filter,
        page: &Page,
    ) -> Result<(Vec<V::Row>, Position), ViewError> {
        let conditions = self.conditions(tenant, filter);
        let (order, offset) = (V::ORDER, page.offset);
        let limit = page.limit.min(PAGE_ROWS_MAX);
        let tail = format!("ORDER BY {order} LIMIT {limit} OFFSET {offset}");
        self.select(tenant, conditions, &tail).await
    }

    /// The whole list; for views that are bounded like the register they show.
    pub(crate) async fn every(
        &self,
        tenant: &Tenant,
        filter: &V::Filter,
    ) -> Result<(Vec<V::Row>, Position), ViewError> {
        let tail = format!("ORDER BY {}", V::ORDER);
        self.select(tenant, self.conditions(tenant, filter), &tail)
            .await
    }

    /// How many rows a list has, all pages together.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn count(
        &self,
        tenant: &Tenant,
        filter: &V::Filter,
    ) -> Result<(u64, Position), ViewError> {
        let conditions = self.conditions(tenant, filter);
        let (rows, position) = self
            .aggregate(tenant, conditions, "COUNT(*)", "", &[Kind::Integer])
            .await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Integer(count)]) => Ok((u64::try_from(*count).unwrap_or(0), position)),
            _ => Err(ViewError::Corrupt { what: "a count" }),
        }
    }

    /// Sums and counts over a list.
    pub(crate) async fn aggregate(
        &self,
        tenant: &Tenant,
        conditions: Conditions,
        columns: &str,
        tail: &str,
        kinds: &[Kind],
    ) -> Result<(Vec<Cells>, Position), ViewError> {
        let (mut session, target, position) = open(self.database, conditions.view, tenant).await?;
        let sql = format!(
            "SELECT {columns} FROM {} WHERE {} {tail}",
            session.name(&target.table),
            conditions.sql
        );
        let rows = session.fetch(&sql, conditions.values, kinds).await?;
        session.rollback().await?;
        Ok((rows, position))
    }

    /// The conditions of a filter.
    pub(crate) fn conditions(&self, tenant: &Tenant, filter: &V::Filter) -> Conditions {
        let mut conditions = Conditions::new(const { &Definition::of::<V>() }, tenant);
        V::narrow(filter, &mut conditions);
        conditions
    }
}

/// Begins to read the live generation of a view, with the position it stands at.
pub(crate) async fn open(
    database: &Database,
    view: &'static Definition,
    tenant: &Tenant,
) -> Result<(Session, Target, Position), ViewError> {
    let mut session = database.read().await?;
    let (pointers, positions) = (session.name("pointers"), session.name("positions"));
    let sql = format!(
        "SELECT q.log_id, q.size, q.leaf, p.live FROM {pointers} p \
         LEFT JOIN {positions} q ON q.target = CAST(? AS TEXT) || CAST(p.live AS TEXT) AND q.tenant = ? \
         WHERE p.view = ? AND p.version = ?"
    );
    let values = vec![
        Value::Text(format!("{}_v{}_g", view.name, view.version)),
        Value::text(tenant.as_str()),
        Value::text(view.name),
        Value::Integer(view.version.into()),
    ];
    let kinds = [POSITION_KINDS.as_slice(), &[Kind::Integer]].concat();
    let missing = ViewError::Corrupt { what: "a pointer" };
    let mut row = session
        .fetch(&sql, values, &kinds)
        .await?
        .into_iter()
        .next()
        .ok_or(missing)?;
    let Some(Value::Integer(live)) = row.pop() else {
        return Err(ViewError::Corrupt { what: "a pointer" });
    };
    Ok((session, Target::new(view, live), Position::from_cells(row)?))
}

fn read_row<V: View>(cells: Cells) -> Result<V::Row, ViewError> {
    V::Row::from_cells(cells).map_err(|column| ViewError::BadRow {
        view: V::NAME,
        column,
    })
}
