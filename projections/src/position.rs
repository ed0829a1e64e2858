//! Where a view stands in a log, and the one statement that moves it there: a compare-and-swap that either is this
//! follower's, together with the rows, or is not at all.

use crate::database::Session;
use crate::error::ViewError;
use crate::value::{Kind, Value};
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use serde::Serialize;

/// How far a view has come in one log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The log's own id, from its record 0; empty before a record was applied.
    pub log_id: String,
    /// How many records were applied.
    pub size: u64,
    /// The leaf hash of the last of them.
    pub leaf: Hash,
}

impl Position {
    /// Before record 0.
    #[must_use]
    pub fn start(log_id: &str) -> Self {
        Self {
            log_id: log_id.to_owned(),
            size: 0,
            leaf: Hash::EMPTY,
        }
    }

    /// Reads the three columns of a position; a view that never saw the log has none.
    pub(crate) fn from_cells(cells: Vec<Value>) -> Result<Self, ViewError> {
        let mut cells = cells.into_iter();
        match (cells.next(), cells.next(), cells.next()) {
            (Some(Value::Text(log_id)), Some(Value::Integer(size)), Some(Value::Text(leaf))) => {
                Ok(Self {
                    log_id,
                    size: u64::try_from(size).map_err(|_| BAD_POSITION)?,
                    leaf: leaf.parse().map_err(|_| BAD_POSITION)?,
                })
            }
            (Some(Value::Null), Some(Value::Null), Some(Value::Null)) => Ok(Self::start("")),
            _ => Err(BAD_POSITION),
        }
    }

    fn values(&self) -> Result<[Value; 3], ViewError> {
        let size = i64::try_from(self.size).map_err(|_| BAD_POSITION)?;
        Ok([
            Value::Text(self.log_id.clone()),
            Value::Integer(size),
            Value::Text(self.leaf.to_string()),
        ])
    }
}

/// The columns of a position, in the order of [`Position::from_cells`].
pub(crate) const POSITION_KINDS: [Kind; 3] = [Kind::Text, Kind::Integer, Kind::Text];

const BAD_POSITION: ViewError = ViewError::Corrupt { what: "a position" };

/// The position of a target in a tenant's log; made, at the start, when there is none.
pub(crate) async fn open(
    session: &mut Session,
    target: &str,
    tenant: &Tenant,
    log_id: &str,
) -> Result<Position, ViewError> {
    let table = session.name("positions");
    let [id, size, leaf] = Position::start(log_id).values()?;
    let place = [Value::text(target), Value::text(tenant.as_str())];
    let mut values = place.to_vec();
    values.extend([id, size, leaf]);
    let insert = format!(
        "INSERT INTO {table} (target, tenant, log_id, size, leaf, parked) VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING"
    );
    session.execute(&insert, values).await?;
    let select = format!("SELECT log_id, size, leaf FROM {table} WHERE target = ? AND tenant = ?");
    let row = session
        .fetch(&select, place.to_vec(), &POSITION_KINDS)
        .await?;
    Position::from_cells(row.into_iter().next().ok_or(BAD_POSITION)?)
}

/// Moves a target on, if it still stands where this follower believes. Gives the number of parked keys, or `None` when
/// another follower was faster. Holds the position's row until the session ends.
pub(crate) async fn swap(
    session: &mut Session,
    target: &str,
    tenant: &Tenant,
    from: &Position,
    to: &Position,
) -> Result<Option<u64>, ViewError> {
    let table = session.name("positions");
    let sql = format!(
        "UPDATE {table} SET log_id = ?, size = ?, leaf = ? WHERE target = ? AND tenant = ? AND log_id = ? AND size = ? \
         AND leaf = ? RETURNING parked"
    );
    let mut values = to.values()?.to_vec();
    values.extend([Value::text(target), Value::text(tenant.as_str())]);
    values.extend(from.values()?);
    let rows = session.fetch(&sql, values, &[Kind::Integer]).await?;
    match rows.into_iter().next().as_deref() {
        None => Ok(None),
        Some([Value::Integer(parked)]) => {
            Ok(Some(u64::try_from(*parked).map_err(|_| BAD_POSITION)?))
        }
        Some(_) => Err(BAD_POSITION),
    }
}

/// Holds the position's row until the session ends, without moving it.
pub(crate) async fn hold(
    session: &mut Session,
    target: &str,
    tenant: &Tenant,
) -> Result<(), ViewError> {
    let sql = format!(
        "UPDATE {} SET size = size WHERE target = ? AND tenant = ?",
        session.name("positions")
    );
    let place = vec![Value::text(target), Value::text(tenant.as_str())];
    session.execute(&sql, place).await.map(drop)
}
