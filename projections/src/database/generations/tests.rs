//! A new version beside an old one, and a swap.

use super::{Database, Definition, Pointer, Session};
use crate::entry::Entry;
use crate::error::Unappliable;
use crate::value::Kind;
use crate::view::{Key, View};
use crate::views::{AdapterRow, Adapters};

/// The adapters view, as a later program would have it.
struct Later;

impl View for Later {
    type Row = AdapterRow;
    const NAME: &'static str = Adapters::NAME;
    const VERSION: u32 = Adapters::VERSION + 1;
    const KEYS: usize = Adapters::KEYS;
    const INDEXES: &'static [&'static [&'static str]] = Adapters::INDEXES;

    fn key(entry: &Entry) -> Option<Key> {
        Adapters::key(entry)
    }

    fn apply(entry: &Entry, row: Option<AdapterRow>) -> Result<AdapterRow, Unappliable> {
        Adapters::apply(entry, row)
    }
}

static NOW: Definition = Definition::of::<Adapters>();
static LATER: Definition = Definition::of::<Later>();

async fn tables(database: &Database) -> Vec<String> {
    let mut session = database.read().await.unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'adapters%' ORDER BY name";
    let rows = session.fetch(sql, Vec::new(), &[Kind::Text]).await.unwrap();
    session.rollback().await.unwrap();
    rows.iter().map(|row| format!("{row:?}")).collect()
}

#[tokio::test]
async fn a_new_version_stands_beside_the_old_until_it_is_opened_again() {
    let data = tempfile::tempdir().unwrap();
    let database = Database::sqlite(data.path()).await.unwrap();
    let first = Pointer {
        live: 1,
        building: 0,
    };
    assert_eq!(database.adopt(&NOW).await.unwrap(), first);
    assert_eq!(database.adopt(&NOW).await.unwrap(), first);
    assert_eq!(tables(&database).await.len(), 1);
    assert_eq!(database.adopt(&LATER).await.unwrap(), first);
    assert_eq!(
        tables(&database).await.len(),
        2,
        "the older program may still run"
    );
    database.adopt(&LATER).await.unwrap();
    assert_eq!(tables(&database).await, [r#"[Text("adapters_v2_g1")]"#]);
    let mut session: Session = database.write().await.unwrap();
    let pointer = session.begin_generation(&LATER).await.unwrap();
    assert_eq!(
        pointer,
        Pointer {
            live: 1,
            building: 2
        }
    );
    assert!(session.swap_generation(&LATER, pointer).await.unwrap());
    assert!(
        !session.swap_generation(&LATER, pointer).await.unwrap(),
        "once"
    );
    session.commit().await.unwrap();
    assert_eq!(
        tables(&database).await.len(),
        2,
        "somebody may still read the old one"
    );
    database.adopt(&LATER).await.unwrap();
    assert_eq!(tables(&database).await, [r#"[Text("adapters_v2_g2")]"#]);
    database.close().await;
}
