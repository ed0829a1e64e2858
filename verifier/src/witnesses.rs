//! Who else saw the checkpoint: cosignatures by witnesses that the auditor trusts. Which witnesses, and how many of them, is said by
//! the auditor; a bundle's word on that is never asked.

use crate::report::{CheckName, Findings};
use probity_schemas::cosignature::{Cosigned, cosigned};
use probity_schemas::note::Note;
use probity_schemas::time::Time;
use probity_schemas::trust::TrustPolicy;
use probity_schemas::vkey::VerifierKey;

/// Which witnesses must have cosigned.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// Each of these.
    pub keys: Vec<VerifierKey>,
    /// And a quorum of these.
    pub policy: Option<TrustPolicy>,
}

impl Witnesses {
    /// Checks the cosignatures under a checkpoint.
    pub(crate) fn check(&self, note: Option<&Note>, findings: &mut Findings) {
        let name = CheckName::Witnesses;
        let known = self.known();
        if known.is_empty() {
            return findings.not_asked(
                name,
                "no witness was asked for (--witness, --policy): not witnessed",
            );
        }
        let Some(note) = note else {
            return findings.impossible(name, "the checkpoint cannot be read");
        };
        let given = match cosigned(note, &known) {
            Ok(given) => given,
            Err(error) => {
                let detail = format!("{error}: checkpoint or cosignature was changed");
                return findings.fail(name, None, "witnesses.signature", detail);
            }
        };
        let missing = self.missing(&given);
        if !missing.is_empty() {
            let shown = describe(&given);
            let detail = format!("not witnessed: {}; {shown}", missing.join(", "));
            findings.impossible(name, detail);
        } else if given.is_empty() {
            findings.not_asked(name, "the policy asks for no witness: not witnessed");
        } else {
            findings.hold(name, describe(&given));
        }
    }

    /// Who of those that the auditor knows cosigned a checkpoint, and at what time by their clocks.
    pub(crate) fn times(&self, note: &Note) -> Result<Vec<(String, Time)>, String> {
        let known = self.known();
        let given = cosigned(note, &known).map_err(|error| error.to_string())?;
        let one = |one: &Cosigned<'_>| (format!("{}+{}", one.key.name(), one.key.id()), time(one));
        Ok(given.iter().map(one).collect())
    }

    /// All keys of witnesses that the auditor knows, each once.
    fn known(&self) -> Vec<VerifierKey> {
        let policy = self.policy.iter().flat_map(TrustPolicy::witnesses);
        let mut known: Vec<VerifierKey> = Vec::new();
        for key in self.keys.iter().chain(policy.map(|witness| &witness.key)) {
            if !known.contains(key) {
                known.push(key.clone());
            }
        }
        known
    }

    /// What was asked for and is not shown, in words.
    fn missing(&self, given: &[Cosigned<'_>]) -> Vec<String> {
        let keys: Vec<&VerifierKey> = given.iter().map(|one| one.key).collect();
        let unseen = self.keys.iter().filter(|key| !keys.contains(key));
        let mut missing: Vec<String> = unseen
            .map(|key| format!("no cosignature of {}+{}", key.name(), key.id()))
            .collect();
        if let Some(policy) = &self.policy
            && !policy.is_satisfied_by(&keys)
        {
            let quorum = policy.quorum().unwrap_or_default();
            missing.push(format!("the quorum {quorum} is not reached"));
        }
        missing
    }
}

fn describe(given: &[Cosigned<'_>]) -> String {
    if given.is_empty() {
        return "cosigned by nobody you know".to_owned();
    }
    let one = |one: &Cosigned<'_>| format!("{}+{} at {}", one.key.name(), one.key.id(), time(one));
    let all: Vec<String> = given.iter().map(one).collect();
    format!("cosigned by {}", all.join(", "))
}

fn time(one: &Cosigned<'_>) -> Time {
    let seconds = i64::try_from(one.time).unwrap_or(i64::MAX);
    Time::from_micros(seconds.saturating_mul(1_000_000)).min(Time::MAX)
}
