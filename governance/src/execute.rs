//! The writer's door: a command becomes drafts of records and a reply, or is refused as a request that cannot be met.
//!
//! Pure: the state is only read, and the caller folds the records in once they are sealed. A verdict is never an error:
//! a denial is a record like any other. A [`Rejected`] command leaves nothing behind.

mod approval;
mod decision;
mod erasure;
mod registry;
mod report;

pub use report::OUTCOME_WITHOUT_ALLOW;

pub(crate) use approval::{entitling, is_person};
pub(crate) use registry::{is_credential_sound, keep_restrictions};

use crate::command::{Alias, Command, Draft, Moment, Operation, Reply, Standing};
use crate::limits::EXPIRED_PER_CALL_MAX;
use crate::permission::permit;
use crate::policy::PolicyFault;
use crate::producer::ReportFault;
use crate::settings::SettingFault;
use crate::signer::SignerFault;
use crate::signing::{KeyFault, SignatureFault};
use crate::state::{CaseStatus, Closed, OpenCase, State};
use probity_schemas::event::Event;
use probity_schemas::event::decision::DecisionExpired;
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{ExpiredPart, Role};
use uuid::Uuid;

/// What deciding looks up besides the state: second names, and closed cases that the state has forgotten.
///
/// It must answer as of the very state it is used with: what earlier commands of the same batch drafted is in it.
pub trait Index {
    /// The subject that a second name leads to.
    fn alias(&self, alias: &Alias) -> Option<String>;

    /// How a closed decision ended; none when there is no such decision, or it is open.
    fn closed(&self, decision: Uuid) -> Option<Closed>;
}

/// What a command comes to: records to be, and what is answered besides.
#[derive(Debug)]
pub struct Decided {
    drafts: Vec<Draft>,
    reply: Reply,
}

impl Decided {
    /// The records to be, in order.
    #[must_use]
    pub fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    /// What is answered besides.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Both, to be sealed and answered.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Draft>, Reply) {
        (self.drafts, self.reply)
    }

    fn recorded(drafts: Vec<Draft>) -> Self {
        Self {
            drafts,
            reply: Reply::Recorded,
        }
    }

    const fn unrecorded(reply: Reply) -> Self {
        Self {
            drafts: Vec::new(),
            reply,
        }
    }
}

/// Why a command cannot be met. Nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The actor has none of the roles.
    #[error("not entitled: this needs one of the roles {needs:?}")]
    NotEntitled {
        /// The roles of which one is needed; none: nobody but the ledger itself.
        needs: &'static [Role],
    },
    /// Only a person can approve or deny.
    #[error("only a person can approve or deny")]
    NotAPerson,
    /// Nobody approves what they asked for themselves.
    #[error("nobody approves their own request")]
    SelfApproval,
    /// The log is opened already.
    #[error("the log is opened already")]
    OpenedTwice,
    /// The log is not opened.
    #[error("the log is not opened")]
    NotOpened,
    /// No such decision.
    #[error("no decision {decision}")]
    DecisionUnknown {
        /// The id.
        decision: Uuid,
    },
    /// The decision does not wait for anybody.
    #[error("the decision is {how} already")]
    AlreadyResolved {
        /// How it stands.
        how: Standing,
    },
    /// The decision's records are needed: the caller hydrates the case and asks again. Never for a client.
    #[error("decision {decision} is not hydrated")]
    NotHydrated {
        /// The id.
        decision: Uuid,
    },
    /// The adapter that asks is another than the one it names.
    #[error("an adapter can ask in its own name only")]
    AdapterMismatch,
    /// An observation names a thing whose stream carries state.
    #[error("{subject} carries state: name it by correlation")]
    ReservedSubject {
        /// The subject.
        subject: String,
    },
    /// No policy of this name is in force.
    #[error("no policy {id}")]
    PolicyUnknown {
        /// The name.
        id: String,
    },
    /// The policy cannot be published.
    #[error("the policy is refused: {why}")]
    PolicyInvalid {
        /// Why.
        #[from]
        why: PolicyFault,
    },
    /// The setting cannot be set so.
    #[error("the setting is refused: {why}")]
    SettingInvalid {
        /// Why.
        #[from]
        why: SettingFault,
    },
    /// No credential is valid under this id.
    #[error("no credential {id}")]
    CredentialUnknown {
        /// The id.
        id: String,
    },
    /// The credential names no actor, no role, or no digest.
    #[error("a credential needs an actor, a role and a digest")]
    CredentialInvalid,
    /// The key cannot be registered.
    #[error("the key is refused: {why}")]
    KeyInvalid {
        /// Why.
        #[from]
        why: KeyFault,
    },
    /// No key is in force under this id.
    #[error("no key {id}")]
    KeyUnknown {
        /// The id.
        id: String,
    },
    /// The key does not become the signer's, or is not called compromised.
    #[error("the signer's key is refused: {why}")]
    SignerInvalid {
        /// Why.
        #[from]
        why: SignerFault,
    },
    /// The answer is not signed as it must be.
    #[error("the answer is refused: {why}")]
    SignatureInvalid {
        /// Why.
        #[from]
        why: SignatureFault,
    },
    /// The report is not signed as it must be.
    #[error("the report is refused: {why}")]
    ReportSignature {
        /// Why.
        #[from]
        why: ReportFault,
    },
    /// The budget's period is empty.
    #[error("the budget's period ends before it begins")]
    BudgetInvalid,
    /// A name is empty or too long.
    #[error("{what} is empty or too long")]
    NameInvalid {
        /// Which one.
        what: &'static str,
    },
    /// A text is too long.
    #[error("{what} is too long")]
    TextTooLong {
        /// Which one.
        what: &'static str,
    },
    /// A number that not every reader of JSON keeps.
    #[error("{what} is above 2^53 - 1")]
    NumberTooLarge {
        /// Which one.
        what: &'static str,
    },
    /// The decision's facts, or the whole of it, are more than a record holds.
    #[error("the request is too large: {bytes} bytes")]
    FactsTooLarge {
        /// Bytes of what was measured.
        bytes: usize,
    },
    /// The seal does not go on from the newest one: another was faster.
    #[error("the seal does not go on from the newest one")]
    SealOutOfPlace,
    /// No hold of this name is in force.
    #[error("no hold {id}")]
    HoldUnknown {
        /// The name.
        id: String,
    },
    /// A hold of this name is in force already.
    #[error("hold {id} is in force already")]
    HoldStands {
        /// The name.
        id: String,
    },
    /// A personal value was not withheld. Never for a client: whoever keeps the disclosures withholds before.
    #[error("a personal value is not withheld")]
    NotWithheld,
    /// Too many decisions are open.
    #[error("too many decisions are open")]
    TooManyOpen,
}

/// Decides what becomes of a command.
///
/// # Errors
/// [`Rejected`] when the command cannot be met.
pub fn execute(
    state: &State,
    index: &dyn Index,
    command: &Command,
    moment: &Moment,
) -> Result<Decided, Rejected> {
    match (&state.directory.log, &command.operation) {
        (Some(_), Operation::OpenLog(_)) => return Err(Rejected::OpenedTwice),
        (None, operation) if !matches!(operation, Operation::OpenLog(_)) => {
            return Err(Rejected::NotOpened);
        }
        _ => {}
    }
    permit(&state.directory, &command.actor, &command.operation)?;
    let call = Call {
        state,
        index,
        command,
        moment,
    };
    match &command.operation {
        Operation::RequestDecision(request) => decision::request(&call, request),
        Operation::ResolveApproval(resolution) => approval::resolve(&call, resolution),
        Operation::Report(report) => report::report(&call, report),
        Operation::Observe(observations) => report::observe(observations),
        Operation::ExpireDue => Ok(expire_due(&call)),
        Operation::Seal(runs) => registry::seal(&call, runs),
        Operation::Erase(erasure) => erasure::erase(&call, erasure),
        Operation::SetHold(hold) => erasure::set_hold(&call, hold),
        Operation::LiftHold(hold) => erasure::lift_hold(&call, hold),
        _ => registry::change(&call),
    }
}

/// One command with all that deciding it may read.
struct Call<'a> {
    state: &'a State,
    index: &'a dyn Index,
    command: &'a Command,
    moment: &'a Moment,
}

impl Call<'_> {
    /// The decision that an execution of this actor last led to.
    fn decision_of(&self, execution: &str) -> Option<Uuid> {
        let alias = Alias::execution(
            &self.command.actor,
            self.command.workspace.as_deref(),
            execution,
        );
        let subject = self.index.alias(&alias)?;
        crate::state::decision_id(&subject).ok()
    }

    /// How a closed decision ended, from memory or from its records.
    fn closed(&self, decision: Uuid) -> Option<Closed> {
        self.state
            .closed
            .get(&decision)
            .copied()
            .or_else(|| self.index.closed(decision))
    }

    /// Whether the last moment is over.
    fn is_past(&self, deadline: Time) -> bool {
        self.moment.time > deadline
    }
}

fn expire_due(call: &Call<'_>) -> Decided {
    let due = call.state.due(call.moment.time).take(EXPIRED_PER_CALL_MAX);
    let drafts =
        due.filter_map(|(_, id)| call.state.open.get(&id).and_then(|case| expired(id, case)));
    Decided::recorded(drafts.collect())
}

/// The record that a case ran out; none for one that a person refused.
fn expired(decision: Uuid, case: &OpenCase) -> Option<Draft> {
    let (expired, part) = match case.status {
        CaseStatus::Pending { expires } => (expires, ExpiredPart::Approval),
        CaseStatus::Approved { expires } => (expires, ExpiredPart::Grant),
        CaseStatus::Denied { .. } => return None,
    };
    Some(draft(
        Subject::of("decision", decision),
        DecisionExpired { expired, part },
    ))
}

fn draft(subject: Subject, event: impl Into<Event>) -> Draft {
    Draft {
        subject,
        event: event.into(),
        aliases: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    }
}
