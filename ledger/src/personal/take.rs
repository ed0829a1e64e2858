//! Taking personal values out of what a command reports or asks: digests stay in their places, and what opens them is sealed.
//!
//! Salts are random, but for requests: asking again under the same execution must be the same request, which is known by a digest
//! over what is recorded. There a salt is made with the person's key from the execution, the place and the value, so that the same
//! values give the same digests as long as the person is not erased, and nobody without the key can try values.

use crate::error::SubmitError;
use crate::persons::{PersonError, PersonKey, Persons};
use crate::store::PersonToken;
use probity_governance::command::{
    ClearBodies, DecisionRequest, Observation, Personal, Report, ReportBody,
};
use probity_governance::engine::RISK_FLAGS;
use probity_governance::personal::{marks, setting_of};
use probity_schemas::body::Body;
use probity_schemas::disclosure::{Digest, MarkError, withhold};
use probity_schemas::event::decision::Request;
use probity_schemas::limits::LABEL_BYTES_MAX;
use probity_schemas::subject::Tenant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The kind of a request for a decision.
const DECISION: &str = "decision.made";

/// A disclosure whose record has no sequence yet.
pub(super) struct Waiting {
    pub(super) digest: Digest,
    pub(super) person: PersonToken,
    pub(super) sealed: Vec<u8>,
}

/// What was taken out of one command so far.
pub(super) struct Taking<'a> {
    persons: &'a Persons,
    tenant: &'a Tenant,
    settings: &'a BTreeMap<String, String>,
    keys: BTreeMap<String, PersonKey>,
    disclosures: Vec<Waiting>,
}

/// Where the salts of a body come from.
#[derive(Clone, Copy)]
enum Salts<'a> {
    Random,
    /// From the person's key and these texts.
    Derived(&'a [&'a str]),
}

/// The salt for the value of a pointer, by its index.
type SaltOf<'s> = Box<dyn Fn(usize, &Body) -> [u8; 32] + Send + 's>;

/// The parts of a request in which values can be withheld, as one body; fields in key order.
#[derive(Serialize, Deserialize)]
struct Bodies {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Body>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Body>,
}

impl<'a> Taking<'a> {
    pub(super) fn new(
        persons: &'a Persons,
        tenant: &'a Tenant,
        settings: &'a BTreeMap<String, String>,
    ) -> Self {
        Self {
            persons,
            tenant,
            settings,
            keys: BTreeMap::new(),
            disclosures: Vec::new(),
        }
    }

    /// What opens the digests, and under what the command's fingerprint is hashed once more if there are any.
    pub(super) fn end(self) -> (Vec<Waiting>, Option<Zeroizing<[u8; 32]>>) {
        let fingerprint_key = (!self.keys.is_empty()).then(|| Persons::common(&self.keys));
        (self.disclosures, fingerprint_key)
    }

    pub(super) async fn observations(
        &mut self,
        observations: &mut [Observation],
    ) -> Result<(), SubmitError> {
        for (line, one) in (1..).zip(observations) {
            let line = Some(line);
            let own = std::mem::take(&mut one.personal);
            let personal = marks(self.settings, &one.kind, &one.body, own)
                .map_err(|why| SubmitError::PersonMissing { line, why })?;
            one.body = self.body(line, &one.body, &personal, Salts::Random).await?;
        }
        Ok(())
    }

    pub(super) async fn report(&mut self, report: &mut Report) -> Result<(), SubmitError> {
        let (kind, body) = match &mut report.body {
            ReportBody::Outcome(outcome) => ("outcome.recorded", &mut outcome.body),
            ReportBody::Audit(audit) => ("audit.ingested", &mut audit.body),
            ReportBody::Violation(violation) => ("violation.ingested", &mut violation.body),
            ReportBody::Trace(_) | ReportBody::Cost(_) | ReportBody::Metric(_) => return Ok(()),
        };
        let Some(body) = body else { return Ok(()) };
        let personal = marks(self.settings, kind, body, Vec::new())
            .map_err(|why| SubmitError::PersonMissing { line: None, why })?;
        if personal.is_empty() {
            return Ok(());
        }
        let signature = report.signature.as_ref();
        if signature.is_some_and(|found| found.is_kept_whole(self.settings)) {
            let setting = setting_of(kind);
            return Err(SubmitError::PersonalSigned { setting });
        }
        *body = self.body(None, body, &personal, Salts::Random).await?;
        Ok(())
    }

    /// Values are taken out of context and metadata; what was sent stays beside the request until it is decided.
    pub(super) async fn request(
        &mut self,
        actor: &str,
        workspace: Option<&str>,
        asked: &mut DecisionRequest,
    ) -> Result<(), SubmitError> {
        let own = std::mem::take(&mut asked.personal);
        if own.is_empty() && !self.settings.contains_key(&setting_of(DECISION)) {
            return Ok(());
        }
        let body = joined(&asked.request)?;
        let personal = marks(self.settings, DECISION, &body, own)
            .map_err(|why| SubmitError::PersonMissing { line: None, why })?;
        if personal.is_empty() {
            return Ok(());
        }
        personal.iter().try_for_each(check_place)?;
        // Who names no execution is told this one, and may come back with it: the digests must then be the same.
        let execution = match &mut asked.request.execution {
            Some(execution) => execution.clone(),
            unnamed => unnamed.insert(fresh_id()?).clone(),
        };
        let texts = [actor, workspace.unwrap_or_default(), &execution];
        let withheld = self
            .body(None, &body, &personal, Salts::Derived(&texts))
            .await?;
        let withheld: Bodies = serde_json::from_str(withheld.as_str()).map_err(|_| too_deep())?;
        asked.clear = Some(ClearBodies {
            context: std::mem::replace(&mut asked.request.context, withheld.context),
            metadata: std::mem::replace(&mut asked.request.metadata, withheld.metadata),
        });
        Ok(())
    }

    /// Takes these values out of a body.
    async fn body(
        &mut self,
        line: Option<usize>,
        body: &Body,
        personal: &[Personal],
        salts: Salts<'_>,
    ) -> Result<Body, SubmitError> {
        if personal.is_empty() {
            return Ok(body.clone());
        }
        self.make_keys(line, personal).await?;
        let salts = self.salts(personal, salts)?;
        let pointers: Vec<&str> = personal.iter().map(|one| one.pointer.as_str()).collect();
        let withheld = withhold(body, &pointers, &mut |index, value| salts(index, value))
            .map_err(|why| SubmitError::Personal { line, why })?;
        let mut sealed = Vec::with_capacity(personal.len());
        for (one, disclosure) in personal.iter().zip(&withheld.disclosures) {
            if let Some(key) = self.keys.get(&one.person) {
                sealed.push(Waiting {
                    digest: disclosure.digest(),
                    person: key.token,
                    sealed: Persons::seal(key, &one.person, disclosure)?,
                });
            }
        }
        drop(salts);
        self.disclosures.append(&mut sealed);
        Ok(withheld.body)
    }

    /// The salt of each value, by its pointer's index.
    fn salts<'s>(
        &'s self,
        personal: &'s [Personal],
        salts: Salts<'s>,
    ) -> Result<SaltOf<'s>, PersonError> {
        let mut random = Zeroizing::new(Vec::with_capacity(personal.len()));
        for _ in personal {
            random.push(crate::ids::salt()?.0);
        }
        Ok(Box::new(move |index, value| {
            let fresh = random.get(index).copied().unwrap_or_default();
            let one = personal.get(index);
            let key = one.and_then(|one| self.keys.get(&one.person));
            match (salts, one, key) {
                (Salts::Derived(texts), Some(one), Some(key)) => {
                    let own = [one.pointer.as_str(), value.as_str()];
                    Persons::salt(key, &[texts, &own].concat())
                }
                _ => fresh,
            }
        }))
    }

    async fn make_keys(
        &mut self,
        line: Option<usize>,
        personal: &[Personal],
    ) -> Result<(), SubmitError> {
        for Personal { person, .. } in personal {
            check_person(line, person)?;
            if !self.keys.contains_key(person) {
                let key = self.persons.key(self.tenant, person).await?;
                self.keys.insert(person.clone(), key);
            }
        }
        Ok(())
    }
}

pub(super) fn check_person(line: Option<usize>, person: &str) -> Result<(), SubmitError> {
    if !(1..=LABEL_BYTES_MAX).contains(&person.len()) || person.contains('\0') {
        return Err(SubmitError::PersonName { line });
    }
    Ok(())
}

/// In a request only members of context and metadata can be withheld, and none that the risk score reads.
fn check_place(one: &Personal) -> Result<(), SubmitError> {
    let pointer = one.pointer.as_str();
    if matches!(pointer, "/context" | "/metadata") {
        let why = MarkError::WholeBody;
        return Err(SubmitError::Personal { line: None, why });
    }
    let member = pointer.strip_prefix("/context/").unwrap_or_default();
    if RISK_FLAGS.contains(&member) {
        let pointer = pointer.to_owned();
        return Err(SubmitError::PersonalRisk { pointer });
    }
    Ok(())
}

fn joined(request: &Request) -> Result<Body, SubmitError> {
    let bodies = Bodies {
        context: request.context.clone(),
        metadata: request.metadata.clone(),
    };
    let text = serde_json::to_string(&bodies).map_err(|_| too_deep())?;
    Body::from_canonical(text).map_err(|_| too_deep())
}

fn too_deep() -> SubmitError {
    let why = MarkError::TooDeep;
    SubmitError::Personal { line: None, why }
}

fn fresh_id() -> Result<String, PersonError> {
    let random = crate::ids::salt()?.0;
    let bytes = random.first_chunk::<16>().copied().unwrap_or_default();
    Ok(uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string())
}
