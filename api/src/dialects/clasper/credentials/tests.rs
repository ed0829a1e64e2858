//! Tokens and keys, good and bad.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Adapter, Failure, GoodTokens, PROBE_TOOL, Place, operator, probe_token};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const PLACE: Place<'_> = Place {
    secret: Some("a shared secret"),
    algorithm: Algorithm::HS256,
    tenant: "local",
    workspace: "local",
};

/// Checks a token that nobody has seen.
fn adapter(token: Option<&str>, place: Place<'_>, now: i64) -> Result<Adapter, Failure> {
    super::adapter(token, place, now, &GoodTokens::default())
}

fn claims() -> Value {
    json!({
        "type": "adapter", "adapter_id": "desk", "tenant_id": "local", "workspace_id": "local",
        "allowed_capabilities": ["read"], "sub": "adapter:desk", "iat": NOW, "exp": NOW + 7200
    })
}

fn with(claim: &str, value: Value) -> Value {
    let mut all = claims();
    all[claim] = value;
    all
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

fn said(result: Result<Adapter, Failure>) -> (u16, String, &'static str) {
    match result.unwrap_err() {
        Failure::Credential {
            status,
            error,
            code,
        } => (status.as_u16(), error, code),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_token_signed_with_the_secret_names_the_adapter() {
    let token = signed(&claims(), Algorithm::HS256, "a shared secret");
    let found = adapter(Some(&token), PLACE, NOW).unwrap();
    assert_eq!(
        (found.actor.as_str(), found.capabilities),
        ("adapter:desk", vec!["read".to_owned()])
    );
    let mut lasting = claims();
    lasting.as_object_mut().unwrap().remove("exp");
    assert!(
        adapter(
            Some(&signed(&lasting, Algorithm::HS256, "a shared secret")),
            PLACE,
            NOW
        )
        .is_ok()
    );
}

#[test]
fn every_bad_token_is_refused_in_its_own_words() {
    let invalid = (403, "Invalid adapter token", "invalid_token");
    let missing = (403, "Missing required adapter claims", "missing_claim");
    let table = [
        (
            signed(&claims(), Algorithm::HS256, "another secret"),
            invalid,
        ),
        (
            signed(&claims(), Algorithm::HS512, "a shared secret"),
            invalid,
        ),
        (
            signed(
                &with("exp", json!(NOW)),
                Algorithm::HS256,
                "a shared secret",
            ),
            invalid,
        ),
        (
            signed(
                &with("exp", json!("soon")),
                Algorithm::HS256,
                "a shared secret",
            ),
            invalid,
        ),
        (
            signed(
                &with("nbf", json!(NOW + 1)),
                Algorithm::HS256,
                "a shared secret",
            ),
            invalid,
        ),
        ("no token".to_owned(), invalid),
        (
            signed(
                &with("type", json!("agent")),
                Algorithm::HS256,
                "a shared secret",
            ),
            (403, "Invalid adapter token type", "invalid_token"),
        ),
        (
            signed(
                &with("adapter_id", json!(null)),
                Algorithm::HS256,
                "a shared secret",
            ),
            missing,
        ),
        (
            signed(
                &with("allowed_capabilities", json!("all")),
                Algorithm::HS256,
                "a shared secret",
            ),
            missing,
        ),
        (
            signed(
                &with("tenant_id", json!("other")),
                Algorithm::HS256,
                "a shared secret",
            ),
            (
                403,
                "Tenant mismatch for single-tenant Core",
                "invalid_token",
            ),
        ),
        (
            signed(
                &with("workspace_id", json!("other")),
                Algorithm::HS256,
                "a shared secret",
            ),
            (
                403,
                "Workspace mismatch for single-tenant Core",
                "invalid_token",
            ),
        ),
    ];
    for (token, (status, error, code)) in table {
        assert_eq!(
            said(adapter(Some(&token), PLACE, NOW)),
            (status, error.to_owned(), code),
            "{token}"
        );
    }
    assert_eq!(
        said(adapter(None, PLACE, NOW)),
        (401, "Missing adapter token".to_owned(), "missing_token")
    );
}

#[test]
fn an_unsigned_token_is_no_token() {
    let part = |value: Value| {
        base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            value.to_string(),
        )
    };
    let token = format!(
        "{}.{}.",
        part(json!({"alg": "none", "typ": "JWT"})),
        part(claims())
    );
    assert_eq!(said(adapter(Some(&token), PLACE, NOW)).0, 403);
}

#[test]
fn without_a_secret_no_token_can_be_checked() {
    let token = signed(&claims(), Algorithm::HS256, "a shared secret");
    let (status, error, code) = said(adapter(
        Some(&token),
        Place {
            secret: None,
            ..PLACE
        },
        NOW,
    ));
    assert_eq!((status, code), (500, "config_error"));
    assert_eq!(
        error,
        "ADAPTER_JWT_SECRET is required to verify adapter tokens."
    );
}

#[test]
fn the_operators_key_opens_and_nothing_else_does() {
    assert!(operator(Some("key"), Some("key")).is_ok());
    for (presented, configured) in [
        (None, Some("key")),
        (Some("kex"), Some("key")),
        (Some("key"), None),
        (Some(""), None),
    ] {
        assert!(
            operator(presented, configured).is_err(),
            "{presented:?} {configured:?}"
        );
    }
}

#[test]
fn a_probes_token_is_good_for_five_minutes_and_one_tool() {
    let token = probe_token(PLACE, NOW).unwrap();
    let probe = adapter(Some(&token), PLACE, NOW + 299).unwrap();
    assert_eq!(
        (probe.id.as_str(), probe.capabilities),
        ("openclaw-local", vec![PROBE_TOOL.to_owned()])
    );
    assert!(adapter(Some(&token), PLACE, NOW + 300).is_err());
    assert!(
        probe_token(
            Place {
                secret: None,
                ..PLACE
            },
            NOW
        )
        .is_err()
    );
}

#[test]
fn a_token_that_is_remembered_still_runs_out() {
    let known = GoodTokens::default();
    let mut dated = claims();
    dated["nbf"] = json!(NOW);
    let token = signed(&dated, Algorithm::HS256, "a shared secret");
    let shown = |now| super::adapter(Some(&token), PLACE, now, &known);
    assert!(shown(NOW - 1).is_err());
    for now in [NOW, NOW + 1, NOW + 7199] {
        assert_eq!(shown(now).unwrap().actor, "adapter:desk");
    }
    for now in [NOW + 7200, NOW - 1] {
        assert_eq!(
            said(shown(now)),
            (403, "Invalid adapter token".to_owned(), "invalid_token")
        );
    }
}

#[test]
fn what_is_remembered_of_one_token_helps_no_other() {
    let known = GoodTokens::default();
    let token = signed(&claims(), Algorithm::HS256, "a shared secret");
    super::adapter(Some(&token), PLACE, NOW, &known).unwrap();
    let forged = signed(&claims(), Algorithm::HS256, "another secret");
    let cut = &token[..token.len() - 1];
    for bad in [forged.as_str(), cut, ""] {
        assert!(super::adapter(Some(bad), PLACE, NOW, &known).is_err());
        assert!(super::adapter(Some(bad), PLACE, NOW, &known).is_err());
    }
    for number in 0..2 * super::GOOD_TOKENS_MAX {
        let one = signed(
            &with("jti", json!(number)),
            Algorithm::HS256,
            "a shared secret",
        );
        super::adapter(Some(&one), PLACE, NOW, &known).unwrap();
    }
    assert!(known.0.lock().unwrap().len() <= super::GOOD_TOKENS_MAX);
}
