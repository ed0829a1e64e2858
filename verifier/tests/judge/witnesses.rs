//! Cosignatures: which ones count, what is asked for and shown or not, and what is false.

use crate::files::{Files, broken, with_key};
use crate::sealer::Log;
use crate::story::{furnished, signer};
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::cosignature::Cosignature;
use probity_schemas::note::{Note, signature_line};
use probity_schemas::trust::TrustPolicy;
use probity_schemas::vkey::VerifierKey;
use probity_verifier::{CheckName, CheckResult, Options, Report, Witnesses};

struct Witness {
    key: SigningKey,
    vkey: VerifierKey,
}

impl Witness {
    fn new(name: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let vkey = VerifierKey::cosigner(name, key.verifying_key().as_bytes()).unwrap();
        Self { key, vkey }
    }

    fn line(&self, text: &str, time: u64) -> String {
        let signature = self.key.sign(&Cosignature::message(time, text.as_bytes()));
        let signature = signature.to_bytes();
        let bytes = Cosignature { time, signature }.bytes();
        signature_line(self.vkey.name(), self.vkey.id(), &bytes)
    }
}

fn witnesses() -> [Witness; 3] {
    [1, 2, 3].map(|seed| Witness::new(&format!("w{seed}.example"), seed))
}

/// The log's bundle, its checkpoint cosigned by these.
fn cosigned(log: &Log, by: &[&Witness]) -> Files {
    let mut files = log.bundle();
    let checkpoint = String::from_utf8(files.get("checkpoint").to_vec()).unwrap();
    let text = Note::parse(&checkpoint).unwrap().text().to_owned();
    let lines = by.iter().map(|witness| witness.line(&text, 1_795_000_000));
    files.put("checkpoint", checkpoint + &lines.collect::<String>());
    files
}

fn asking(keys: &[&Witness], policy: Option<&str>) -> Options {
    Options {
        witnesses: Witnesses {
            keys: keys.iter().map(|one| one.vkey.clone()).collect(),
            policy: policy.map(|text| TrustPolicy::parse(text).unwrap()),
        },
        ..with_key(signer().vkey())
    }
}

fn detail(report: &Report) -> &str {
    let mut checks = report.checks.iter();
    let check = checks.find(|check| check.name == CheckName::Witnesses);
    &check.unwrap().detail
}

#[test]
fn what_is_asked_for_must_be_shown() {
    let log = furnished();
    let [one, two, three] = witnesses();
    let policy = format!(
        "witness a {}\nwitness b {}\nwitness c {}\ngroup two 2 a b c\nquorum two\n",
        one.vkey, two.vkey, three.vkey
    );
    let nobody = policy.replace("quorum two", "quorum none");
    let (two_of_three, none) = (Some(policy.as_str()), Some(nobody.as_str()));
    #[rustfmt::skip]
    let table: [(&str, &[&Witness], Options, u8, &str); 10] = [
        ("nothing is asked", &[&one], asking(&[], None), 0, "no witness was asked for"),
        ("one asked, one shown", &[&one], asking(&[&one], None), 0, "cosigned by w1.example+"),
        ("its time is told", &[&one], asking(&[&one], None), 0, "at 2026-11-18T11:06:40.000000Z"),
        ("another shown", &[&two], asking(&[&one], None), 2, "no cosignature of w1.example+"),
        ("none shown", &[], asking(&[&one], None), 2, "cosigned by nobody you know"),
        ("two asked, one shown", &[&one], asking(&[&one, &two], None), 2, "no cosignature of w2.example+"),
        ("a quorum reached", &[&one, &three], asking(&[], two_of_three), 0, "w3.example+"),
        ("one witness twice is no quorum", &[&one, &one], asking(&[], two_of_three), 2, "the quorum two is not reached"),
        ("a quorum, and a key besides", &[&one, &three], asking(&[&two], two_of_three), 2, "no cosignature of w2.example+"),
        ("quorum none", &[], asking(&[], none), 0, "the policy asks for no witness: not witnessed"),
    ];
    for (story, by, options, exit, words) in table {
        let report = cosigned(&log, by).judge(&options);
        assert_eq!(report.exit, exit, "{story}: {report}");
        assert!(detail(&report).contains(words), "{story}: {report}");
        let held = report.result(CheckName::Witnesses) == CheckResult::Holds;
        let told = report.to_string().contains("VERIFIED, NOT WITNESSED: ");
        assert_eq!(told, exit == 0 && !held, "{story}: {report}");
    }
}

#[test]
fn a_known_witness_that_signed_something_else_is_false() {
    let log = furnished();
    let [one, two, _] = witnesses();
    let mut files = cosigned(&log, &[&two]);
    let honest = String::from_utf8(files.get("checkpoint").to_vec()).unwrap();
    files.put("checkpoint", honest + &one.line("another text\n", 1));
    let report = files.judge(&asking(&[&one, &two], None));
    assert_eq!(
        (report.exit, broken(&report).0),
        (1, "witnesses.signature"),
        "{report}"
    );
    // Of a witness that nobody asked about it says nothing.
    assert_eq!(files.judge(&asking(&[&two], None)).exit, 0);
}

#[test]
fn a_witness_is_no_substitute_for_the_logs_own_signature() {
    let log = furnished();
    let [one, ..] = witnesses();
    let own = Witness::new("ledger.example/acme", 9);
    let files = cosigned(&log, &[&one, &own]);
    let keys = vec![one.vkey.clone(), own.vkey.clone()];
    let options = Options {
        keys,
        ..asking(&[&one], None)
    };
    assert_eq!(files.judge(&options).exit, 2);
}
