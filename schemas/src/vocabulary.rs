//! The small closed word lists that records use: verdicts, roles, modes, risk classes.
//!
//! One list for writer, views, judge and every surface. A surface that calls a thing otherwise translates at its door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares a closed list whose text form is the same in JSON, in logs and in queries.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
            rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
        pub enum $name {
            $($(#[$note])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a decision says. A refusal is data.
    Verdict {
        /// The act may go on.
        Allow = "allow",
        /// The act may go on, and something about it deserves a look.
        Warn = "warn",
        /// The act waits for a person.
        RequireApproval = "require_approval",
        /// The act is refused.
        Deny = "deny",
    }
}

words! {
    /// What a policy asks for when it matches.
    Effect {
        /// Let it pass.
        Allow = "allow",
        /// Let a person decide.
        RequireApproval = "require_approval",
        /// Refuse it.
        Deny = "deny",
    }
}

words! {
    /// How a condition stood over a value that the record does not hold.
    ConditionResult {
        /// It held.
        Match = "match",
        /// It did not hold.
        Miss = "miss",
        /// It could not be judged.
        Unjudged = "unjudged",
    }
}

words! {
    /// How a log treats a request that no policy speaks of.
    Mode {
        /// It passes, with a warning.
        Permissive = "permissive",
        /// It is refused, unless a fallback policy matches. The default.
        Guarded = "guarded",
        /// It is refused.
        Strict = "strict",
    }
}

words! {
    /// What a credential may do.
    Role {
        /// Everything inside the tenant, credentials and budgets included.
        Admin = "admin",
        /// Resolve approvals, manage policies, and what an operator may.
        Approver = "approver",
        /// Run the system: read everything, manage adapters.
        Operator = "operator",
        /// Ask for decisions, append telemetry.
        Agent = "agent",
        /// Read records, proofs and bundles.
        Auditor = "auditor",
        /// Read views.
        Viewer = "viewer",
    }
}

words! {
    /// Whether producers must sign their reports.
    SignatureMode {
        /// Signatures are neither checked nor kept.
        Off = "off",
        /// A signature is checked and kept; one that does not stand is noted, a missing one passes. The default.
        Warn = "warn",
        /// A report without a signature that stands is refused.
        Enforce = "enforce",
    }
}

words! {
    /// What a signed report is.
    PayloadType {
        /// An audit event, or how an act ended.
        Audit = "audit",
        /// What an execution cost.
        Cost = "cost",
        /// How much work it was.
        Metrics = "metrics",
        /// Its trace.
        Trace = "trace",
        /// Something that should not have happened.
        Violations = "violations",
    }
}

words! {
    /// Why a producer's signature does not stand.
    EnvelopeFault {
        /// It is not of this report by a key that is registered for its producer.
        InvalidSignature = "invalid_signature",
        /// No key is registered for this producer and version.
        MissingKey = "missing_key",
        /// The envelope states another hash than the payload has.
        PayloadHashMismatch = "payload_hash_mismatch",
        /// The report and what is signed are more than a record holds.
        PayloadTooLarge = "payload_too_large",
        /// It was signed too long before, or after, the time of its record.
        TimestampSkew = "timestamp_skew",
    }
}

words! {
    /// How dangerous an adapter is, by its registration or by its own word.
    RiskClass {
        /// Little harm possible.
        Low = "low",
        /// Some harm possible.
        Medium = "medium",
        /// Much harm possible.
        High = "high",
        /// The worst.
        Critical = "critical",
    }
}

words! {
    /// The band a risk score falls into: below 25, below 50, below 75, the rest.
    RiskLevel {
        /// 0 to 24.
        Low = "low",
        /// 25 to 49.
        Medium = "medium",
        /// 50 to 74.
        High = "high",
        /// 75 to 100.
        Critical = "critical",
    }
}

words! {
    /// How mature the skill behind a request is.
    SkillState {
        /// Being written.
        Draft = "draft",
        /// Tested.
        Tested = "tested",
        /// Approved.
        Approved = "approved",
        /// In use.
        Active = "active",
        /// On its way out.
        Deprecated = "deprecated",
    }
}

words! {
    /// How sensitive the data is that a request touches.
    Sensitivity {
        /// None.
        None = "none",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Personal data.
        Pii = "pii",
    }
}

words! {
    /// Where the code behind a request comes from.
    Origin {
        /// A marketplace.
        Marketplace = "marketplace",
        /// In house.
        Internal = "internal",
        /// A repository.
        Git = "git",
        /// Nobody says.
        Unknown = "unknown",
    }
}

words! {
    /// Why a verdict is not a plain allow.
    Reason {
        /// A policy refuses.
        PolicyDenied = "policy_denied",
        /// A policy asks for a person.
        PolicyRequiresApproval = "policy_requires_approval",
        /// The risk level asks for a person.
        RiskRequiresApproval = "risk_requires_approval",
        /// No policy matches, and the mode is guarded or strict.
        NoMatchingPolicy = "no_matching_policy",
        /// The hard budget does not cover the estimate.
        BudgetExceeded = "budget_exceeded",
        /// The hard budget's period is over.
        PeriodExpired = "period_expired",
        /// The requester's own system says that it is not entitled.
        RbacDenied = "rbac_denied",
        /// The adapter is not registered.
        AdapterUnknown = "adapter_unknown",
        /// The adapter is registered and switched off.
        AdapterDisabled = "adapter_disabled",
        /// The credential does not carry a capability asked for.
        CapabilityNotAllowed = "capability_not_allowed",
        /// The soft budget does not cover the estimate: a warning.
        BudgetSoftExceeded = "budget_soft_exceeded",
    }
}

words! {
    /// How an act ended.
    OutcomeStatus {
        /// It was done.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
    }
}

words! {
    /// What used up a grant.
    ConsumedBy {
        /// The requester asked again with the same request.
        Request = "request",
        /// The execution's first report arrived.
        Report = "report",
    }
}

words! {
    /// What ran out.
    ExpiredPart {
        /// The wait for a person.
        Approval = "approval",
        /// The grant that a person gave.
        Grant = "grant",
    }
}

words! {
    /// How far a budget is used.
    BudgetLevel {
        /// The alert threshold is passed.
        Warning = "warning",
        /// It is used up.
        Exceeded = "exceeded",
    }
}

words! {
    /// How a credential is presented.
    CredentialMethod {
        /// A minted key.
        Key = "key",
        /// A token that an adapter signs with a shared secret.
        AdapterToken = "adapter_token",
        /// One key for all operators, set in the environment.
        SharedKey = "shared_key",
    }
}

words! {
    /// What a key of an actor signs with.
    KeyAlgorithm {
        /// Ed25519 (RFC 8032).
        Ed25519 = "ed25519",
        /// ECDSA on P-256 over SHA-256, signatures in DER.
        Es256 = "ES256",
    }
}

words! {
    /// What a key of an actor may sign.
    KeyPurpose {
        /// What a producer reports.
        Telemetry = "telemetry",
        /// A person's answers.
        Approval = "approval",
    }
}
