//! Who is asking: from a minted key to a [`Principal`].
//!
//! A key is presented as `Authorization: Bearer KEY` or `x-api-key: KEY`. Unknown, wrong and revoked keys get the same
//! answer. A tenant's path under another tenant's key does not exist. What a surface's own tokens are, its folder knows;
//! it makes a `Principal` of them too. The rules authorise each command once more.

use crate::app::App;
use crate::error::ApiError;
use crate::key::PresentedKey;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Role};

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose ledger it may see.
    pub tenant: Tenant,
    /// Who it is, as records name it.
    pub actor: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Which credential it came with.
    pub credential: String,
}

/// What a native route needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Append observations.
    Append,
    /// Issue and revoke credentials.
    Credentials,
    /// Set the budget.
    Budget,
    /// Forget persons, set and lift legal holds.
    Persons,
    /// Open personal values.
    Disclosures,
    /// Read checkpoints, receipts and the verifier key: they show no content.
    Prove,
    /// Read records, make bundles.
    Records,
    /// Resolve pending decisions.
    Resolve,
    /// Read views and metrics.
    Views,
}

impl Right {
    /// The roles that have it.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Append => &[Role::Admin, Role::Approver, Role::Operator, Role::Agent],
            Self::Credentials | Self::Budget | Self::Persons => &[Role::Admin],
            Self::Disclosures => &[Role::Admin, Role::Operator, Role::Auditor],
            Self::Prove => Role::ALL,
            Self::Records => &[Role::Admin, Role::Approver, Role::Operator, Role::Auditor],
            Self::Resolve => &[Role::Admin, Role::Approver],
            Self::Views => &[
                Role::Admin,
                Role::Approver,
                Role::Operator,
                Role::Auditor,
                Role::Viewer,
            ],
        }
    }
}

impl Principal {
    /// Finds out who presents a minted key, and counts the request.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] without saying which part was wrong; [`ApiError::RateLimited`]; [`ApiError::Read`] when
    /// the ledger cannot say.
    pub async fn from_headers(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        let presented = presented_key(headers)
            .and_then(PresentedKey::parse)
            .ok_or(ApiError::Unauthorized)?;
        let directory = app
            .ledger
            .directory(&presented.tenant)
            .await?
            .ok_or(ApiError::Unauthorized)?;
        let credential = directory
            .credentials
            .get(&presented.id)
            .ok_or(ApiError::Unauthorized)?;
        let valid = credential.method == CredentialMethod::Key && !credential.revoked;
        if !presented.matches(&credential.digest) || !valid {
            return Err(ApiError::Unauthorized);
        }
        app.count_request(&presented.id)?;
        Ok(Self {
            tenant: presented.tenant,
            actor: credential.actor.clone(),
            roles: credential.roles.clone(),
            credential: presented.id,
        })
    }

    /// Goes on only with a right.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] without it.
    pub fn require(&self, right: Right) -> Result<(), ApiError> {
        let entitled = self.roles.iter().any(|role| right.roles().contains(role));
        if entitled {
            Ok(())
        } else {
            Err(ApiError::Forbidden {
                roles: right.roles(),
            })
        }
    }
}

/// The caller of a path with a `{tenant}`: authenticated, and of that tenant.
impl FromRequestParts<App> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let principal = Self::from_headers(app, &parts.headers).await?;
        let span = tracing::Span::current();
        span.record("tenant.id", principal.tenant.as_str())
            .record("actor.id", principal.actor.as_str());
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::NotFound { what: "route" })?;
        let own = path
            .iter()
            .all(|(name, value)| name != "tenant" || value == principal.tenant.as_str());
        if own {
            Ok(principal)
        } else {
            Err(ApiError::NotFound { what: "log" })
        }
    }
}

/// The key in a request's head, whichever way it is carried.
fn presented_key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        });
    bearer.or_else(|| {
        headers
            .get("x-api-key")
            .and_then(|value| value.to_str().ok())
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Principal, Right, presented_key};
    use axum::http::HeaderMap;
    use probity_schemas::subject::Tenant;
    use probity_schemas::vocabulary::Role;

    /// Who may do what, as a table: role by role.
    #[test]
    fn roles_are_closed_by_default() {
        use Right::{
            Append, Budget, Credentials, Disclosures, Persons, Prove, Records, Resolve, Views,
        };
        let all = [
            Append,
            Budget,
            Credentials,
            Disclosures,
            Persons,
            Prove,
            Records,
            Resolve,
            Views,
        ];
        let table: [(Role, &[Right]); 6] = [
            (Role::Admin, &all),
            (Role::Approver, &[Append, Prove, Records, Resolve, Views]),
            (
                Role::Operator,
                &[Append, Disclosures, Prove, Records, Views],
            ),
            (Role::Agent, &[Append, Prove]),
            (Role::Auditor, &[Disclosures, Prove, Records, Views]),
            (Role::Viewer, &[Prove, Views]),
        ];
        for (role, rights) in table {
            let principal = Principal {
                tenant: Tenant::parse("t").unwrap(),
                actor: "user:u".to_owned(),
                roles: vec![role],
                credential: String::new(),
            };
            for right in all {
                assert_eq!(
                    principal.require(right).is_ok(),
                    rights.contains(&right),
                    "{role} {right:?}"
                );
            }
        }
    }

    #[test]
    fn a_key_is_carried_in_two_ways() {
        let head = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
        };
        assert_eq!(presented_key(&head("authorization", "Bearer k")), Some("k"));
        assert_eq!(presented_key(&head("authorization", "bearer k")), Some("k"));
        assert_eq!(presented_key(&head("x-api-key", "k")), Some("k"));
        assert_eq!(presented_key(&head("authorization", "Basic k")), None);
        assert_eq!(presented_key(&HeaderMap::new()), None);
    }
}
