//! What can be asked of a log: the commands, and what deciding one gives.
//!
//! A command is already in our own words; surfaces translate theirs at the edge. It carries no time, no randomness and no
//! signature: those come with the moment at which it is decided.

use crate::producer::Checked;
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{OutcomeRecorded, Request};
use probity_schemas::event::key::{AnswerSignature, KeyRegistered};
use probity_schemas::event::log::{BundleExported, LogOpened, LogRestored, SettingChanged};
use probity_schemas::event::personal::HoldLifted;
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet, CredentialIssued};
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::event::signer::SignerCompromised;
use probity_schemas::event::telemetry::{
    AttachmentRef, AuditIngested, CostIngested, MetricIngested, TraceIngested, ViolationIngested,
};
use probity_schemas::hash::Hash;
use probity_schemas::policy::Policy;
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Somebody asks for something.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who asks, authenticated: `adapter:…`, `agent:…`, `user:…`, `system`.
    pub actor: String,
    /// Which API it came through.
    pub surface: &'static str,
    /// The workspace; absent means the tenant's default one.
    pub workspace: Option<String>,
    /// CloudEvents `correlationid`.
    pub correlation: Option<String>,
    /// CloudEvents `causationid`.
    pub causation: Option<String>,
    /// W3C `traceparent`.
    pub traceparent: Option<String>,
    /// What is asked.
    pub operation: Operation,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Open the log; only the ledger itself asks, once.
    OpenLog(Box<LogOpened>),
    /// Go on after a loss; only the ledger itself asks, on an operator's word.
    RestoreLog(Box<LogRestored>),
    /// Change a setting.
    ChangeSetting(SettingChanged),
    /// Register an adapter, or register it anew.
    RegisterAdapter(Box<AdapterRegistered>),
    /// Decide on a request.
    RequestDecision(Box<DecisionRequest>),
    /// Resolve a pending decision.
    ResolveApproval(Resolution),
    /// Take a report about an execution.
    Report(Box<Report>),
    /// Take observations, all or none.
    Observe(Vec<Observation>),
    /// Publish a policy.
    PublishPolicy(Box<Policy>),
    /// Retire the policy of this name.
    RetirePolicy(String),
    /// Set the budget.
    SetBudget(BudgetSet),
    /// Issue a credential under an id.
    IssueCredential(String, Box<CredentialIssued>),
    /// Revoke the credential of this id, with a reason.
    RevokeCredential(String, Option<String>),
    /// Register a key of an actor.
    RegisterKey(Box<KeyRegistered>),
    /// Revoke the key of this id, with a reason.
    RevokeKey(String, Option<String>),
    /// Have another key, a verifier key that the ledger can sign with, sign the checkpoints from now on.
    RotateSigner {
        /// The new verifier key.
        signer: String,
        /// Why.
        reason: Option<String>,
    },
    /// Say that a key that signs no more was compromised.
    ReportCompromise(SignerCompromised),
    /// Record what has run out by now; the ledger's own clock asks.
    ExpireDue,
    /// Record that a bundle was made.
    RecordExport(BundleExported),
    /// Seal the register and these runs of subjects; only the ledger itself asks.
    Seal(Box<SubjectsSealed>),
    /// Forget a person.
    Erase(Erasure),
    /// Set a legal hold.
    SetHold(Hold),
    /// Lift a legal hold.
    LiftHold(HoldLifted),
}

/// A person is to be forgotten.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Who; in no record.
    pub person: String,
    /// The legal basis, in words.
    pub basis: String,
    /// What stands for the person in the records, if anything is held of them: filled in by whoever keeps the keys.
    pub token: Option<String>,
    /// Attachments that belong to the person, by name; of these the writer leaves those whose content is there.
    pub attachments: BTreeSet<String>,
    /// How many disclosures of the person there are: the writer counts them.
    pub disclosures: u64,
}

/// A legal hold.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Its name.
    pub id: String,
    /// Whom it is about, everybody where nobody is named; in no record.
    pub person: Option<String>,
    /// What stands for the person in the records: filled in by whoever keeps the keys.
    pub token: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// A request for a decision.
#[derive(Clone, Debug)]
pub struct DecisionRequest {
    /// The request as it is recorded.
    pub request: Request,
    /// Values about persons in its context and metadata; none is left once they are withheld.
    pub personal: Vec<Personal>,
    /// The two bodies with those values in their places; none where nothing was withheld. In no record.
    pub clear: Option<ClearBodies>,
}

/// Bodies of a request as they were sent.
#[derive(Clone, Debug)]
pub struct ClearBodies {
    /// The caller's context.
    pub context: Option<Body>,
    /// Anything else the caller reports about its agent.
    pub metadata: Option<Body>,
}

impl From<Request> for DecisionRequest {
    fn from(request: Request) -> Self {
        Self {
            request,
            personal: Vec::new(),
            clear: None,
        }
    }
}

impl From<Request> for Box<DecisionRequest> {
    fn from(request: Request) -> Self {
        Self::new(request.into())
    }
}

/// A value about a person, in a body that is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal {
    /// Where in the body: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// About whom; in no record.
    pub person: String,
}

/// A person's answer to a pending decision.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// Which decision.
    pub decision: Uuid,
    /// Granted, or denied.
    pub grant: bool,
    /// Why.
    pub justification: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// The person's own signature.
    pub signature: Option<AnswerSignature>,
}

/// A report about an execution, by the one who executes.
#[derive(Clone, Debug)]
pub struct Report {
    /// The reporter's id of the execution.
    pub execution: String,
    /// Reports of one execution with one such key are the same report.
    pub dedup: String,
    /// What is reported.
    pub body: ReportBody,
    /// What the door found of its producer's signature; none: it came without.
    pub signature: Option<Checked>,
}

/// What is reported.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each variant is the documented event of the same name"
)]
pub enum ReportBody {
    Outcome(Box<OutcomeRecorded>),
    Trace(Box<TraceIngested>),
    Audit(Box<AuditIngested>),
    Cost(Box<CostIngested>),
    Metric(Box<MetricIngested>),
    Violation(Box<ViolationIngested>),
}

impl ReportBody {
    /// The event, as it was reported.
    #[must_use]
    pub fn event(&self) -> Event {
        match self {
            Self::Outcome(body) => Event::OutcomeRecorded(body.clone()),
            Self::Trace(body) => Event::TraceIngested(body.clone()),
            Self::Audit(body) => Event::AuditIngested(body.clone()),
            Self::Cost(body) => Event::CostIngested(body.clone()),
            Self::Metric(body) => Event::MetricIngested(body.clone()),
            Self::Violation(body) => Event::ViolationIngested(body.clone()),
        }
    }
}

/// Any other thing reported to us.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The reporter's label.
    pub kind: String,
    /// What it is about.
    pub subject: Subject,
    /// What was reported.
    pub body: Body,
    /// Values about persons; none is left once they are withheld.
    pub personal: Vec<Personal>,
    /// Content that belongs to it, kept beside the log already.
    pub attachments: Vec<AttachmentRef>,
    /// CloudEvents `correlationid`, of this one.
    pub correlation: Option<String>,
    /// CloudEvents `causationid`, of this one.
    pub causation: Option<String>,
    /// W3C `traceparent`, of this one.
    pub traceparent: Option<String>,
}

/// A second name by which a case or a report is found; kept in an index beside the records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

impl Alias {
    /// The newest decision about an execution.
    #[must_use]
    pub fn execution(actor: &str, workspace: Option<&str>, execution: &str) -> Self {
        Self(format!(
            "execution\n{actor}\n{}\n{execution}",
            workspace.unwrap_or_default()
        ))
    }

    /// One report about an execution.
    #[must_use]
    pub fn report(actor: &str, workspace: Option<&str>, execution: &str, dedup: &str) -> Self {
        Self(format!(
            "report\n{actor}\n{}\n{execution}\n{dedup}",
            workspace.unwrap_or_default()
        ))
    }

    /// The stream of reports about an execution that no decision is known of.
    #[must_use]
    pub fn ungoverned(actor: &str, workspace: Option<&str>, execution: &str) -> Self {
        Self(format!(
            "ungoverned\n{actor}\n{}\n{execution}",
            workspace.unwrap_or_default()
        ))
    }

    /// The text it is stored under.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When a command is decided, and the fresh values it may use. Made by the writer, never here.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of all its records.
    pub time: Time,
    /// A fresh UUIDv7: the id of what the command brings into being.
    pub id: Uuid,
    /// 32 fresh random bytes.
    pub salt: Hash,
}

/// An event that is to become a record.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The stream it belongs to.
    pub subject: Subject,
    /// The event.
    pub event: Event,
    /// Second names that from now on lead to the subject.
    pub aliases: Vec<Alias>,
    /// Takes the place of the command's, where an observation brings its own.
    pub correlation: Option<String>,
    /// Likewise.
    pub causation: Option<String>,
    /// Likewise.
    pub traceparent: Option<String>,
}

/// What is answered besides the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The records say it all.
    Recorded,
    /// The same report was recorded before; nothing was recorded now.
    Duplicate,
    /// The same request waits already, or was denied by a person; nothing was recorded now.
    Standing {
        /// The decision it stands under.
        decision: Uuid,
        /// How it stands: [`Standing::Pending`] or [`Standing::Denied`].
        standing: Standing,
    },
    /// The same request was approved; its grant is consumed by this request.
    Resumed {
        /// The approved decision.
        decision: Uuid,
    },
    /// A person answered too late: that the decision had run out is recorded, the answer is not.
    Expired {
        /// The decision.
        decision: Uuid,
    },
}

/// How a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a person.
    Pending,
    /// A person granted it, and the grant is unused.
    Approved,
    /// A person refused it.
    Denied,
    /// The rules allowed it.
    Allowed,
    /// A person granted it, and the grant is used.
    Consumed,
    /// The rules refused it.
    Refused,
    /// Time ran out, for the person or for the grant.
    Expired,
}

impl Standing {
    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Allowed => "allowed",
            Self::Consumed => "consumed",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
