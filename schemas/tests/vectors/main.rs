//! The golden vectors under `schemas/vectors/`: made here, committed, and compared byte for byte on every run, so that
//! neither the format nor its specimens can change unseen. The independent program in `tests/oracle/` reads them too.
//!
//! To write them anew after a deliberate change: `PROBITY_VECTORS=write cargo test -p probity-schemas --test vectors`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod canonical;
mod disclosures;
mod forged;
mod notes;
mod part;
mod records;
mod reports;
#[path = "../notes/signer.rs"]
mod signer;
mod trees;
mod witnesses;

use std::path::PathBuf;

use serde_json::{Value, json};

/// Names the variants of an error enum: a list of all, and the name of one. A variant left out does not compile.
macro_rules! rules {
    ($list:ident, $name:ident, $error:ident, [$($variant:ident),+ $(,)?]) => {
        const $list: &[&str] = &[$(stringify!($variant)),+];

        pub(crate) fn $name(error: &$error) -> &'static str {
            match error { $($error::$variant { .. } => stringify!($variant)),+ }
        }
    };
}
pub(crate) use rules;

/// The bytes of a specimen, in a form that suits a JSON file.
#[derive(Clone)]
pub(crate) enum Input {
    Text(String),
    Hex(Vec<u8>),
    Filled {
        before: String,
        repeat: char,
        count: usize,
        after: String,
    },
}

impl Input {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex(bytes) => bytes.clone(),
            Self::Filled {
                before,
                repeat,
                count,
                after,
            } => format!("{before}{}{after}", String::from(*repeat).repeat(*count)).into_bytes(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "text": text }),
            Self::Hex(bytes) => {
                json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
            }
            Self::Filled {
                before,
                repeat,
                count,
                after,
            } => {
                json!({ "before": before, "repeat": repeat, "count": count, "after": after })
            }
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Input {
    fn from(bytes: &[u8]) -> Self {
        Self::Hex(bytes.to_vec())
    }
}

/// Compares a committed file with what it must be; writes it when asked to.
pub(crate) fn golden(name: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name);
    if std::env::var("PROBITY_VECTORS").as_deref() == Ok("write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{name} is not fresh: see the header of this test for the command that writes it"
    );
}

pub(crate) fn golden_json(name: &str, expected: &Value) {
    golden(
        name,
        &(serde_json::to_string_pretty(expected).unwrap() + "\n"),
    );
}

/// Like [`golden_json`] for long tables: an object of lists, one item a line.
pub(crate) fn golden_tables(name: &str, expected: &Value) {
    let tables = expected.as_object().unwrap().iter().map(|(table, items)| {
        let items: Vec<String> = items
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        format!("{}: [\n{}\n]", json!(table), items.join(",\n"))
    });
    let tables: Vec<String> = tables.collect();
    golden(name, &format!("{{\n{}\n}}\n", tables.join(",\n")));
}

/// Every rule has at least one specimen, and the normative page names it.
pub(crate) fn assert_complete(rules: &[&str], specimens: &[Value]) {
    let page = include_str!("../../FORMAT.md");
    for rule in rules {
        assert!(
            specimens.iter().any(|specimen| specimen["rule"] == *rule),
            "no specimen of {rule}"
        );
        assert!(
            page.contains(&format!("`{rule}`")),
            "FORMAT.md does not name {rule}"
        );
    }
}
