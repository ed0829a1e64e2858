//! The program's other two uses: a receipt, or a consistency proof, judged without a bundle. What they show is found by the library.

use crate::cli::{How, Proof};
use crate::{parse_keys, read};
use probity_verifier::{ProofReport, judge_consistency, judge_receipt, limits};
use std::io::{self, Write as _};
use std::path::Path;

/// Judges a proof and prints what it shows; the exit code.
pub(crate) fn tell(proof: &Proof) -> (u8, io::Result<()>) {
    let report = examine(proof).unwrap_or_else(ProofReport::not_judged);
    let (Proof::Receipt { how, .. } | Proof::Consistency { how, .. }) = proof;
    (report.exit, print(&report, how))
}

/// The report on a proof, or why there can be none.
fn examine(proof: &Proof) -> Result<ProofReport, String> {
    match proof {
        Proof::Receipt {
            receipt,
            record,
            how,
        } => {
            let keys = parse_keys("--key", &how.keys)?;
            let receipt = small("receipt", receipt, limits::RECEIPT_BYTES_MAX)?;
            let line = small("--record", record, limits::LINE_BYTES_MAX)?;
            let compromised = parse_keys("--compromised", &how.compromised)?;
            Ok(judge_receipt(&receipt, &line, &keys, &compromised))
        }
        Proof::Consistency {
            old,
            new,
            proof,
            how,
        } => {
            let keys = parse_keys("--key", &how.keys)?;
            let old = small("older checkpoint", old, limits::SINCE_BYTES_MAX)?;
            let new = small("newer checkpoint", new, limits::SINCE_BYTES_MAX)?;
            let proof = small("proof", proof, limits::CONSISTENCY_BYTES_MAX)?;
            let compromised = parse_keys("--compromised", &how.compromised)?;
            Ok(judge_consistency(&old, &new, &proof, &keys, &compromised))
        }
    }
}

/// A file of at most so many bytes.
fn small(what: &str, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let content = read(what, path, bytes_max)?;
    if content.len() > bytes_max {
        let path = path.display();
        return Err(format!("{what} {path}: more than {bytes_max} bytes"));
    }
    Ok(content)
}

fn print(report: &ProofReport, how: &How) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if how.json {
        out.write_all(report.to_json()?.as_bytes())?;
    } else if !how.quiet {
        write!(out, "{report}")?;
    }
    out.flush()
}
