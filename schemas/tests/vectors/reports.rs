//! Vectors of reports that their producer signed: what is signed, by both kinds of keys, and what is refused.

use crate::{assert_complete, golden_json, rules};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use p256::ecdsa::signature::Signer as _;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::body::Body;
use probity_schemas::envelope::{
    ENVELOPE_VERSION, EnvelopeHeader, PayloadIds, ProofFault, payload_hash,
};
use probity_schemas::event::key::ReportProof;
use probity_schemas::vocabulary::PayloadType;
use serde_json::{Value, json};

rules!(
    RULES,
    rule,
    ProofFault,
    [Algorithm, Key, Payload, TooLong, False]
);

const ISSUED: &str = "2026-11-23T03:00:00.000Z";

/// Payloads as producers send them, in canonical form.
const PAYLOADS: [(PayloadType, &str); 2] = [
    (
        PayloadType::Cost,
        r#"{"adapter_id":"coder","cost_usd":1.25,"execution_id":"run-1","recorded_at":"2026-11-23T03:00:00Z","tenant_id":"acme","trace_id":"t-1","workspace_id":"local"}"#,
    ),
    (
        PayloadType::Audit,
        r#"{"adapter_id":"coder","event_data":{"10":1e+21,"9":"\u0001ü\"","😀":null},"event_type":"tool_call_started","execution_id":"ü\n","occurred_at":"2026-11-23T03:00:00+01:00","tenant_id":"acme","trace_id":"t-1","workspace_id":"local"}"#,
    ),
];

fn message(kind: PayloadType, payload: &Body) -> Vec<u8> {
    let ids = PayloadIds::read(payload).unwrap();
    let header = EnvelopeHeader {
        adapter_id: &ids.adapter_id,
        adapter_version: "1.0.0",
        envelope_version: ENVELOPE_VERSION,
        execution_id: &ids.execution_id,
        issued_at: ISSUED,
        payload_hash: &payload_hash(payload),
        payload_type: kind,
        trace_id: &ids.trace_id,
    };
    header.message()
}

fn proof(kind: PayloadType, payload: &str) -> ReportProof {
    let payload = Body::from_canonical(payload.to_owned()).unwrap();
    let secret = SigningKey::from_bytes(&[7; 32]);
    let public = ActorKey::ed25519(secret.verifying_key().as_bytes()).unwrap();
    let sig = secret.sign(&message(kind, &payload)).to_bytes();
    ReportProof {
        adapter_version: "1.0.0".to_owned(),
        alg: "ed25519".to_owned(),
        issued_at: ISSUED.to_owned(),
        key: public.to_string(),
        payload,
        payload_type: kind,
        sig: STANDARD.encode(sig),
    }
}

/// The same by P-256: the signature, and its twin with the other S, which holds as well.
fn by_p256(kind: PayloadType, payload: &str) -> [ReportProof; 2] {
    let proof = proof(kind, payload);
    let secret = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let signature: p256::ecdsa::Signature = secret.sign(&message(kind, &proof.payload));
    let (r, s) = signature.split_scalars();
    let twin = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    let point = secret.verifying_key().to_encoded_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| -> [u8; 32] { (*bytes.unwrap()).into() };
    let public = ActorKey::p256(&coordinate(point.x()), &coordinate(point.y())).unwrap();
    [signature, twin].map(|signature| ReportProof {
        alg: "ES256".to_owned(),
        key: public.to_string(),
        sig: STANDARD.encode(signature.to_der()),
        ..proof.clone()
    })
}

fn refused() -> Vec<Value> {
    type Change = fn(&mut ReportProof);
    let changes: [Change; 9] = [
        |proof| proof.alg = "ML-DSA-44".to_owned(),
        |proof| proof.alg = "ES256".to_owned(),
        |proof| proof.key = proof.sig.clone(),
        |proof| {
            proof.payload = Body::from_canonical(r#"{"adapter_id":"coder"}"#.to_owned()).unwrap()
        },
        |proof| proof.issued_at = "2026-11-23T03:00:00Z".to_owned(),
        |proof| proof.payload_type = PayloadType::Metrics,
        |proof| {
            let cheaper = PAYLOADS[0].1.replace("1.25", "0.25");
            proof.payload = Body::from_canonical(cheaper).unwrap();
        },
        |proof| proof.sig = "AA==".to_owned(),
        |proof| proof.adapter_version = "1".repeat(257),
    ];
    let changed = changes.map(|change| {
        let mut proof = proof(PAYLOADS[0].0, PAYLOADS[0].1);
        change(&mut proof);
        let fault = proof.verify().unwrap_err();
        json!({ "input": "changed", "proof": text(&proof), "rule": rule(&fault) })
    });
    changed.into()
}

fn text(proof: &ReportProof) -> String {
    serde_json::to_string(proof).unwrap()
}

#[test]
fn reports() {
    let mut signed = Vec::new();
    for (kind, payload) in PAYLOADS {
        for proof in [[proof(kind, payload)].as_slice(), &by_p256(kind, payload)].concat() {
            proof.verify().unwrap();
            let message = String::from_utf8(message(kind, &proof.payload)).unwrap();
            signed.push(json!({ "message": message, "proof": text(&proof) }));
        }
    }
    let refused = refused();
    assert_complete(RULES, &refused);
    golden_json(
        "reports.json",
        &json!({ "refused": refused, "reports": signed }),
    );
}
