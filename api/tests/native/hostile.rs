//! Bodies that nobody would send in good faith, to every operation of every published document that takes one: each gets an
//! answer that is the caller's fault or none at all, never the server's, and the server stays as good as it was.
//!
//! A body begins as what the document's schema allows and is then damaged, by a generator with a fixed seed.

use crate::harness::Served;
use jsonwebtoken::{EncodingKey, Header, encode};
use probity_api::config::Secrets;
use probity_schemas::vocabulary::Role;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// What operators and adapters of the dialect present.
const SECRET: &str = "a secret of this test, and of no other place";

/// The published documents.
const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/openapi");

/// Damaged bodies for each operation.
const BODIES: usize = 150;

/// Levels of a schema that are filled in; what is deeper is left out.
const DEPTH: usize = 6;

/// Who may ask for anything, together.
const ROLES: [Role; 4] = [Role::Admin, Role::Operator, Role::Agent, Role::Auditor];

/// What is put in place of a byte, or between two.
const PIECES: [&[u8]; 18] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b"\0",
    b"\xff",
    b"null",
    b"-1",
    b"1e999",
    b"9007199254740993",
    b"\"\\ud800\"",
    b"true",
    b"\xc0\x80",
];

/// SplitMix64 (Steele, Lea, Flood 2014): any generator would do that has the same numbers tomorrow.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((number ^ (number >> 31)) % end as u64).unwrap()
    }
}

#[tokio::test]
async fn no_body_is_the_servers_fault() {
    let directory = TempDir::new().unwrap();
    let served = Served::on(directory.path(), |config| {
        config.secrets = Secrets {
            adapter_jwt: Some(SECRET.to_owned().into()),
            ops_key: Some(SECRET.to_owned().into()),
            ..Secrets::default()
        };
    });
    let served = served.await;
    let mut keys = Vec::new();
    for role in ROLES {
        keys.push(served.issue("local", role).await);
    }
    let mut numbers = Numbers(1);
    let mut operations = 0;
    let documents = std::fs::read_dir(DOCUMENTS).unwrap();
    let mut documents: Vec<_> = documents.map(|entry| entry.unwrap().path()).collect();
    documents.sort();
    for document in documents {
        let document = std::fs::read(document).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let Some(seed) = body_of(&document, operation) else {
                    continue;
                };
                let operation = Operation::new(method, path, operation);
                operation.damaged(&served, &keys, &seed, &mut numbers).await;
                operations += 1;
            }
        }
    }
    assert_eq!(operations, 26, "operations that take JSON");
    let after = served.batch(&keys[2], crate::harness::LINE).send().await;
    assert_eq!(after.unwrap().status(), 201, "the server takes records in");
    served.stop().await;
}

struct Operation {
    method: Method,
    path: String,
    media_type: String,
}

impl Operation {
    fn new(method: &str, path: &str, operation: &Value) -> Self {
        let content = operation["requestBody"]["content"].as_object().unwrap();
        // The log of the keys; any other name of a path is of a thing that is not there.
        let filled = path.replace("{tenant}", "local");
        let filled = filled.split('/').map(|name| match name.starts_with('{') {
            true => "0199c0de-0000-7000-8000-000000000000",
            false => name,
        });
        Self {
            method: method.to_uppercase().parse().unwrap(),
            path: filled.collect::<Vec<_>>().join("/"),
            media_type: content.keys().next().unwrap().clone(),
        }
    }

    async fn send(&self, served: &Served, key: &str, body: Vec<u8>) -> u16 {
        let request = served.request(self.method.clone(), &self.path, key);
        let request = request.header("x-ops-api-key", SECRET);
        let request = request.header("x-adapter-token", adapter_token());
        let request = request.header("content-type", &self.media_type).body(body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn damaged(&self, served: &Served, keys: &[String], seed: &[u8], numbers: &mut Numbers) {
        let mut allowed = None;
        for key in keys {
            let status = self.send(served, key, seed.to_vec()).await;
            if !matches!(status, 401 | 403) {
                allowed = Some(key);
                break;
            }
        }
        let (method, path) = (&self.method, &self.path);
        let key = allowed.unwrap_or_else(|| panic!("{method} {path}: nobody may ask"));
        let nested = [b"[".repeat(100_000), b"{\"a\":".repeat(50_000)];
        let damaged = (0..BODIES)
            .map(|_| damage(seed, numbers))
            .collect::<Vec<_>>();
        for body in nested.into_iter().chain(damaged) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
            let status = self.send(served, key, body).await;
            let is_judged = (200..500).contains(&status) && !matches!(status, 401 | 429);
            assert!(is_judged, "{method} {path}: {status}: {shown}");
        }
    }
}

/// Of an adapter that may ask for anything.
fn adapter_token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = json!({
        "type": "adapter", "adapter_id": "desk", "tenant_id": "local", "workspace_id": "local",
        "allowed_capabilities": ["a"], "sub": "adapter:desk", "exp": now.as_secs() + 60,
    });
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

/// The body with one to four values replaced by others that are JSON, or damaged as text.
fn damage(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let Ok(mut body) = serde_json::from_slice::<Value>(seed) else {
        return damaged_text(seed, numbers);
    };
    if numbers.below(2) == 0 {
        return damaged_text(seed, numbers);
    }
    for _ in 0..=numbers.below(4) {
        replace(&mut body, numbers);
    }
    body.to_string().into_bytes()
}

/// Replaces one value somewhere inside.
fn replace(value: &mut Value, numbers: &mut Numbers) {
    let inside = match value {
        Value::Object(fields) => fields.values_mut().collect::<Vec<_>>(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    };
    if !inside.is_empty() && numbers.below(8) > 0 {
        let at = numbers.below(inside.len());
        return inside
            .into_iter()
            .nth(at)
            .map_or((), |one| replace(one, numbers));
    }
    *value = match numbers.below(12) {
        0 => json!(null),
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1.5e300),
        4 => json!(""),
        5 => json!("a".repeat(70_000)),
        6 => json!("\u{0}\u{202e}\u{fffd}"),
        7 => json!("9999-12-31T23:59:60.999999999Z"),
        8 => json!([[[[{}]]]]),
        9 => json!({"a": 1, "": {}}),
        10 => json!(vec![0; 2000]),
        _ => json!(true),
    };
}

/// The body with up to four places changed, cut out, doubled, or the rest cut off.
fn damaged_text(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut body = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        if body.is_empty() {
            return body;
        }
        let at = numbers.below(body.len());
        let piece = PIECES[numbers.below(PIECES.len())];
        match numbers.below(6) {
            0 => body.truncate(at),
            1 => body[at] ^= 1 << numbers.below(8),
            2 => drop(body.splice(at..at, piece.iter().copied())),
            3 => drop(body.splice(at..=at, piece.iter().copied())),
            4 => {
                let end = at + numbers.below(body.len() - at);
                body.drain(at..end);
            }
            _ => {
                let again = body[at..].to_vec();
                body.extend(again);
            }
        }
    }
    body
}

/// A body that the document allows; none where the operation takes none, or no JSON.
fn body_of(document: &Value, operation: &Value) -> Option<Vec<u8>> {
    let content = operation["requestBody"]["content"].as_object()?;
    let (media_type, content) = content.iter().next()?;
    match media_type.as_str() {
        "application/json" => {
            let sample = sample(document, &content["schema"], DEPTH);
            Some(sample.to_string().into_bytes())
        }
        "application/x-ndjson" => Some(format!("{0}\n{0}\n", crate::harness::LINE).into_bytes()),
        _ => None,
    }
}

/// A value that a schema allows, as far as its shape goes.
fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.trim_start_matches('#')).unwrap();
        return sample(document, schema, depth);
    }
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let first = schema[choice].as_array();
        let first = first.and_then(|all| all.iter().find(|one| one["type"] != "null"));
        if let Some(first) = first {
            return sample(document, first, depth);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    match kind.as_str() {
        Some("string") => json!("a"),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") if depth > 0 => json!([sample(document, &schema["items"], depth - 1)]),
        Some("array") => json!([]),
        _ => {
            let none = Map::new();
            let fields = schema["properties"].as_object().unwrap_or(&none);
            let fields = fields.iter().filter(|_| depth > 0);
            let fields = fields.map(|(name, one)| {
                let value = match name.as_str() {
                    "tenant_id" | "workspace_id" => json!("local"),
                    "adapter_id" => json!("desk"),
                    _ => sample(document, one, depth - 1),
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
    }
}
