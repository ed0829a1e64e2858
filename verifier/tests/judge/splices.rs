//! Pieces of a bundle's records cut out, doubled and moved at random: whatever differs from what was signed is refused.

use crate::files::{judge_tar, with_key};
use crate::seeds::seeded;
use crate::story::{furnished, signer};
use proptest::prelude::*;

/// Takes the piece `[from, from + length)` out and puts `copies` of it at `to`, all modulo what there is.
pub(crate) fn splice(
    content: &[u8],
    from: usize,
    length: usize,
    to: usize,
    copies: usize,
) -> Vec<u8> {
    let from = from % content.len();
    let end = (from + length).min(content.len());
    let piece = content[from..end].repeat(copies);
    let mut rest = [&content[..from], &content[end..]].concat();
    let to = to % (rest.len() + 1);
    rest.splice(to..to, piece);
    rest
}

proptest! {
    #![proptest_config(seeded(200, 0x9b0b_5971))]

    #[test]
    fn of_the_records(from: usize, length in 1_usize..2000, to: usize, copies in 0_usize..3) {
        let mut files = signer().bundle(&furnished().lines);
        let honest = files.get("records.jsonl").to_vec();
        let changed = splice(&honest, from, length, to, copies);
        let same = changed == honest;
        files.put("records.jsonl", changed);
        let report = judge_tar(files.tar(), &with_key(signer().vkey()));
        prop_assert_eq!(report.exit == 0, same, "{}", report);
    }

    #[test]
    fn of_the_archive(from: usize, length in 1_usize..2000, to: usize, copies in 0_usize..3) {
        let honest = signer().bundle(&furnished().lines).tar();
        let changed = splice(&honest, from, length, to, copies);
        let options = with_key(signer().vkey());
        let report = judge_tar(changed, &options);
        // Zeros moved between zeros change nothing, and neither do the times and owners in headers.
        let records = judge_tar(honest, &options).counts.records;
        prop_assert!(report.exit != 0 || report.counts.records == records, "{}", report);
    }
}
