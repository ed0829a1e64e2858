//! Which database: `sqlite:PATH` or `postgres://…`, read once, at the edge. Whoever prints one sees no password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::StoreError;

/// The name of a database. Options of a PostgreSQL connection (`sslmode`, `sslrootcert`, …) are part of it.
#[derive(Clone)]
pub struct DatabaseUrl(pub(super) Kind);

/// The two kinds of database.
#[derive(Clone)]
pub(super) enum Kind {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseUrl {
    /// The database in a file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Sqlite(path.into()))
    }

    /// The file, if the database is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// Whether several nodes may share the database.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.0, Kind::Postgres(_))
    }

    /// How to connect, when it is a PostgreSQL server; nothing for a file.
    #[must_use]
    pub fn postgres(&self) -> Option<&PgConnectOptions> {
        match &self.0 {
            Kind::Sqlite(_) => None,
            Kind::Postgres(options) => Some(options),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::sqlite(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let options = text
                .parse()
                .map_err(|error| StoreError::BadUrl(Some(Arc::new(error))))?;
            return Ok(Self(Kind::Postgres(Box::new(options))));
        }
        Err(StoreError::BadUrl(None))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Kind::Postgres(options) => {
                let name = options.get_database().unwrap_or(options.get_username());
                write!(
                    f,
                    "postgres://{}:{}/{name}",
                    options.get_host(),
                    options.get_port()
                )
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn the_two_kinds_are_read_and_no_password_is_printed() {
        for (text, shown) in [
            ("sqlite:data/records.db", "sqlite:data/records.db"),
            ("sqlite:/a b/ü.db", "sqlite:/a b/ü.db"),
            (
                "postgres://ann:se%20cret@db.example:5433/probity",
                "postgres://db.example:5433/probity",
            ),
            (
                "postgresql://ann:secret@db.example/p?sslmode=verify-full",
                "postgres://db.example:5432/p",
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
            assert_eq!(url.is_shared(), text.starts_with("postgres"));
        }
    }

    #[test]
    fn what_is_neither_is_refused_and_not_repeated() {
        for text in [
            "",
            "sqlite:",
            "mysql://ann:secret@host/db",
            "postgres://ann:secret@host:port/db",
            "data.db",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{text}");
        }
    }
}
