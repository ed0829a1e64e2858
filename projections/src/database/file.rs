//! The views' file on SQLite: opened, and begun again where it is damaged. Only what shows when it is opened is seen here; a hole deeper in
//! it makes the queries fail that come to it.

use super::Database;
use crate::error::{ViewError, chain};
use crate::view::Definition;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// Opens the file of a data directory with these views in it. One that is damaged is deleted first: views are built from the records.
pub(crate) async fn open_file(
    data: &Path,
    views: &'static [Definition],
) -> Result<Database, ViewError> {
    match open(data, views).await {
        Err(error) if is_damage(&error) => {
            tracing::warn!(
                error = chain(&error),
                "the views' file is damaged: it is deleted, and the views are built again"
            );
            for end in ["", "-wal", "-shm"] {
                remove(&data.join(format!("views.db{end}")))?;
            }
            open(data, views).await
        }
        opened => opened,
    }
}

async fn open(data: &Path, views: &'static [Definition]) -> Result<Database, ViewError> {
    let database = Database::sqlite(data).await?;
    for view in views {
        if let Err(error) = database.adopt(view).await {
            // Whoever closes later would take the next file's write-ahead log away.
            database.close().await;
            return Err(error);
        }
    }
    Ok(database)
}

/// Whether SQLite says that the file is none of its own, or has come apart.
fn is_damage(error: &ViewError) -> bool {
    const CORRUPT: i32 = 11;
    const NOT_A_DATABASE: i32 = 26;
    let ViewError::Database(sqlx::Error::Database(error)) = error else {
        return false;
    };
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    // An extended code has the plain one in its last byte.
    code.is_some_and(|code| [CORRUPT, NOT_A_DATABASE].contains(&(code & 0xff)))
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
