//! The log as files: tiles, entry bundles and consistency proofs, each checked against the signed checkpoint; who may read them; and
//! receipts with the write.

use crate::harness::{LINE, Served, problem};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::Note;
use probity_schemas::tree::{CompactRange, root_of, verify_consistency};
use probity_schemas::vocabulary::Role;
use serde_json::Value;

const LOG: &str = "/v1/logs/local";

/// A log of more than two full tiles, and the keys of an auditor and of a viewer.
async fn filled() -> (Served, tempfile::TempDir, String, String) {
    let (served, directory) = Served::fresh().await;
    let operator = served.issue("local", Role::Operator).await;
    let lines = format!("{LINE}\n").repeat(600);
    assert_eq!(
        served
            .batch(&operator, lines)
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    let auditor = served.issue("local", Role::Auditor).await;
    let viewer = served.issue("local", Role::Viewer).await;
    (served, directory, auditor, viewer)
}

async fn bytes(served: &Served, key: &str, path: &str) -> Vec<u8> {
    let answer = served.get(&format!("{LOG}/{path}"), key).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

fn hashes(tile: &[u8]) -> Vec<Hash> {
    let (hashes, rest) = tile.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().map(|hash| Hash(*hash)).collect()
}

/// The lines of an entry bundle.
fn entries(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while let [high, low, rest @ ..] = bundle {
        let (line, after) = rest.split_at(u16::from_be_bytes([*high, *low]).into());
        lines.push(line.to_vec());
        bundle = after;
    }
    lines
}

#[tokio::test]
async fn tiles_and_entries_are_the_log_that_was_signed() {
    let (served, _directory, auditor, _) = filled().await;
    let note = bytes(&served, &auditor, "checkpoint").await;
    let note = Note::parse(std::str::from_utf8(&note).unwrap()).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    let size = checkpoint.size;
    let last = size % 256;
    let records = bytes(&served, &auditor, "records").await;

    let (mut leaves, mut lines) = (Vec::new(), Vec::new());
    for name in ["000", "001", &format!("002.p/{last}")] {
        leaves.extend(hashes(
            &bytes(&served, &auditor, &format!("tile/0/{name}")).await,
        ));
        lines.extend(entries(
            &bytes(&served, &auditor, &format!("tile/entries/{name}")).await,
        ));
    }
    assert_eq!(leaves.len() as u64, size);
    assert_eq!(root_of(leaves.iter().copied()), checkpoint.root);
    let hashed: Vec<Hash> = lines.iter().map(|line| leaf_hash(line)).collect();
    assert_eq!(hashed, leaves);
    assert_eq!([lines.join(&b'\n'), b"\n".to_vec()].concat(), records);
    let above = hashes(&bytes(&served, &auditor, "tile/1/000.p/2").await);
    let below = leaves.chunks(256).take(2);
    let expected: Vec<Hash> = below.map(|tile| root_of(tile.iter().copied())).collect();
    assert_eq!(above, expected);
    let narrow = hashes(&bytes(&served, &auditor, "tile/0/001.p/7").await);
    assert_eq!(narrow, leaves[256..263]);

    for (from, to) in [
        (0, size),
        (1, size),
        (256, 512),
        (300, size),
        (size, size),
        (2, 3),
    ] {
        let proof = bytes(
            &served,
            &auditor,
            &format!("consistency?from={from}&to={to}"),
        )
        .await;
        let proof: Vec<Hash> = String::from_utf8(proof)
            .unwrap()
            .lines()
            .map(|line| line.parse().unwrap())
            .collect();
        let root = |size: u64| {
            let mut range = CompactRange::new();
            let leaves = leaves.iter().take(usize::try_from(size).unwrap());
            leaves.for_each(|leaf| range.push(*leaf));
            range.root()
        };
        let checked = verify_consistency(from, to, &proof, &root(from), &root(to));
        assert_eq!(checked, Ok(()), "{from} {to}");
    }
}

#[tokio::test]
async fn what_never_changes_is_kept_and_what_changes_is_asked_for_again() {
    let (served, _directory, auditor, _) = filled().await;
    let immutable = "private, max-age=31536000, immutable";
    for (path, kept, kind) in [
        ("tile/0/000", immutable, "application/octet-stream"),
        ("tile/0/002.p/3", immutable, "application/octet-stream"),
        ("tile/entries/000", immutable, "application/octet-stream"),
        (
            "consistency?from=1&to=2",
            immutable,
            "text/plain; charset=utf-8",
        ),
        ("checkpoint", "no-cache", "text/plain; charset=utf-8"),
    ] {
        let answer = served.get(&format!("{LOG}/{path}"), &auditor).await;
        assert_eq!(answer.headers()["cache-control"], kept, "{path}");
        assert_eq!(answer.headers()["content-type"], kind, "{path}");
    }
}

#[tokio::test]
async fn who_may_read_which_tile() {
    let (served, _directory, auditor, viewer) = filled().await;
    let stranger = served.issue("other", Role::Admin).await;
    for (key, path, expected) in [
        (&viewer, "tile/0/000", 200),
        (&viewer, "consistency?from=1&to=2", 200),
        (&viewer, "tile/entries/000", 403),
        (&auditor, "tile/entries/000", 200),
        (&stranger, "tile/0/000", 404),
        (&stranger, "tile/entries/000", 404),
        (&stranger, "consistency?from=1&to=2", 404),
        (&auditor, "tile/0/009", 404),
        (&auditor, "tile/0/002", 404),
        (&auditor, "tile/0/002.p/255", 404),
        (&auditor, "tile/9/000.p/1", 404),
        (&auditor, "tile/0/x999/x999/x999/x999/x999/999", 404),
        (&auditor, "tile/0/0", 400),
        (&auditor, "tile/64/000", 400),
        (&auditor, "tile/0/000.p/256", 400),
        (&auditor, "tile/entries", 400),
        (&auditor, "tile/0/..%2f000", 400),
        (&auditor, "consistency?from=1&to=100000", 404),
        (&auditor, "consistency?from=2&to=1", 422),
        (&auditor, "consistency?from=1", 400),
        (&auditor, "consistency?from=-1&to=1", 400),
    ] {
        let answer = served.get(&format!("{LOG}/{path}"), key).await;
        assert_eq!(answer.status(), expected, "{path}");
        if expected != 200 {
            assert_eq!(problem(answer).await.0, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn receipts_come_with_the_write_or_nothing_is_written() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Agent).await;
    let send = |lines: usize, prefer: &'static str| {
        let request = served.batch(&key, format!("{LINE}\n").repeat(lines));
        request.header("prefer", prefer).send()
    };
    let one = send(3, "Receipt; q=1").await.unwrap();
    assert_eq!(one.headers()["preference-applied"], "receipt");
    let one: Value = one.json().await.unwrap();
    assert!(one["receipt"].is_string() && one["receipts"].is_null());
    let all = send(100, "receipts").await.unwrap();
    assert_eq!(all.headers()["preference-applied"], "receipts");
    let all: Value = all.json().await.unwrap();
    assert_eq!(all["receipts"].as_array().unwrap().len(), 100);
    let none = send(1, "return=minimal").await.unwrap();
    assert!(!none.headers().contains_key("preference-applied"));

    let size = served.size().await;
    let refused = send(101, "receipts").await.unwrap();
    assert_eq!(problem(refused).await, (413, "too_large".to_owned()));
    assert_eq!(served.size().await, size);
}
