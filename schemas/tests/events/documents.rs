//! The committed schemas are what the structs say, one file a type and no other file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use probity_schemas::event::Event;

#[test]
fn the_json_schema_of_every_event_type_is_fresh() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("json");
    let write = std::env::var("PROBITY_SCHEMAS").as_deref() == Ok("write");
    if write {
        std::fs::create_dir_all(&folder).unwrap();
    }
    let mut expected = BTreeSet::new();
    for (name, schema) in Event::schemas() {
        let file = format!("{name}.json");
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if write {
            std::fs::write(folder.join(&file), &text).unwrap();
        }
        let found = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
        assert!(
            found == text,
            "schemas/json/{file} is not fresh: the header of tests/events/main.rs has the command that writes it"
        );
        expected.insert(file);
    }
    let found: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        found, expected,
        "schemas/json holds one file for each event type"
    );
    assert_eq!(expected.len(), Event::TYPES.len());
}
