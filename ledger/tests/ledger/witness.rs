//! Witnesses from the log's side: what they are sent, what is kept, and when the log stops signing. The witness here is made of
//! the format's own parts and has one fault at a time.

use crate::home::{Home, observation};
use async_trait::async_trait;
use probity_ledger::cosigned::Witnessed;
use probity_ledger::cosigner::Cosigner;
use probity_ledger::courier::{Answer, Courier, CourierError, Letter};
use probity_ledger::witness::Witnesses;
use probity_ledger::{Config, Ledger, Receipt, SubmitError};
use probity_schemas::add_checkpoint::AddCheckpoint;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::cosignature::cosigned;
use probity_schemas::note::Note;
use probity_schemas::tree::verify_consistency;
use probity_schemas::trust::TrustPolicy;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A witness, as the log's server reaches it.
struct Neighbour {
    key: Cosigner,
    seen: Mutex<Option<Checkpoint>>,
    asked: Mutex<Vec<u64>>,
    answers: Mutex<Option<Answer>>,
}

impl std::fmt::Debug for Neighbour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Neighbour")
    }
}

impl Neighbour {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            key: Cosigner::from_seed(&[7; 32], "witness.example").unwrap(),
            seen: Mutex::default(),
            asked: Mutex::default(),
            answers: Mutex::default(),
        })
    }

    /// From now on it answers this, whatever it is asked.
    fn always(&self, status: u16, body: &str) {
        let body = body.to_owned();
        *self.answers.lock().unwrap() = Some(Answer {
            status,
            body: body.into_bytes(),
        });
    }

    fn asked(&self) -> Vec<u64> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn seen(&self) -> u64 {
        self.seen
            .lock()
            .unwrap()
            .as_ref()
            .map_or(0, |seen| seen.size)
    }
}

#[async_trait]
impl Courier for Neighbour {
    async fn post(&self, letter: Letter) -> Result<Answer, CourierError> {
        assert_eq!(letter.url, "https://witness.example/w/add-checkpoint");
        let body = String::from_utf8(letter.body).unwrap();
        let request = AddCheckpoint::parse(&body).unwrap();
        self.asked.lock().unwrap().push(request.old);
        if let Some(answer) = self.answers.lock().unwrap().clone() {
            return Ok(answer);
        }
        let text = request.checkpoint.text();
        let new = Checkpoint::parse(text).unwrap();
        let mut seen = self.seen.lock().unwrap();
        let size = seen.as_ref().map_or(0, |seen| seen.size);
        if request.old != size {
            return Ok(Answer {
                status: 409,
                body: format!("{size}\n").into_bytes(),
            });
        }
        if let Some(seen) = &*seen
            && verify_consistency(seen.size, new.size, &request.proof, &seen.root, &new.root)
                .is_err()
        {
            return Ok(Answer {
                status: 422,
                body: Vec::new(),
            });
        }
        *seen = Some(new);
        Ok(Answer {
            status: 200,
            body: self.key.cosign(text, 1_700_000_000).into_bytes(),
        })
    }
}

fn watched(home: &Home, neighbour: &Arc<Neighbour>) -> Config {
    let key = neighbour.key.verifier_key();
    let policy = format!("witness w {key} https://witness.example/w\nquorum w\n");
    let policy = TrustPolicy::parse(&policy).unwrap();
    let hour = Duration::from_secs(3600);
    Config {
        witnesses: Some(Arc::new(Witnesses::new(policy, hour, neighbour.clone()))),
        ..home.config()
    }
}

/// One more record, or why there is none.
async fn grow(home: &Home, ledger: &Ledger) -> Result<Receipt, SubmitError> {
    ledger.submit(&home.tenant, observation("more", None)).await
}

async fn begun(home: &Home, neighbour: &Arc<Neighbour>) -> Ledger {
    let ledger = Ledger::open(watched(home, neighbour)).await.unwrap();
    home.prepare(&ledger).await;
    ledger
}

#[tokio::test]
async fn a_checkpoint_is_cosigned_kept_and_asked_for_once() {
    let (home, neighbour) = (Home::sqlite(), Neighbour::new());
    let ledger = begun(&home, &neighbour).await;
    assert!(
        neighbour.asked().is_empty(),
        "a log without records is nothing to witness"
    );

    let first = ledger.witness(&home.tenant).await.unwrap().unwrap();
    assert_eq!(first.witnesses.len(), 1);
    let note = Note::parse(&first.checkpoint).unwrap();
    let keys = [neighbour.key.verifier_key().clone()];
    assert_eq!(cosigned(&note, &keys).unwrap().len(), 1);
    assert_eq!(first.size, neighbour.seen());

    grow(&home, &ledger).await.unwrap();
    let second = ledger.witness(&home.tenant).await.unwrap().unwrap();
    assert!(second.size > first.size);
    assert_eq!(
        ledger.witness(&home.tenant).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(
        neighbour.asked(),
        [0, first.size],
        "each checkpoint once, from what was cosigned"
    );

    let report = ledger.witnessing(&home.tenant).await.unwrap().unwrap();
    assert_eq!(
        (report.witnessed, report.quorum),
        (
            Witnessed::At {
                size: second.size,
                by: 1
            },
            true
        )
    );
    assert_eq!(
        report.witnesses[0].cosigned,
        Some((second.size, 1_700_000_000))
    );
    ledger.close().await;
}

#[tokio::test]
async fn a_server_that_forgot_learns_from_the_conflict_where_the_witness_is() {
    let (home, neighbour) = (Home::sqlite(), Neighbour::new());
    let ledger = begun(&home, &neighbour).await;
    ledger.close().await;
    let forgetful = home.copy_database();
    let ledger = Ledger::open(watched(&home, &neighbour)).await.unwrap();
    let seen = ledger.witness(&home.tenant).await.unwrap().unwrap().size;
    ledger.close().await;
    neighbour.asked();
    home.restore_database(&forgetful);

    let ledger = Ledger::open(watched(&home, &neighbour)).await.unwrap();
    grow(&home, &ledger).await.unwrap();
    assert_eq!(neighbour.asked(), [0, seen], "before the log was signed");
    assert!(ledger.witness(&home.tenant).await.unwrap().unwrap().size > seen);
    assert_eq!(neighbour.asked(), [seen]);
    ledger.close().await;
}

#[tokio::test]
async fn answers_that_say_nothing_about_the_log_do_not_stop_it() {
    let (home, neighbour) = (Home::sqlite(), Neighbour::new());
    let ledger = begun(&home, &neighbour).await;
    let stranger = Cosigner::from_seed(&[8; 32], "witness.example").unwrap();
    let size = ledger
        .reader()
        .log(&home.tenant)
        .await
        .unwrap()
        .unwrap()
        .size;
    #[rustfmt::skip]
    let table = [
        (400, String::new(), "does not understand"),
        (403, String::new(), "does not trust"),
        (404, String::new(), "does not know"),
        (409, "soon".to_owned(), "states no size"),
        (429, String::new(), "too often"),
        (500, String::new(), "not an answer"),
        (302, String::new(), "not an answer"),
        (200, String::new(), "no cosignature"),
        (200, "yes\n".to_owned(), "no cosignature"),
        (200, stranger.cosign("text\n", 1), "no cosignature"),
        (200, neighbour.key.cosign("another text\n", 1), "no cosignature"),
    ];
    for (status, body, words) in table {
        neighbour.always(status, &body);
        assert_eq!(
            ledger.witness(&home.tenant).await.unwrap(),
            None,
            "{status} {body}"
        );
        let report = ledger.witnessing(&home.tenant).await.unwrap().unwrap();
        let failure = report.witnesses[0].failure.clone().unwrap();
        assert!(failure.contains(words), "{status} {body}: {failure}");
        assert_eq!(
            (report.quorum, report.refusal),
            (false, None),
            "{status} {body}"
        );
    }
    grow(&home, &ledger).await.unwrap();
    assert!(
        ledger
            .reader()
            .log(&home.tenant)
            .await
            .unwrap()
            .unwrap()
            .size
            > size
    );
    ledger.close().await;
}

#[tokio::test]
async fn evidence_of_a_witness_stops_the_log() {
    let table = [
        (409, "1000000\n", "cosigned this log at 1000000 records"),
        (409, "0\n", "rewritten"),
        (422, "", "rewritten"),
    ];
    for (status, body, words) in table {
        let (home, neighbour) = (Home::sqlite(), Neighbour::new());
        let ledger = begun(&home, &neighbour).await;
        neighbour.always(status, body);
        assert_eq!(ledger.witness(&home.tenant).await.unwrap(), None);
        let refused = grow(&home, &ledger).await;
        assert!(
            matches!(&refused, Err(SubmitError::ReadOnly { why }) if why.contains(words)),
            "{status}: {refused:?}"
        );
        assert!(
            ledger.reader().log(&home.tenant).await.unwrap().is_some(),
            "it is still read"
        );
        ledger.close().await;
    }
}

#[tokio::test]
async fn a_restored_database_and_guard_are_known_by_the_witness_before_anything_is_signed() {
    let (home, neighbour) = (Home::sqlite(), Neighbour::new());
    let ledger = begun(&home, &neighbour).await;
    ledger.close().await;
    let guard = home.root.path().join("keys/guard/local.checkpoint");
    let (backup, guarded) = (home.copy_database(), std::fs::read(&guard).unwrap());
    let ledger = Ledger::open(watched(&home, &neighbour)).await.unwrap();
    grow(&home, &ledger).await.unwrap();
    ledger.witness(&home.tenant).await.unwrap().unwrap();
    ledger.close().await;
    home.restore_database(&backup);
    std::fs::write(&guard, guarded).unwrap();

    let ledger = Ledger::open(watched(&home, &neighbour)).await.unwrap();
    let before = ledger.reader().log(&home.tenant).await.unwrap().unwrap();
    let refused = grow(&home, &ledger).await;
    assert!(
        matches!(&refused, Err(SubmitError::ReadOnly { why }) if why.contains("restored from a backup")),
        "{refused:?}"
    );
    let after = ledger.reader().log(&home.tenant).await.unwrap().unwrap();
    assert_eq!(before, after, "nothing was signed");
    ledger.close().await;
    // Without the witness nobody here would know: the guard was restored, too.
    let ledger = home.open().await;
    grow(&home, &ledger).await.unwrap();
    ledger.close().await;
}
