//! Reports that their producer signs as the published contract says, and an insider who holds the log's key and invents one.

use crate::forger::{lines, reseal};
use crate::harness::{Engine, Home, Server, judge};
use crate::judges::oracle;
use crate::plugin::{Operator, Plugin};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use p256::ecdsa::signature::Signer as _;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ADAPTER: &str = "acceptance-plugin";

/// An adapter's own key.
enum Producer {
    Ed25519(Box<SigningKey>),
    Es256(Box<p256::ecdsa::SigningKey>),
}

impl Producer {
    fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Box::new(SigningKey::from_bytes(&[seed; 32])))
    }

    fn es256(seed: u8) -> Self {
        Self::Es256(Box::new(
            p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
        ))
    }

    /// `key_alg` and `public_jwk`.
    fn jwk(&self) -> (&'static str, Value) {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ed25519(key) => (
                "ed25519",
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.verifying_key().as_bytes())}),
            ),
            Self::Es256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = (point.x().unwrap(), point.y().unwrap());
                (
                    "ES256",
                    json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)}),
                )
            }
        }
    }

    /// SubjectPublicKeyInfo, as an auditor brings it.
    fn public(&self) -> String {
        let (prefix, key) = match self {
            Self::Ed25519(key) => (
                "302a300506032b6570032100",
                key.verifying_key().as_bytes().to_vec(),
            ),
            Self::Es256(key) => (
                "3059301306072a8648ce3d020106082a8648ce3d030107034200",
                key.verifying_key()
                    .to_encoded_point(false)
                    .as_bytes()
                    .to_vec(),
            ),
        };
        let at = |at| u8::from_str_radix(&prefix[at..at + 2], 16).unwrap();
        let prefix: Vec<u8> = (0..prefix.len()).step_by(2).map(at).collect();
        STANDARD.encode([prefix, key].concat())
    }

    fn sign(&self, message: &[u8]) -> String {
        match self {
            Self::Ed25519(key) => URL_SAFE_NO_PAD.encode(key.sign(message).to_bytes()),
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                STANDARD.encode(signature.to_der())
            }
        }
    }

    /// The envelope around a report, as its documentation says. `serde_json` keeps keys sorted: for these payloads that is
    /// canonical JSON.
    fn seal(&self, kind: &str, payload: &Value, issued_at: &str) -> Value {
        let mut hash = "sha256:".to_owned();
        for byte in Sha256::digest(payload.to_string()) {
            write!(hash, "{byte:02x}").unwrap();
        }
        let mut envelope = json!({
            "envelope_version": "v1", "adapter_id": payload["adapter_id"], "adapter_version": "1.0.0",
            "issued_at": issued_at, "execution_id": payload["execution_id"], "trace_id": payload["trace_id"],
            "payload_type": kind, "payload_hash": hash,
        });
        let signature = self.sign(envelope.to_string().as_bytes());
        envelope["payload"] = payload.clone();
        envelope["signature"] = signature.into();
        envelope
    }
}

fn now() -> String {
    time_of(0)
}

fn time_of(ago_seconds: u64) -> String {
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(ago_seconds);
    let then = then.duration_since(std::time::UNIX_EPOCH).unwrap();
    let micros = i64::try_from(then.as_micros()).unwrap();
    probity_schemas::time::Time::from_micros(micros).to_string()
}

fn cost(execution: &str, usd: f64) -> Value {
    json!({
        "tenant_id": "local", "workspace_id": "local", "execution_id": execution, "adapter_id": ADAPTER,
        "trace_id": format!("trace-{execution}"), "cost_usd": usd, "recorded_at": "2026-11-22T10:00:00.000Z",
        "input_tokens": 12, "model": "opal-2", "note": "which we do not know",
    })
}

async fn register_key(operator: &Operator, producer: &Producer) -> (u16, Value) {
    let (key_alg, public_jwk) = producer.jwk();
    let body = json!({"tenant_id": "local", "adapter_id": ADAPTER, "version": "1.0.0", "key_alg": key_alg,
        "public_jwk": public_jwk, "key_id": "first"});
    let path = "/ops/api/adapters/telemetry-key";
    operator.call(Method::POST, path, Some(&body)).await
}

async fn revoke_key(operator: &Operator) {
    let body = json!({"adapter_id": ADAPTER, "reason": "lost"});
    let path = "/ops/api/adapters/telemetry-key/revoke";
    let (status, answer) = operator.call(Method::POST, path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
}

async fn report(plugin: &Plugin, kind: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/ingest/{kind}");
    plugin.call(Method::POST, &path, Some(body)).await
}

async fn taken(plugin: &Plugin, kind: &str, body: &Value) {
    let answer = report(plugin, kind, body).await;
    assert_eq!(answer, (200, json!({"status": "ok"})), "{body}");
}

async fn plugin(server: &Server) -> Plugin {
    let plugin = server.plugin(ADAPTER, &["tool"]);
    plugin.register(&plugin.registration()).await;
    plugin
}

#[tokio::test]
async fn reports_are_signed_on_sqlite() {
    signed_reports(Engine::Sqlite).await;
}

#[tokio::test]
async fn reports_are_signed_on_postgres() {
    signed_reports(Engine::Postgres).await;
}

async fn signed_reports(engine: Engine) {
    let home = Home::new(engine).await;
    let (mine, next) = (Producer::ed25519(7), Producer::es256(8));
    warned(&home, &mine).await;
    enforced(&home, &mine, &next).await;

    let (honest, vkey) = (home.export("local", "honest"), home.vkey("local"));
    let told = "4 by a key only the log vouches for; of 8 reports 1 not signed, 3 with a signature";
    let (code, text) = judge(&honest, &vkey, &[]);
    assert!(code == 0 && text.contains(told), "{text}");
    let (code, text) = oracle(&honest, &vkey, &[]);
    assert!(
        code == 0 && text.contains("reports: 0 signed by a key that was brought, 4 by"),
        "{text}"
    );
    let sequence = first_under_enforcement(&honest);
    let held = [&mine, &next].map(|key| format!("adapter:{ADAPTER}={}@{sequence}", key.public()));
    let brought = ["--actor-key", &held[0], "--actor-key", &held[1]];
    let (code, text) = judge(&honest, &vkey, &brought);
    assert!(
        code == 0 && text.contains("2 signed by a key the auditor brought"),
        "{text}"
    );

    insider(&home, &honest, &vkey);
    if engine == Engine::Postgres {
        home.remove().await;
    }
}

/// Mode warn: what does not stand is taken all the same, and noted.
async fn warned(home: &Home, mine: &Producer) {
    let server = home.serve().await;
    let (plugin, operator) = (plugin(&server).await, server.operator());
    taken(&plugin, "cost", &cost("plain", 1.5)).await;
    // A key that is registered after the report.
    taken(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("early", 1.5), &now()),
    )
    .await;
    let unknown = json!({"adapter_id": "nobody", "key_alg": "ed25519", "public_jwk": mine.jwk().1});
    let path = "/ops/api/adapters/telemetry-key";
    let (status, answer) = operator.call(Method::POST, path, Some(&unknown)).await;
    assert_eq!(
        (status, answer),
        (404, json!({"error": "Adapter not found"}))
    );
    let (status, answer) = register_key(&operator, mine).await;
    assert_eq!(
        (status, &answer["adapter"]["adapter_id"]),
        (200, &json!(ADAPTER))
    );
    assert_eq!(
        register_key(&operator, mine).await.0,
        200,
        "again is the same"
    );

    taken(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("signed", 1.25), &now()),
    )
    .await;
    let audit = plugin.outcome("signed", "tool_execution_completed");
    taken(&plugin, "audit", &mine.seal("audit", &audit, &now())).await;
    let mut altered = mine.seal("cost", &cost("altered", 1.25), &now());
    altered["payload"]["cost_usd"] = json!(0.01);
    taken(&plugin, "cost", &altered).await;
    taken(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("stale", 1.5), &time_of(400)),
    )
    .await;
    let again = report(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("signed", 1.25), &now()),
    )
    .await;
    assert_eq!(again.1["status"], "duplicate");

    let mut elsewhere = mine.seal("cost", &cost("x", 1.5), &now());
    elsewhere["execution_id"] = json!("y");
    let (status, answer) = report(&plugin, "cost", &elsewhere).await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("identity_mismatch"))
    );
    let (status, answer) = report(
        &plugin,
        "metrics",
        &mine.seal("cost", &cost("x", 1.5), &now()),
    )
    .await;
    assert_eq!(status, 400, "{answer}");
    server.stop();
}

/// Mode enforce: what does not stand is refused with the word that says why.
async fn enforced(home: &Home, mine: &Producer, next: &Producer) {
    let server = home
        .serve_as("data", &["--signed-reports", "enforce"])
        .await;
    let (plugin, operator) = (plugin(&server).await, server.operator());
    taken(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("enforced", 2.5), &now()),
    )
    .await;
    let mut altered = mine.seal("cost", &cost("e-1", 2.5), &now());
    altered["payload"]["cost_usd"] = json!(0.01);
    let mut other = mine.seal("cost", &cost("e-2", 2.5), &now());
    other["signature"] =
        Producer::ed25519(9).seal("cost", &cost("e-2", 2.5), &now())["signature"].clone();
    let mut large = cost("e-4", 2.5);
    large["note"] = "x".repeat(60_000).into();
    for (body, status, code) in [
        (cost("e-0", 2.5), 400, "missing_signature"),
        (altered, 400, "payload_hash_mismatch"),
        (other, 400, "invalid_signature"),
        (
            mine.seal("cost", &cost("e-3", 2.5), &time_of(400)),
            400,
            "timestamp_skew",
        ),
        (mine.seal("cost", &large, &now()), 413, "payload_too_large"),
    ] {
        let answer = report(&plugin, "cost", &body).await;
        assert_eq!(
            (answer.0, &answer.1["code"]),
            (status, &json!(code)),
            "{}",
            answer.1
        );
    }
    // The next key takes the place of the first.
    assert_eq!(register_key(&operator, next).await.0, 200);
    let late = report(
        &plugin,
        "cost",
        &mine.seal("cost", &cost("late", 2.5), &now()),
    )
    .await;
    assert_eq!(late.1["code"], "invalid_signature");
    taken(
        &plugin,
        "cost",
        &next.seal("cost", &cost("rotated", 2.5), &now()),
    )
    .await;
    revoke_key(&operator).await;
    let late = report(
        &plugin,
        "cost",
        &next.seal("cost", &cost("later", 2.5), &now()),
    )
    .await;
    assert_eq!((late.0, &late.1["code"]), (400, &json!("missing_key")));
    server.stop();
}

fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// The sequence of the record from which on reports must be signed.
fn first_under_enforcement(bundle: &Path) -> usize {
    let lines = lines(bundle);
    let found = lines
        .iter()
        .position(|line| read(line)["data"]["value"] == "enforce");
    found.unwrap()
}

/// Whoever holds the log's key writes a record that says a producer signed it, in four ways.
fn insider(home: &Home, honest: &Path, vkey: &str) {
    type Change<'c> = &'c dyn Fn(&mut Value);
    let kept = lines(honest);
    let signed = kept
        .iter()
        .map(|line| read(line))
        .find(|record| {
            record["data"]["execution"] == "signed" && record["type"] == "cost.ingested.v1"
        })
        .unwrap();
    let forged = |name: &str, change: Change<'_>| -> PathBuf {
        let mut data = signed["data"].clone();
        change(&mut data);
        reseal(home, honest, name, &signed, data)
    };
    let proof = |data: &mut Value, member: &str, value: &str| {
        data["signature"]["verified"][member] = value.into();
    };
    let table: [(&str, Change<'_>, &str); 4] = [
        (
            "invented",
            &|data| proof(data, "adapter_version", "1.0.1"),
            "signatures.false",
        ),
        (
            "cheaper",
            &|data| data["cost_micros"] = 1.into(),
            "signatures.told",
        ),
        (
            "own-key",
            &|data| proof(data, "key", &Producer::ed25519(9).public()),
            "signatures.false",
        ),
        ("twice", &|_| (), "signatures.key"),
    ];
    for (name, change, rule) in table {
        let bundle = forged(name, change);
        let (code, text) = judge(&bundle, vkey, &["--no-adjudication"]);
        assert!(code == 1 && text.contains(rule), "{name}: {text}");
        let (code, text) = oracle(&bundle, vkey, &[]);
        assert!(
            code == 1 && text.contains("Report"),
            "{name}: {code} {text}"
        );
    }
    // What is not signed is named where it must be, by the mode that the log itself states.
    let bundle = forged("unsigned", &|data| {
        data.as_object_mut().unwrap().remove("signature");
    });
    let (code, text) = judge(&bundle, vkey, &[]);
    assert!(
        code == 1 && text.contains("adjudication.report_signature"),
        "{text}"
    );
}
