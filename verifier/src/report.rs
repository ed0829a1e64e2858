//! What the judge found: one line a check, and a verdict that follows from them and from nothing else.
//!
//! The shape is stable: programs read it (`--json`), and README.md describes it. [`Report::schema`] is its JSON Schema.

mod findings;
mod page;
mod text;

pub(crate) use findings::Findings;

use crate::chronicle::Chronicle;
use crate::erasures::ErasureReport;
use schemars::JsonSchema;
use serde::Serialize;

/// Everything there is to say about a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The program's exit code: 0, 1 or 2.
    pub exit: u8,
    /// What the verdict rests on: the first broken rule, or the first reason why there is no judgement.
    pub summary: String,
    /// The first broken record and its rule. Present when the verdict is `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// The origin that the checkpoint names. Believe it only where the exit code is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How many records the checkpoint covers. Believe it only where the exit code is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Every check, always all of them, always in the same order.
    pub checks: Vec<Check>,
    /// What was counted on the way.
    pub counts: Counts,
    /// Of a part of a log: its subjects, and which of them are all there. At most 2,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectReport>,
    /// What the records say of erasures. At most 2,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erasures: Vec<ErasureReport>,
    /// What happened, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chronicle: Option<Chronicle>,
}

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every check that was asked for holds; of a bundle also: witnesses whom the auditor trusts saw this history. Exit code 0.
    Holds,
    /// Every check that was asked for holds, and no witness was asked for: whoever holds the log's key could show another history to
    /// somebody else. Exit code 0.
    HoldsNotWitnessed,
    /// Something is false. Exit code 1.
    False,
    /// Nothing is known to be false, and something that was asked for could not be judged. Exit code 2.
    NotJudged,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// Which one.
    pub name: CheckName,
    /// What came of it.
    pub result: CheckResult,
    /// Words for people.
    pub detail: String,
    /// The first record that breaks it, where one can be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The rule that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A subject in a part of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SubjectReport {
    /// Its name.
    pub subject: String,
    /// How many of its records the bundle holds.
    pub records: u64,
    /// All its records among the first so many of the log are here; absent: that is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_as_of: Option<u64>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It holds, for everything in the bundle.
    Holds,
    /// It does not hold.
    False,
    /// It was not made, or not to its end.
    NotMade,
}

/// The first thing that is false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Broken {
    /// The check it breaks.
    pub check: CheckName,
    /// The record, where one can be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The rule.
    pub rule: String,
    /// Words for people.
    pub detail: String,
}

/// Declares the checks, in the order in which they are reported; where two break at one record, the first counts.
macro_rules! checks {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// The checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum CheckName {
            $($(#[$doc])* $variant,)+
        }

        impl CheckName {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as people read it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

checks! {
    /// The bundle can be read to its end and is laid out as one.
    Bundle = "bundle",
    /// Each line is canonical JSON and a well-formed record.
    Format = "format",
    /// Each record names the leaf hash of the one before, no sequence is missing, ids ascend.
    Chain = "chain",
    /// The tree over the lines has the root that the checkpoint states.
    TreeRoot = "tree root",
    /// The checkpoint is signed by a key that the auditor brought.
    Checkpoint = "checkpoint",
    /// Each key of the log's signer was handed on by the one before: both signed the checkpoint right after the record that says so.
    Signers = "signer keys",
    /// An older checkpoint that the auditor kept is of the same history.
    Consistency = "consistency",
    /// Witnesses that the auditor trusts cosigned the checkpoint.
    Witnesses = "witnesses",
    /// The records are those from 0 to the checkpoint's size, none less and none more.
    Completeness = "completeness",
    /// The records of each subject count up and are linked.
    Subjects = "subject links",
    /// Of a part of a log: which subjects are shown to be all there.
    Cases = "whole cases",
    /// Time does not go back.
    Time = "time order",
    /// No record's time lies outside what time-stamps and cosignatures, by whom the auditor trusts, allow.
    TrustedTime = "trusted time",
    /// Each body fits the schema of its type.
    Schema = "schema",
    /// All records are of one log, and that log is the one of the checkpoint and the key.
    Origin = "origin",
    /// Each run of sealed subjects is what the records before it give.
    Sealed = "sealed runs",
    /// Each attachment has the content that its record names.
    Attachments = "attachments",
    /// Each signature of an actor is by a key of that actor, and what an actor whose key the auditor holds says is signed.
    ActorSignatures = "actor signatures",
    /// Each report that says its producer signed it is signed by a key of that producer, and what a producer whose key the
    /// auditor holds reports is signed.
    ProducerSignatures = "producer signatures",
    /// Each disclosure that is shown opens a digest in the record it names.
    Disclosures = "disclosures",
    /// Each decision, approval and outcome follows from the records before it by the published rules.
    Adjudication = "adjudication",
    /// Each sealed digest of the writer's register is the one that the records before it come to.
    StateDigest = "state digest",
}

/// What was counted on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Lines of `records.jsonl` that were read.
    pub records: u64,
    /// Their bytes, line feeds included.
    pub bytes: u64,
    /// Distinct subjects.
    pub subjects: u64,
    /// Decisions made.
    pub decisions: u64,
    /// Decisions of people on pending ones, granted or denied.
    pub approvals: u64,
    /// Outcomes recorded.
    pub outcomes: u64,
    /// Answers that people signed by keys that the auditor brought.
    pub signed_by_auditor_keys: u64,
    /// Answers that people signed by keys that only the log vouches for.
    pub signed_by_log_keys: u64,
    /// Reports of producers.
    pub reports: u64,
    /// Reports signed by keys that the auditor brought.
    pub reports_by_auditor_keys: u64,
    /// Reports signed by keys that only the log vouches for.
    pub reports_by_log_keys: u64,
    /// Reports of which the log says that they came with a signature that does not stand.
    pub reports_badly_signed: u64,
    /// Attachments in the bundle whose content is the one that a record names.
    pub attachments: u64,
    /// Attachments that records name and the bundle does not hold, and of which no later record says that they were erased.
    pub attachments_withheld: u64,
    /// Attachments that records name and the bundle does not hold, and of which a later record says that they were erased.
    pub attachments_erased: u64,
    /// Personal values whose disclosures are in the bundle and open digests in the records.
    pub disclosures: u64,
    /// Personal values of which the bundle holds the digest alone: withheld from it, or erased.
    pub disclosures_withheld: u64,
    /// How many of those can have been erased by the erasures that the records state; the others were withheld. A part of a log does not
    /// hold all erasures: there it is all of them.
    pub disclosures_erased_at_most: u64,
    /// Records that say that a person was erased.
    pub erasures: u64,
    /// How many disclosures these state were destroyed.
    pub disclosures_destroyed: u64,
    /// Decisions of which a condition looked at a value that the bundle does not show: how it stood was taken as recorded.
    pub decisions_on_withheld: u64,
}

impl Counts {
    /// How many decisions rest on results that were taken as recorded, in words; nothing where none does.
    pub(crate) fn taken_as_recorded(&self) -> String {
        match self.decisions_on_withheld {
            0 => String::new(),
            count => format!(
                "; in {count} of the decisions conditions looked at values that are not shown, and stand as recorded"
            ),
        }
    }

    /// What is known of the digests without disclosures, in words.
    pub(crate) fn undisclosed(&self, is_whole: bool) -> String {
        let (hidden, most) = (self.disclosures_withheld, self.disclosures_erased_at_most);
        let (erasures, destroyed) = (self.erasures, self.disclosures_destroyed);
        let stated =
            format!("{erasures} erasures state that they destroyed {destroyed} disclosures");
        match (hidden, is_whole) {
            (0, _) => format!("none is missing; {stated}"),
            (_, false) => format!(
                "{hidden} are not shown, withheld or erased: in this part of the log, {stated}"
            ),
            (_, true) => format!(
                "{hidden} are not shown: {stated}, so at most {most} of them were erased, and {} are withheld: no erasure in these records accounts for them",
                hidden - most
            ),
        }
    }
}

impl Verdict {
    /// The program's exit code.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Holds | Self::HoldsNotWitnessed => 0,
            Self::False => 1,
            Self::NotJudged => 2,
        }
    }

    /// The verdict as people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "VERIFIED",
            Self::HoldsNotWitnessed => "VERIFIED, NOT WITNESSED",
            Self::False => "FALSE",
            Self::NotJudged => "NOT JUDGED",
        }
    }
}

impl Report {
    /// The report on a bundle that could not even be begun.
    #[must_use]
    pub fn not_judged(why: String) -> Self {
        let mut findings = Findings::new();
        findings.impossible(CheckName::Bundle, why);
        findings.report(None, None, Counts::default())
    }

    /// The report as one JSON document, with a line feed.
    ///
    /// # Errors
    /// Only what `serde_json` cannot encode, which this shape never holds.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// The JSON Schema of [`Self::to_json`].
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// What came of one check.
    #[must_use]
    pub fn result(&self, name: CheckName) -> CheckResult {
        let check = self.checks.iter().find(|check| check.name == name);
        check.map_or(CheckResult::NotMade, |check| check.result)
    }
}
