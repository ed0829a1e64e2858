//! What an insider can do to a log that ran: with the database alone, and with the database and the log's key. What the first does the judge
//! names; what the second does nobody can tell from the bundle alone, and each outside party shows it.

use crate::forger::{Forger, lines, rewrite};
use crate::harness::{Engine, Home, accepted, judge};
use crate::player::play;
use crate::timestamps::Authority;
use probity_schemas::time::Time;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::path::{Path, PathBuf};

/// The lines of the one log in the database, as whoever may write there has them.
struct Table<'h>(&'h Home);

impl Table<'_> {
    async fn put(&self, sequence: i64, line: &[u8]) {
        let changed = if let Some(url) = self.0.postgres_url() {
            let mut database = PgConnection::connect(url).await.unwrap();
            sqlx::query("UPDATE probity.records SET line = $1 WHERE sequence = $2")
                .bind(line.to_vec())
                .bind(sequence)
                .execute(&mut database)
                .await
                .unwrap()
                .rows_affected()
        } else {
            let file = self.0.data().join("probity.db");
            let url = format!("sqlite:{}", file.display());
            let mut database = SqliteConnection::connect(&url).await.unwrap();
            sqlx::query("UPDATE records SET line = ? WHERE sequence = ?")
                .bind(line.to_vec())
                .bind(sequence)
                .execute(&mut database)
                .await
                .unwrap()
                .rows_affected()
        };
        assert_eq!(changed, 1);
    }
}

async fn writes_the_database(engine: Engine) {
    let home = Home::new(engine).await;
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    server.stop();
    let vkey = home.vkey("local");
    let honest = home.export("local", "honest");
    accepted(&honest, &vkey);
    let (lines, table) = (lines(&honest), Table(&home));
    let (at, next) = (lines.len() / 2, lines.len() / 2 + 1);
    let edited = lines[at].replacen("\"surface\":\"", "\"surface\":\"x", 1);
    let relinked = rewrite(&lines[at..=at], |record| {
        record["surface"] = json!("native-2")
    });
    let (place, first) = (i64::try_from(at).unwrap(), i64::try_from(next).unwrap());
    for (story, changes) in [
        ("a record is edited", vec![(place, edited)]),
        (
            "a record is edited, and is well formed",
            vec![(place, relinked[0].clone())],
        ),
        (
            "a record takes the place of the next",
            vec![(first, lines[at].clone())],
        ),
        (
            "two records change places",
            vec![(place, lines[next].clone()), (first, lines[at].clone())],
        ),
    ] {
        for (sequence, line) in &changes {
            table.put(*sequence, line.as_bytes()).await;
        }
        let name = home.path("changed");
        let _ = std::fs::remove_dir_all(&name);
        let exported = home
            .probity(&["export", "--tenant", "local"])
            .arg("--out")
            .arg(&name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&exported.stderr).into_owned();
        // A log whose lines do not have the bytes that were signed is not exported as one.
        if exported.status.success() {
            let (code, text) = judge(&name, &vkey, &[]);
            assert_eq!(code, 1, "{story}: {text}");
        } else {
            assert!(said.contains("bytes"), "{story}: {said}");
        }
        for (sequence, _) in &changes {
            let honest = &lines[usize::try_from(*sequence).unwrap()];
            table.put(*sequence, honest.as_bytes()).await;
        }
    }
    let again = home.export("local", "again");
    accepted(&again, &vkey);
    home.remove().await;
}

#[tokio::test]
async fn who_writes_the_database_is_named_sqlite() {
    writes_the_database(Engine::Sqlite).await;
}

#[tokio::test]
async fn who_writes_the_database_is_named_postgres() {
    writes_the_database(Engine::Postgres).await;
}

/// A log of things reported, stopped; its bundle as a directory, and its key.
async fn reported() -> (Home, PathBuf, String) {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "admin");
    let server = home.serve().await;
    for _ in 0..4 {
        assert_eq!(server.observe(&key).await.0, 201);
    }
    server.stop();
    let honest = home.export("local", "honest");
    let vkey = home.vkey("local");
    accepted(&honest, &vkey);
    (home, honest, vkey)
}

#[tokio::test]
async fn a_history_rewritten_with_the_logs_key_shows_against_what_others_kept() {
    let (home, honest, vkey) = reported().await;
    let place = home.path("authority");
    let authority = Authority::start(&place);
    let root = place.join("root.pem").display().to_string();
    let kept = honest.join("checkpoint");
    let stamp = authority.stamp(&std::fs::read(&kept).unwrap()).await;

    let told = rewrite(&lines(&honest), |record| {
        if record["type"] == "observation.recorded.v1" {
            record["data"]["kind"] = json!("another");
        }
    });
    let forger = Forger::new(&home);
    let forged = forger.bundle(&honest, &told, &home.path("rewritten"));
    let (code, text) = judge(&forged, &vkey, &[]);
    assert!(
        code == 0 && text.contains("NOT WITNESSED"),
        "from the bundle alone nobody can tell: {text}"
    );
    let since = kept.display().to_string();
    let (code, text) = judge(&forged, &vkey, &["--since", &since]);
    assert!(
        code == 1 && text.contains("consistency.root"),
        "{code} {text}"
    );
    let (code, text) = judge(&forged, &vkey, &["--tsa", &root]);
    assert_eq!(code, 2, "without the stamp nothing is trusted: {text}");
    let size = lines(&honest).len();
    add(
        &forged,
        &format!("checkpoints/{size}"),
        &std::fs::read(&kept).unwrap(),
    );
    add(&forged, &format!("timestamps/{size}.tsr"), &stamp);
    let (code, text) = judge(&forged, &vkey, &["--tsa", &root]);
    assert!(
        code == 1 && text.contains("timestamps.root"),
        "{code} {text}"
    );
}

#[tokio::test]
async fn a_record_dated_back_or_ahead_shows_against_a_stamp() {
    let (home, honest, vkey) = reported().await;
    let place = home.path("authority");
    let authority = Authority::start(&place);
    let root = place.join("root.pem").display().to_string();
    let forger = Forger::new(&home);
    for (story, seconds, rule) in [
        ("a day back", -86_400, "timestamps.early"),
        ("a day ahead", 86_400, "timestamps.late"),
    ] {
        let shifted = rewrite(&lines(&honest), |record| {
            let time = Time::parse(record["time"].as_str().unwrap()).unwrap();
            record["time"] = json!(time.plus_seconds(seconds));
        });
        // The operator stamps the checkpoint of all but the last record, now, and goes on.
        let before = forger.checkpoint(&shifted[..shifted.len() - 1]);
        let forged = forger.bundle(&honest, &shifted, &home.path("shifted"));
        let size = shifted.len() - 1;
        add(&forged, &format!("checkpoints/{size}"), before.as_bytes());
        let stamp = authority.stamp(before.as_bytes()).await;
        add(&forged, &format!("timestamps/{size}.tsr"), &stamp);
        let (code, text) = judge(&forged, &vkey, &[]);
        assert_eq!(
            code, 0,
            "{story}: nobody else's clock, nothing to be seen: {text}"
        );
        let (code, text) = judge(&forged, &vkey, &["--tsa", &root]);
        assert!(code == 1 && text.contains(rule), "{story}: {code} {text}");
    }
}

fn add(bundle: &Path, name: &str, content: &[u8]) {
    let path = bundle.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
