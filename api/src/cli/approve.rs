//! `probity approve`: a person's answer to a pending decision, signed on the person's own machine.
//!
//! What is signed is the leaf hash of the decision's record, computed here from the record's own bytes, so the server
//! cannot have another decision signed than the one that is shown.

use super::Failure;
use crate::https::{self, HttpsClient};
use crate::key::PresentedKey;
use crate::limits::{APPROVE_ANSWER_BYTES_MAX, APPROVE_SECONDS_MAX};
use crate::output::say;
use crate::person_key::{PersonKey, PersonKeyError};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Request};
use probity_schemas::checkpoint::{Checkpoint, CheckpointError};
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::event::decision::DecisionMade;
use probity_schemas::hash::Hash;
use probity_schemas::note::{Note, NoteError};
use probity_schemas::record::Record;
use probity_schemas::signature::{Answer, ApprovalStatement};
use probity_schemas::time::Time;
use reqwest::Url;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The decision that waits.
    decision: Uuid,
    /// Your own key, as `probity key approver` made it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The server, e.g. https://probity.example or http://127.0.0.1:8080. Its certificate must be one that this machine trusts, or that an authority in the file SSL_CERT_FILE vouches for.
    #[arg(long, env = "PROBITY_URL")]
    url: Url,
    /// Your credential.
    #[arg(long, env = "PROBITY_TOKEN", hide_env_values = true)]
    token: String,
    /// Refuse the act instead.
    #[arg(long)]
    deny: bool,
    /// Why.
    #[arg(long)]
    justification: Option<String>,
    /// A remark.
    #[arg(long)]
    note: Option<String>,
}

/// Why an answer was not given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApproveError {
    /// The token is none.
    #[error("the token is no key of Probity's")]
    Token,
    /// The address cannot have a path.
    #[error("{url} is no address of a server")]
    Address {
        /// The address.
        url: Url,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] PersonKeyError),
    /// No TLS can be spoken here.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The server is not reached.
    #[error("the server was not reached")]
    Unreached(#[from] hyper_util::client::legacy::Error),
    /// The server is reached, and says nothing.
    #[error("the server did not answer within {APPROVE_SECONDS_MAX} seconds")]
    Silent,
    /// The answer broke off, or has no end.
    #[error("the server's answer cannot be read")]
    Answer(#[from] axum::Error),
    /// The server refuses.
    #[error("the server refuses ({status}): {detail}")]
    Refused {
        /// Its status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// What the server says is its record is none.
    #[error("the server gave no record")]
    Record(#[from] FormatError),
    /// What the server says is its checkpoint is none.
    #[error("the server gave no checkpoint")]
    Note(#[from] NoteError),
    /// Likewise.
    #[error("the server gave no checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// The record is another one.
    #[error("the server has no decision {decision} that waits for a person")]
    NotWaiting {
        /// The decision.
        decision: Uuid,
    },
    /// The first record does not say which log it is.
    #[error("the server's first record does not open a log")]
    NotOpened,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    Ok(answer(arguments).await?)
}

async fn answer(arguments: Arguments) -> Result<(), ApproveError> {
    let key = PersonKey::load(&arguments.key)?;
    let server = Server::of(arguments.url, arguments.token)?;
    let waiting = server.decision(arguments.decision).await?;
    let (log, origin) = (server.log_id().await?, server.origin().await?);
    let (action, status) = match arguments.deny {
        false => (Answer::Approve, "approved"),
        true => (Answer::Deny, "denied"),
    };
    say(&waiting.words);
    let statement = ApprovalStatement {
        action,
        decision: waiting.leaf,
        expires: waiting.expires,
        log: &log,
        origin: &origin,
    };
    let public = key.public()?;
    let body = json!({
        "status": status,
        "justification": arguments.justification,
        "note": arguments.note,
        "signature": {
            "alg": public.algorithm().as_str(),
            "expires": waiting.expires,
            "keyid": public.id(),
            "sig": key.sign(&statement.message()),
        },
    });
    let path = format!("decisions/{}/resolve", arguments.decision);
    let answered = server.post(&path, &body).await?;
    let answered: Value = serde_json::from_slice(&answered).unwrap_or_default();
    say(format_args!(
        "{status} and signed by {}: record {}",
        public.id(),
        answered["sequence"]
    ));
    Ok(())
}

/// A decision that waits, as its record says.
struct Waiting {
    leaf: Hash,
    expires: Time,
    words: String,
}

struct Server {
    http: HttpsClient,
    base: Url,
    authorization: HeaderValue,
    tenant: String,
}

impl Server {
    fn of(base: Url, token: String) -> Result<Self, ApproveError> {
        let presented = PresentedKey::parse(&token).ok_or(ApproveError::Token)?;
        let authorization = HeaderValue::try_from(format!("Bearer {token}"));
        let mut authorization = authorization.map_err(|_| ApproveError::Token)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: https::client()?,
            base,
            authorization,
            tenant: presented.tenant.to_string(),
        })
    }

    async fn get(&self, path: &str) -> Result<Bytes, ApproveError> {
        let request = Request::get(self.url(path)?.as_str());
        self.call(request.body(Body::empty())).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Bytes, ApproveError> {
        let request = Request::post(self.url(path)?.as_str());
        let request = request.header(CONTENT_TYPE, "application/json");
        self.call(request.body(Body::from(body.to_string()))).await
    }

    fn url(&self, path: &str) -> Result<Url, ApproveError> {
        let joined = self.base.join(&format!("/v1/logs/{}/{path}", self.tenant));
        joined.map_err(|_| self.no_address())
    }

    fn no_address(&self) -> ApproveError {
        ApproveError::Address {
            url: self.base.clone(),
        }
    }

    async fn call(
        &self,
        request: Result<Request<Body>, axum::http::Error>,
    ) -> Result<Bytes, ApproveError> {
        let mut request = request.map_err(|_| self.no_address())?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        let wait = Duration::from_secs(APPROVE_SECONDS_MAX);
        let answered = tokio::time::timeout(wait, async {
            let answer = self.http.request(request).await?;
            let status = answer.status();
            let body = to_bytes(Body::new(answer.into_body()), APPROVE_ANSWER_BYTES_MAX).await?;
            Ok::<_, ApproveError>((status, body))
        });
        let (status, body) = answered.await.map_err(|_| ApproveError::Silent)??;
        if status.is_success() {
            return Ok(body);
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().or(problem["title"].as_str());
        Err(ApproveError::Refused {
            status: status.as_u16(),
            detail: detail.unwrap_or("no reason given").to_owned(),
        })
    }

    /// The first line of an answer that has at least one.
    async fn line(&self, path: &str) -> Result<Bytes, ApproveError> {
        let lines = self.get(path).await?;
        let end = lines.iter().position(|byte| *byte == b'\n');
        Ok(lines.slice(..end.unwrap_or(0)))
    }

    async fn decision(&self, decision: Uuid) -> Result<Waiting, ApproveError> {
        let subject = format!("decision/{decision}");
        let path = format!("records?subject={subject}&from=0&limit=1");
        let line = self.line(&path).await?;
        let not_waiting = ApproveError::NotWaiting { decision };
        if line.is_empty() {
            return Err(not_waiting);
        }
        let record = Record::parse(&line)?;
        match record.event()? {
            Event::DecisionMade(made) if record.envelope.subject == subject => {
                waiting(&record, &made).ok_or(not_waiting)
            }
            _ => Err(not_waiting),
        }
    }

    async fn log_id(&self) -> Result<String, ApproveError> {
        let line = self.line("records?from=0&limit=1").await?;
        match Record::parse(&line)?.event()? {
            Event::LogOpened(opened) => Ok(opened.log_id),
            _ => Err(ApproveError::NotOpened),
        }
    }

    async fn origin(&self) -> Result<String, ApproveError> {
        let note = self.get("checkpoint").await?;
        let note = Note::parse(&String::from_utf8_lossy(&note))?;
        Ok(Checkpoint::parse(note.text())?.origin)
    }
}

fn waiting(record: &Record<'_>, made: &DecisionMade) -> Option<Waiting> {
    let expires = made.approval.as_ref()?.expires;
    let request = serde_json::to_string(&made.facts.request).ok()?;
    let words = format!(
        "{} asks: {}\nwhy it waits: {}\nrequest: {request}\ndecision: {}",
        record.envelope.actor, made.facts.request.action, made.explanation, record.leaf
    );
    Some(Waiting {
        leaf: record.leaf,
        expires,
        words,
    })
}
