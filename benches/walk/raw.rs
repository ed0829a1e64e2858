//! The limit: the same rows into tables and indexes of the same shape, by plain SQL with no checks, one durable commit a batch.

use crate::log::Place;
use crate::measure::Rate;
use probity_ledger::store::StoredRecord;
use probity_schemas::record::Record;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::time::Instant;

/// Rows of one INSERT on SQLite.
const ROWS_A_STATEMENT: usize = 64;

/// A row of both tables.
struct Row<'a> {
    record: &'a StoredRecord,
    subject: String,
    time_micros: i64,
}

pub async fn insert(place: &Place, name: &str, records: &[StoredRecord], size: usize) -> Rate {
    let rows: Vec<Row<'_>> = records
        .iter()
        .map(|record| {
            let parsed = Record::parse_canonical(&record.line).unwrap();
            let time_micros = parsed.envelope.time.micros();
            Row {
                record,
                subject: parsed.envelope.subject.clone().into_owned(),
                time_micros,
            }
        })
        .collect();
    let url = place.database(name).await;
    let took = match place {
        Place::Sqlite(_) => sqlite(&url, &rows, size).await,
        Place::Postgres { .. } => postgres(&url, &rows, size).await,
    };
    Rate::of(records.len() as u64, took)
}

async fn sqlite(url: &str, rows: &[Row<'_>], size: usize) -> std::time::Duration {
    let mut database = SqliteConnection::connect(&format!("{url}?mode=rwc"))
        .await
        .unwrap();
    let schema = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000;
        CREATE TABLE logs (log INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;
        CREATE TABLE records (log INTEGER NOT NULL, sequence INTEGER NOT NULL, time_micros INTEGER NOT NULL, leaf BLOB NOT NULL,
            line BLOB NOT NULL, PRIMARY KEY (log, sequence)) STRICT;
        CREATE TABLE subjects (log INTEGER NOT NULL, subject TEXT NOT NULL, revision INTEGER NOT NULL, sequence INTEGER NOT NULL,
            PRIMARY KEY (log, subject, revision)) STRICT, WITHOUT ROWID;
        INSERT INTO logs VALUES (1, 0);";
    database.execute(sqlx::raw_sql(schema)).await.unwrap();
    let begun = Instant::now();
    for batch in rows.chunks(size) {
        let mut transaction = database.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for chunk in batch.chunks(ROWS_A_STATEMENT) {
            let sql = format!(
                "INSERT INTO records VALUES {}",
                vec!["(1,?,?,?,?)"; chunk.len()].join(",")
            );
            let mut records = sqlx::query(AssertSqlSafe(sql));
            let sql = format!(
                "INSERT INTO subjects VALUES {}",
                vec!["(1,?,0,?)"; chunk.len()].join(",")
            );
            let mut subjects = sqlx::query(AssertSqlSafe(sql));
            for row in chunk {
                let sequence = i64::try_from(row.record.sequence).unwrap();
                records = records
                    .bind(sequence)
                    .bind(row.time_micros)
                    .bind(row.record.leaf.0.to_vec())
                    .bind(row.record.line.to_vec());
                subjects = subjects.bind(row.subject.clone()).bind(sequence);
            }
            records.execute(&mut *transaction).await.unwrap();
            subjects.execute(&mut *transaction).await.unwrap();
        }
        sqlx::query("UPDATE logs SET size = size + ?")
            .bind(batch.len() as i64)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    begun.elapsed()
}

async fn postgres(url: &str, rows: &[Row<'_>], size: usize) -> std::time::Duration {
    let mut database = PgConnection::connect(url).await.unwrap();
    let schema = "CREATE TABLE logs (log bigint PRIMARY KEY, size bigint NOT NULL);
        CREATE TABLE records (log bigint NOT NULL, sequence bigint NOT NULL, time_micros bigint NOT NULL, leaf bytea NOT NULL,
            line bytea NOT NULL, PRIMARY KEY (log, sequence));
        CREATE TABLE subjects (log bigint NOT NULL, subject text NOT NULL, revision bigint NOT NULL, sequence bigint NOT NULL,
            PRIMARY KEY (log, subject, revision));
        INSERT INTO logs VALUES (1, 0);";
    database.execute(sqlx::raw_sql(schema)).await.unwrap();
    let statement = "WITH r AS (INSERT INTO records SELECT 1, s, t, f, l FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS x(s, t, f, l)),
        u AS (INSERT INTO subjects SELECT 1, n, 0, s FROM unnest($5::text[], $1::bigint[]) AS x(n, s))
        UPDATE logs SET size = size + $6";
    let begun = Instant::now();
    for batch in rows.chunks(size) {
        let sequences: Vec<i64> = batch
            .iter()
            .map(|row| i64::try_from(row.record.sequence).unwrap())
            .collect();
        let times: Vec<i64> = batch.iter().map(|row| row.time_micros).collect();
        let leaves: Vec<&[u8]> = batch
            .iter()
            .map(|row| row.record.leaf.0.as_slice())
            .collect();
        let lines: Vec<&[u8]> = batch.iter().map(|row| &*row.record.line).collect();
        let subjects: Vec<&str> = batch.iter().map(|row| row.subject.as_str()).collect();
        sqlx::query(statement)
            .bind(&sequences)
            .bind(&times)
            .bind(&leaves)
            .bind(&lines)
            .bind(&subjects)
            .bind(batch.len() as i64)
            .execute(&mut database)
            .await
            .unwrap();
    }
    begun.elapsed()
}
