//! Hearing a part of a log: proofs first, then the lines they are of.

use super::{Case, Heard, NO_SINCE, cut_off};
use crate::bundle::{Bundle, ReadError};
use crate::lines::{Chunk, End, Lines};
use crate::part::Part;
use crate::report::{CheckName, Findings};
use crate::shown::Proofs;
use crate::signers::{Handover, Signers, Tie};
use probity_schemas::bundle::Member;

impl Case<'_> {
    /// `proofs.jsonl`, against the tree of the checkpoint.
    pub(super) fn hear_proofs(
        &self,
        bundle: &mut Bundle,
        findings: &mut Findings,
    ) -> Result<Proofs, ReadError> {
        let stated = self.seal.as_ref().and_then(|seal| seal.checkpoint.as_ref());
        let Some(checkpoint) = stated else {
            return Ok(Proofs::default());
        };
        match Proofs::read(bundle.content(), checkpoint, findings) {
            (proofs, End::Clean) => Ok(proofs),
            (_, End::Failed(error)) => Err(cut_off(error)),
            _ => Err(ReadError::NoProofs),
        }
    }

    /// The records, and what follows them in a bundle.
    pub(super) fn hear_part(
        &mut self,
        bundle: &mut Bundle,
        proofs: Proofs,
        findings: &mut Findings,
    ) -> Result<Heard, ReadError> {
        let stated = self.seal.as_ref().and_then(|seal| seal.checkpoint.clone());
        let Some(checkpoint) = stated else {
            return Ok(Heard::Part(Box::default()));
        };
        self.stamps.keep_only(checkpoint.size);
        let windows = self.stamps.windows();
        let mut part = Part::new(findings, self.options, proofs, checkpoint, windows);
        let (mut chunk, mut count) = (Chunk::default(), 0_u64);
        let mut lines = Lines::new(bundle.content());
        while lines.next_chunk(&mut chunk) {
            for line in chunk.lines() {
                part.line(line);
                count += 1;
            }
        }
        match lines.end() {
            End::Clean if count == 0 => return Err(ReadError::NoRecords),
            End::Clean => {}
            End::NoLineFeed => part.cut("format.line"),
            End::Overlong | End::NotReached => {
                part.cut("format.length");
                return Err(ReadError::EndlessLine);
            }
            End::Failed(error) => return Err(cut_off(error)),
        }
        while let Some((member, _)) = bundle.next_member()? {
            match &member {
                Member::Attachment(name) => {
                    let (attachments, findings) = part.attachments();
                    let read = attachments.member(name, bundle.content(), findings);
                    read.map_err(cut_off)?;
                }
                Member::Disclosures => {
                    let (disclosures, findings) = part.disclosures();
                    let read = disclosures.member(bundle.content(), findings);
                    read.map_err(cut_off)?;
                }
                other => self.pass_over(other),
            }
        }
        Ok(Heard::Part(Box::new(part.close())))
    }

    /// What only the whole bundle can tell.
    pub(super) fn conclude_part(
        &mut self,
        signers: Signers,
        handovers: &[Handover],
        findings: &mut Findings,
    ) {
        let shown = handovers
            .iter()
            .filter_map(|one| Some((one.sequence, self.older.holds(one)?)));
        let history = signers.judge(
            &self.older,
            &Tie::Handovers(&shown.collect()),
            &self.options.keys,
            &self.options.compromised,
            findings,
        );
        findings.hold(CheckName::Bundle, self.bundle_detail());
        let Some(seal) = &self.seal else { return };
        self.conclude_seal(seal, &history, findings);
        self.options.witnesses.check(seal.note.as_ref(), findings);
        let name = CheckName::Consistency;
        match &self.since {
            None => findings.not_asked(name, NO_SINCE),
            Some(_) => findings.impossible(
                name,
                "a part of a log does not show what an older checkpoint covers",
            ),
        }
        let stated = seal.checkpoint.as_ref();
        let is_ours = |origin: &str| stated.is_some_and(|stated| stated.origin == origin);
        let root_at = |size| Some(stated.filter(|stated| stated.size == size)?.root);
        let authorities = &self.options.authorities;
        self.stamps.close(authorities, is_ours, root_at, findings);
        if seal.checkpoint.is_none() {
            findings.impossible(CheckName::TreeRoot, "the checkpoint cannot be read");
        }
    }
}
