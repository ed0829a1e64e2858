//! One exchange with one witness: C2SP tlog-witness, as its client.

use super::WitnessError;
use crate::courier::{Answer, Courier, CourierError, Letter};
use crate::proof;
use crate::store::{Head, KeptCosignature, Store};
use probity_schemas::add_checkpoint::AddCheckpoint;
use probity_schemas::checkpoint::{Checkpoint, decimal};
use probity_schemas::cosignature::cosigned;
use probity_schemas::note::{Note, signature_line};
use probity_schemas::trust::Witness;

/// Requests in one exchange: the size believed, the size that the witness then says, and once more where somebody else was faster.
const REQUESTS_MAX: usize = 3;

/// What is to be cosigned, and by whom.
pub(super) struct Question<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) head: &'a Head,
    pub(super) witness: &'a Witness,
    pub(super) prefix: &'a str,
}

/// A cosignature that holds, and its time.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) kept: KeptCosignature,
    pub(super) time: u64,
}

impl Question<'_> {
    /// Asks, from the size that the witness is believed to have cosigned last.
    pub(super) async fn ask(
        &self,
        courier: &dyn Courier,
        believed: u64,
    ) -> Result<Given, WitnessError> {
        let found = self.head.range.size();
        let mut old = believed.min(found);
        for _ in 0..REQUESTS_MAX {
            let body = self.request(old).await?;
            let letter = Letter {
                url: format!("{}/add-checkpoint", self.prefix.trim_end_matches('/')),
                media_type: "text/plain; charset=utf-8",
                body: body.into_bytes(),
            };
            let Answer { status, body } = courier.post(letter).await?;
            let body = String::from_utf8(body).map_err(|_| CourierError::Strange)?;
            let forked = WitnessError::Forked { seen: old, found };
            match status {
                200 => return self.read(&body),
                409 => match body.strip_suffix('\n').and_then(decimal) {
                    Some(seen) if seen > found => return Err(WitnessError::Ahead { seen, found }),
                    // v1.0.0 of the protocol answers so when the size is the same and the root is not.
                    Some(seen) if seen == old => return Err(forked),
                    Some(seen) => old = seen,
                    None => return Err(refused(status)),
                },
                422 => return Err(forked),
                status => return Err(refused(status)),
            }
        }
        Err(WitnessError::Moving)
    }

    async fn request(&self, old: u64) -> Result<String, WitnessError> {
        let proof = proof::consistency(self.store, self.head, old, self.head.range.size()).await;
        let proof = proof.map_err(|error| unreadable(&error))?;
        let request = AddCheckpoint {
            old,
            proof: proof.unwrap_or_default(),
            checkpoint: Note::parse(&self.head.checkpoint).map_err(|error| unreadable(&error))?,
        };
        Ok(request.text())
    }

    /// Takes the signature lines of the answer as lines under our checkpoint; the one by the witness's key must hold.
    fn read(&self, lines: &str) -> Result<Given, WitnessError> {
        let own = Note::parse(&self.head.checkpoint).map_err(|error| unreadable(&error))?;
        let checkpoint = Checkpoint::parse(own.text()).map_err(|error| unreadable(&error))?;
        let note = Note::build(own.text(), &[lines]).map_err(|_| WitnessError::NoCosignature)?;
        let keys = std::slice::from_ref(&self.witness.key);
        let given = cosigned(&note, keys).map_err(|_| WitnessError::NoCosignature)?;
        let given = given.first().ok_or(WitnessError::NoCosignature)?;
        let (name, id) = (given.key.name(), given.key.id());
        let line = note
            .signatures()
            .iter()
            .find(|line| line.name == name && line.key_id == id);
        let line = line.ok_or(WitnessError::NoCosignature)?;
        Ok(Given {
            kept: KeptCosignature {
                origin: checkpoint.origin,
                size: checkpoint.size,
                witness: format!("{name}+{id}"),
                bytes: self.head.bytes,
                checkpoint: self.head.checkpoint.clone(),
                line: signature_line(name, id, &line.signature),
            },
            time: given.time,
        })
    }
}

fn unreadable(error: &dyn std::error::Error) -> WitnessError {
    WitnessError::Log {
        why: error.to_string(),
    }
}

const fn refused(status: u16) -> WitnessError {
    let meaning = match status {
        400 => "it does not understand the request",
        403 => "it does not trust the log's key",
        404 => "it does not know the log",
        409 => "it states no size",
        429 => "it is asked too often",
        _ => "not an answer of the protocol",
    };
    WitnessError::Refused { status, meaning }
}
