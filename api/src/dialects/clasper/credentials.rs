//! Who is asking: an adapter by the token it signs with the shared secret, or an operator by the shared key.
//!
//! Pure: what was presented, what is configured and the time go in, an identity or the surface's refusal comes out. The
//! secret admits any adapter of the tenant (its holder names itself); what a named adapter may do is for the rules.

use super::envelope::Failure;
use axum::http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use probity_schemas::subject::actor;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Header that carries an adapter's token.
pub(crate) const ADAPTER_HEADER: &str = "x-adapter-token";

/// Header that carries the operators' key.
pub(crate) const OPERATOR_HEADER: &str = "x-ops-api-key";

/// The tool by which installations test themselves; its requests need no capability.
pub(crate) const PROBE_TOOL: &str = "__clasper_probe__";

/// The adapter in whose name they do so.
const PROBE_ADAPTER: &str = "openclaw-local";

/// How long the token of a probe is good.
const PROBE_SECONDS: i64 = 300;

/// How the names of such tools begin; no policy may name one.
pub(crate) const PROBE_TOOL_PREFIX: &str = "__clasper_";

/// An adapter that proved to hold the shared secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adapter {
    /// Its own id.
    pub(crate) id: String,
    /// The name under which it acts.
    pub(crate) actor: String,
    /// The tenant of its claims: the only one of this surface.
    pub(crate) tenant: String,
    /// The workspace of its claims, likewise.
    pub(crate) workspace: String,
    /// What it may ask for.
    pub(crate) capabilities: Vec<String>,
}

impl Adapter {
    /// Whether ids that a request states are those of the token.
    pub(crate) fn is(&self, tenant: &str, workspace: &str, adapter: &str) -> bool {
        self.tenant == tenant && self.workspace == workspace && self.id == adapter
    }
}

/// Tokens whose signature and claims were found good, by their BLAKE3: an adapter shows the same one with every request. Times
/// are looked at each time.
#[derive(Default)]
pub(crate) struct GoodTokens(Mutex<HashMap<blake3::Hash, Good>>);

/// Tokens that are remembered. When there are more, all are forgotten, and checked again as they come.
const GOOD_TOKENS_MAX: usize = 1024;

/// A good token.
#[derive(Clone)]
struct Good {
    adapter: Adapter,
    times: Times,
}

/// When a token is good, Unix seconds; no leeway.
#[derive(Clone, Copy)]
struct Times {
    not_before: Option<i64>,
    expires: Option<i64>,
}

impl GoodTokens {
    fn get(&self, digest: &blake3::Hash) -> Option<Good> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).cloned()
    }

    fn put(&self, digest: blake3::Hash, good: Good) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= GOOD_TOKENS_MAX {
            known.clear();
        }
        known.insert(digest, good);
    }
}

impl Times {
    /// What the claims say; none where `exp` or `nbf` is there and is no whole number.
    fn of(claims: &Map<String, Value>) -> Option<Self> {
        let time = |claim: &str| claims.get(claim).map(Value::as_i64);
        let (not_before, expires) = (time("nbf"), time("exp"));
        let unreadable = not_before == Some(None) || expires == Some(None);
        (!unreadable).then_some(Self {
            not_before: not_before.flatten(),
            expires: expires.flatten(),
        })
    }

    fn allow(self, now: i64) -> bool {
        self.not_before.is_none_or(|from| now >= from) && self.expires.is_none_or(|end| now < end)
    }
}

/// Where tokens are valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The secret that adapters sign with.
    pub(crate) secret: Option<&'a str>,
    /// The one algorithm they sign by.
    pub(crate) algorithm: Algorithm,
    /// The tenant served.
    pub(crate) tenant: &'a str,
    /// The workspace served.
    pub(crate) workspace: &'a str,
}

impl Place<'_> {
    /// Goes on only with the tenant that is served, where one is stated.
    pub(crate) fn is_of(&self, tenant: Option<&str>) -> Result<(), Failure> {
        tenant.map_or(Ok(()), |tenant| self.holds("tenant_id", tenant))
    }

    /// Goes on only if a member named `tenant_id` or `workspace_id` says the one that is served.
    pub(crate) fn holds(&self, name: &str, value: &str) -> Result<(), Failure> {
        let denied = |what| Err(Failure::said(StatusCode::FORBIDDEN, what));
        match name {
            "tenant_id" if value != self.tenant => denied("Tenant access denied"),
            "workspace_id" if value != self.workspace => denied("Workspace access denied"),
            _ => Ok(()),
        }
    }
}

/// Checks an adapter's token; one that is remembered, by its times alone. Whoever remembers it does so for one place.
pub(crate) fn adapter(
    token: Option<&str>,
    place: Place<'_>,
    now_seconds: i64,
    known: &GoodTokens,
) -> Result<Adapter, Failure> {
    let token = token.ok_or_else(|| {
        refuse(
            StatusCode::UNAUTHORIZED,
            "Missing adapter token",
            "missing_token",
        )
    })?;
    let digest = blake3::hash(token.as_bytes());
    let good = match known.get(&digest) {
        Some(good) => good,
        None => {
            let good = check(token, place, now_seconds)?;
            known.put(digest, good.clone());
            good
        }
    };
    if good.times.allow(now_seconds) {
        Ok(good.adapter)
    } else {
        Err(forbid("Invalid adapter token", "invalid_token"))
    }
}

/// Checks a token that nobody remembers.
fn check(token: &str, place: Place<'_>, now_seconds: i64) -> Result<Good, Failure> {
    let secret = place.secret.ok_or_else(no_secret)?;
    let invalid = || forbid("Invalid adapter token", "invalid_token");
    let claims = signed_claims(token, secret, place.algorithm).ok_or_else(invalid)?;
    let times = Times::of(&claims).ok_or_else(invalid)?;
    if !times.allow(now_seconds) {
        return Err(invalid());
    }
    if claims.get("type").and_then(Value::as_str) != Some("adapter") {
        return Err(forbid("Invalid adapter token type", "invalid_token"));
    }
    let adapter =
        named(&claims).ok_or_else(|| forbid("Missing required adapter claims", "missing_claim"))?;
    if adapter.tenant != place.tenant {
        return Err(forbid(
            "Tenant mismatch for single-tenant Core",
            "invalid_token",
        ));
    }
    if adapter.workspace != place.workspace {
        return Err(forbid(
            "Workspace mismatch for single-tenant Core",
            "invalid_token",
        ));
    }
    Ok(Good { adapter, times })
}

/// Checks the operators' key. Without a configured key nobody is an operator here.
pub(crate) fn operator(presented: Option<&str>, configured: Option<&str>) -> Result<(), Failure> {
    let Some(configured) = configured else {
        let error = "The ops API is closed: set OPS_LOCAL_API_KEY to open it";
        return Err(refuse(StatusCode::UNAUTHORIZED, error, "missing_token"));
    };
    let presented = presented.ok_or_else(|| {
        refuse(
            StatusCode::UNAUTHORIZED,
            "Missing ops API key",
            "missing_token",
        )
    })?;
    // Equality of BLAKE3 hashes takes the same time whatever was presented.
    if blake3::hash(presented.as_bytes()) == blake3::hash(configured.as_bytes()) {
        Ok(())
    } else {
        Err(forbid("Invalid ops API key", "invalid_token"))
    }
}

/// The claims, when the signature is by the secret. Times are looked at with the caller's clock ([`Times`]).
fn signed_claims(token: &str, secret: &str, algorithm: Algorithm) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode(
        token,
        &DecodingKey::from_secret(secret.as_bytes()),
        &validation,
    )
    .ok()
    .map(|data| data.claims)
}

/// The adapter that the claims name, when all of them are there.
fn named(claims: &Map<String, Value>) -> Option<Adapter> {
    let text = |claim: &str| {
        claims
            .get(claim)?
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let capabilities = claims.get("allowed_capabilities")?.as_array()?;
    let id = text("adapter_id")?;
    Some(Adapter {
        actor: actor("adapter", &id).ok()?,
        id,
        tenant: text("tenant_id")?,
        workspace: text("workspace_id")?,
        capabilities: capabilities
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
    })
}

/// A token for the probe tool, as its adapter would mint it.
pub(crate) fn probe_token(place: Place<'_>, now_seconds: i64) -> Result<String, Failure> {
    let secret = place.secret.ok_or_else(no_secret)?;
    let claims = json!({
        "type": "adapter", "adapter_id": PROBE_ADAPTER, "tenant_id": place.tenant, "workspace_id": place.workspace,
        "allowed_capabilities": [PROBE_TOOL], "sub": format!("adapter:{PROBE_ADAPTER}"),
        "iat": now_seconds, "exp": now_seconds + PROBE_SECONDS,
    });
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(place.algorithm), &claims, &key).map_err(|fault| Failure::corrupt(&fault))
}

fn no_secret() -> Failure {
    let error = "ADAPTER_JWT_SECRET is required to verify adapter tokens.";
    refuse(StatusCode::INTERNAL_SERVER_ERROR, error, "config_error")
}

fn forbid(error: &str, code: &'static str) -> Failure {
    refuse(StatusCode::FORBIDDEN, error, code)
}

fn refuse(status: StatusCode, error: &str, code: &'static str) -> Failure {
    Failure::Credential {
        status,
        error: error.to_owned(),
        code,
    }
}

#[cfg(test)]
mod tests;
