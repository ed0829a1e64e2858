//! Checkpoints, and the receipts that lead to them.

use probity_schemas::checkpoint::{Checkpoint, CheckpointError};
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::{Note, NoteError};
use probity_schemas::proof::{TlogProof, TlogProofError};
use probity_schemas::tree::{ProofError, root_of};

use crate::seeds::seeded;
use crate::signer::{ORIGIN, Signer, checkpoint};

#[test]
fn checkpoints_are_three_lines_and_nothing_else() {
    let one = checkpoint(&[leaf_hash(b"one"), leaf_hash(b"two")]);
    let text = one.text();
    assert_eq!(Checkpoint::parse(&text), Ok(one));
    let root = text.lines().nth(2).unwrap();
    #[rustfmt::skip]
    let table = [
        ("nothing", String::new(), CheckpointError::Shape),
        ("an extension line", format!("{text}extension\n"), CheckpointError::Shape),
        ("no final line feed", text.trim_end().to_owned(), CheckpointError::Shape),
        ("two lines", format!("{ORIGIN}\n2\n"), CheckpointError::Shape),
        ("an empty origin", format!("\n2\n{root}\n"), CheckpointError::Origin),
        ("a leading zero", format!("{ORIGIN}\n02\n{root}\n"), CheckpointError::Size),
        ("a sign", format!("{ORIGIN}\n+2\n{root}\n"), CheckpointError::Size),
        ("no size", format!("{ORIGIN}\n\n{root}\n"), CheckpointError::Size),
        ("a size above 2^63", format!("{ORIGIN}\n9223372036854775809\n{root}\n"), CheckpointError::Size),
        ("a root without padding", text.replace('=', ""), CheckpointError::Root),
        ("an empty tree with a root", format!("{ORIGIN}\n0\n{root}\n"), CheckpointError::EmptyRoot),
    ];
    for (story, text, error) in table {
        assert_eq!(Checkpoint::parse(&text), Err(error), "{story}");
    }
    let empty = checkpoint(&[]);
    assert_eq!(Checkpoint::parse(&empty.text()), Ok(empty));
}

#[test]
fn a_checkpoint_is_only_trusted_under_its_own_name() {
    let (log, witness) = (Signer::new(ORIGIN, 1), Signer::new("witness.example", 2));
    let one = checkpoint(&[leaf_hash(b"one")]);
    let text = one.text();
    let keys = [log.vkey.clone(), witness.vkey.clone()];
    let open = |line: String| Checkpoint::open(&Note::build(&text, &[line]).unwrap(), &keys);
    assert_eq!(open(log.line(&text)), Ok(one));
    assert_eq!(
        open(witness.line(&text)),
        Err(CheckpointError::NotByTheLog {
            origin: ORIGIN.to_owned()
        })
    );
}

#[test]
fn a_receipt_proves_its_record_and_no_other() {
    let log = Signer::new(ORIGIN, 1);
    let leaves: Vec<Hash> = (0..7_u8).map(|n| leaf_hash(&[n])).collect();
    let text = checkpoint(&leaves).text();
    let hash_of = |node: probity_schemas::tree::Node| {
        let start = usize::try_from(node.index).ok()? << node.level;
        Some(root_of(
            leaves
                .get(start..start + (1 << node.level))?
                .iter()
                .copied(),
        ))
    };
    let receipt = |index: u64| TlogProof {
        index,
        hashes: probity_schemas::tree::inclusion_plan(index, 7)
            .unwrap()
            .assemble(hash_of)
            .unwrap(),
        checkpoint: Note::build(&text, &[log.line(&text)]).unwrap(),
    };
    let keys = [log.vkey.clone()];
    for (index, leaf) in (0..).zip(&leaves) {
        let text = receipt(index).text();
        let read = TlogProof::parse(&text).unwrap();
        assert_eq!(read, receipt(index));
        assert_eq!(read.text(), text);
        assert_eq!(read.verify(leaf, &keys).unwrap().size, 7);
        assert_eq!(
            read.verify(&leaf_hash(b"another"), &keys),
            Err(ProofError::RootMismatch.into())
        );
        let stranger = [Signer::new(ORIGIN, 9).vkey];
        assert_eq!(
            read.verify(leaf, &stranger),
            Err(CheckpointError::Note(NoteError::NoTrustedKey).into())
        );
    }
    let beyond = TlogProof {
        index: 7,
        ..receipt(6)
    };
    assert_eq!(
        beyond.verify(&leaves[6], &keys),
        Err(ProofError::IndexOutOfRange.into())
    );
}

#[test]
fn receipts_that_are_malformed() {
    let log = Signer::new(ORIGIN, 1);
    let text = checkpoint(&[leaf_hash(b"one"), leaf_hash(b"two")]).text();
    let proof = TlogProof {
        index: 0,
        hashes: vec![leaf_hash(b"two")],
        checkpoint: Note::build(&text, &[log.line(&text)]).unwrap(),
    };
    let good = proof.text();
    let hash = format!("{}\n", leaf_hash(b"two"));
    assert_eq!(
        TlogProof::parse(&good.replace("index 0", "extra aGVsbG8=\nindex 0")),
        Ok(proof)
    );
    #[rustfmt::skip]
    let table = [
        ("nothing", String::new(), TlogProofError::Shape),
        ("another version", good.replace("@v1", "@v2"), TlogProofError::Shape),
        ("no index", good.replace("index 0\n", ""), TlogProofError::Shape),
        ("an index with a leading zero", good.replace("index 0", "index 00"), TlogProofError::Index),
        ("extra that is not base64", good.replace("index 0", "extra !\nindex 0"), TlogProofError::Shape),
        ("extra twice", good.replace("index 0", "extra AA==\nextra AA==\nindex 0"), TlogProofError::Shape),
        ("a hash that is none", good.replace(&hash, "hash\n"), TlogProofError::Hash { line: 1 }),
        ("64 hashes", good.replace(&hash, &hash.repeat(64)), TlogProofError::TooManyHashes),
        ("no checkpoint", good.split("\n\n").next().unwrap().to_owned(), TlogProofError::Shape),
        ("a checkpoint without signature", good.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n"), NoteError::NoSignatures.into()),
    ];
    for (story, text, error) in table {
        assert_eq!(TlogProof::parse(&text), Err(error), "{story}");
    }
}

proptest::proptest! {
    #![proptest_config(seeded(256, 0x9b0b_07ec))]

    #[test]
    fn every_text_has_one_spelling_and_one_byte_more_or_less_is_seen(at in proptest::prelude::any::<proptest::sample::Index>(), byte in 0_u8..0x80) {
        let log = Signer::new(ORIGIN, 1);
        let leaves = [leaf_hash(b"one"), leaf_hash(b"two")];
        let text = checkpoint(&leaves).text();
        let checkpoint = Note::build(&text, &[log.line(&text)]).unwrap();
        let receipt = TlogProof { index: 0, hashes: vec![leaves[1]], checkpoint }.text();
        let mut changed = receipt.clone().into_bytes();
        changed[at.index(receipt.len())] = byte;
        let Ok(changed) = String::from_utf8(changed) else { return Ok(()) };
        if let Ok(read) = TlogProof::parse(&changed) {
            proptest::prop_assert_eq!(read.text(), changed.as_str());
            proptest::prop_assert_eq!(read.verify(&leaves[0], &[log.vkey]).is_ok(), changed == receipt);
        }
    }
}
