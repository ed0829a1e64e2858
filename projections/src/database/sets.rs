//! Rows by the batch: loaded in one query, written in one statement. PostgreSQL takes a column as one array; SQLite
//! takes rows as `VALUES`, in runs of powers of two so that few statements need preparing.

use super::{Session, postgres_cells, sqlite_cells};
use crate::database::Target;
use crate::error::ViewError;
use crate::limits::STATEMENT_ROWS_MAX;
use crate::value::{Kind, Value};
use crate::view::{Cells, Column, Key};
use probity_schemas::subject::Tenant;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

impl Session {
    /// The rows of these keys, those that are there.
    pub(crate) async fn load(
        &mut self,
        target: &Target,
        tenant: &Tenant,
        keys: &[&Key],
    ) -> Result<Vec<Cells>, ViewError> {
        let key_columns = &target.view.columns[..target.view.keys];
        let kinds = target.kinds();
        let table = self.name(&target.table);
        let mut rows = Vec::with_capacity(keys.len());
        match self {
            Self::Sqlite(transaction) => {
                for run in runs(keys) {
                    let sql = sqlite_load(&table, target, run.len());
                    let values = run.iter().flat_map(|key| key.iter().cloned());
                    let query = bind!(sqlx::query(AssertSqlSafe(sql)), values);
                    let query = query.bind(tenant.as_str().to_owned());
                    for row in query.fetch_all(&mut **transaction).await? {
                        rows.push(sqlite_cells(&row, &kinds)?);
                    }
                }
            }
            Self::Postgres(transaction) if !keys.is_empty() => {
                let sql = postgres_load(&table, target);
                let query = sqlx::query(AssertSqlSafe(sql)).bind(tenant.as_str().to_owned());
                let keys = keys.iter().map(|key| key.as_slice());
                let query = bind_columns(query, key_columns, keys);
                for row in query.fetch_all(&mut **transaction).await? {
                    rows.push(postgres_cells(&row, &kinds)?);
                }
            }
            Self::Postgres(_) => {}
        }
        Ok(rows)
    }

    /// Writes rows, in place of those of the same key.
    pub(crate) async fn upsert(
        &mut self,
        target: &Target,
        tenant: &Tenant,
        rows: &[Cells],
    ) -> Result<(), ViewError> {
        let table = self.name(&target.table);
        match self {
            Self::Sqlite(transaction) => {
                for run in runs(rows) {
                    let one = format!("(?{})", ", ?".repeat(target.view.columns.len()));
                    let values = vec![one; run.len()].join(", ");
                    let sql = upsert_sql(&table, target, &format!("VALUES {values}"));
                    let tenant = Value::text(tenant.as_str());
                    let row = |row: &Cells| [vec![tenant.clone()], row.clone()].concat();
                    let query = bind!(sqlx::query(AssertSqlSafe(sql)), run.iter().flat_map(row));
                    query.execute(&mut **transaction).await?;
                }
            }
            Self::Postgres(transaction) if !rows.is_empty() => {
                let source = format!("SELECT $1::text, * FROM {}", unnest(target.view.columns));
                let sql = upsert_sql(&table, target, &source);
                let query = sqlx::query(AssertSqlSafe(sql)).bind(tenant.as_str().to_owned());
                let rows = rows.iter().map(Vec::as_slice);
                let query = bind_columns(query, target.view.columns, rows);
                query.execute(&mut **transaction).await?;
            }
            Self::Postgres(_) => {}
        }
        Ok(())
    }
}

/// Cuts a slice into runs whose lengths are powers of two, the longest first.
fn runs<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = STATEMENT_ROWS_MAX.min(1 << items.len().checked_ilog2()?);
        let (run, rest) = items.split_at(length);
        items = rest;
        Some(run)
    })
}

fn sqlite_load(table: &str, target: &Target, keys: usize) -> String {
    let width = target.view.keys;
    let one = format!("(?{})", ", ?".repeat(width - 1));
    let wanted = vec![one; keys].join(", ");
    let matches: Vec<String> = (1..=width)
        .zip(target.view.columns)
        .map(|(at, column)| format!("t.\"{}\" = w.column{at}", column.name))
        .collect();
    let columns = target.columns("t.");
    let matches = matches.join(" AND ");
    format!(
        "SELECT {columns} FROM (VALUES {wanted}) w CROSS JOIN {table} t ON t.tenant = ? AND {matches}"
    )
}

fn postgres_load(table: &str, target: &Target) -> String {
    let keys = &target.view.columns[..target.view.keys];
    let names: Vec<String> = keys.iter().map(|key| format!("\"{}\"", key.name)).collect();
    let matches: Vec<String> = names
        .iter()
        .map(|key| format!("t.{key} = w.{key}"))
        .collect();
    let (columns, names, matches) = (
        target.columns("t."),
        names.join(", "),
        matches.join(" AND "),
    );
    format!(
        "SELECT {columns} FROM {} AS w({names}) JOIN {table} t ON t.tenant = $1 AND {matches}",
        unnest(keys)
    )
}

/// `unnest` of one array a column, from `$2` on.
fn unnest(columns: &[Column]) -> String {
    let array = |(at, column): (usize, &Column)| match column.kind {
        Kind::Text => format!("${}::text[]", at + 2),
        Kind::Integer => format!("${}::bigint[]", at + 2),
    };
    let arrays: Vec<String> = columns.iter().enumerate().map(array).collect();
    format!("unnest({})", arrays.join(", "))
}

fn upsert_sql(table: &str, target: &Target, source: &str) -> String {
    let quoted = |column: &Column| format!("\"{}\"", column.name);
    let (keys, rest) = target.view.columns.split_at(target.view.keys);
    let keys: Vec<String> = keys.iter().map(quoted).collect();
    let set: Vec<String> = rest
        .iter()
        .map(|column| format!("{0} = excluded.{0}", quoted(column)))
        .collect();
    let (columns, keys, set) = (target.columns(""), keys.join(", "), set.join(", "));
    format!(
        "INSERT INTO {table} (tenant, {columns}) {source} ON CONFLICT (tenant, {keys}) DO UPDATE SET {set}"
    )
}

/// Binds rows as one array a column.
fn bind_columns<'q, 'a>(
    mut query: Query<'q, Postgres, PgArguments>,
    columns: &[Column],
    rows: impl Iterator<Item = &'a [Value]> + Clone,
) -> Query<'q, Postgres, PgArguments> {
    for (at, column) in columns.iter().enumerate() {
        let values = rows.clone().map(|row| row.get(at));
        query = match column.kind {
            Kind::Text => query.bind(
                values
                    .map(|value| match value {
                        Some(Value::Text(text)) => Some(text.clone()),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
            Kind::Integer => query.bind(
                values
                    .map(|value| match value {
                        Some(Value::Integer(number)) => Some(*number),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            ),
        };
    }
    query
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn runs_cover_every_row_once() {
        for count in [0, 1, 2, 3, 127, 128, 129, 300] {
            let items: Vec<usize> = (0..count).collect();
            let lengths: Vec<usize> = runs(&items).map(<[usize]>::len).collect();
            assert!(
                lengths
                    .iter()
                    .all(|length| length.is_power_of_two() && *length <= 128)
            );
            assert_eq!(runs(&items).flatten().copied().collect::<Vec<_>>(), items);
        }
    }
}
