//! A small log, written as a bundle, and specimens of every way in which a line, or a line in its place, can break
//! the format.

use std::collections::HashMap;
use std::fmt::Write as _;

use probity_schemas::bundle::{BundleManifest, FORMAT};
use probity_schemas::canonical::canonicalize;
use probity_schemas::chain::{ChainTip, OriginLink, SubjectLink, SubjectTip};
use probity_schemas::error::FormatError;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::limits::RECORD_BYTES_MAX;
use probity_schemas::note::Note;
use probity_schemas::record::{Envelope, Record, sequence_text};
use probity_schemas::time::Time;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::signer::{ORIGIN, Signer, checkpoint};
use crate::{Input, assert_complete, golden, golden_json, rules};

rules!(
    RULES,
    rule,
    FormatError,
    [
        TooLong,
        NotCanonical,
        Shape,
        BadSpecVersion,
        BadType,
        BadData,
        BadId,
        BadTime,
        BadSequence,
        BadRevision,
        BadOrigin,
        BadTenant,
        BadSubject,
        BadActor,
        BadSurface,
        BadExtension,
        BadOpening,
        OtherOrigin,
        SequenceGap,
        IdNotIncreasing,
        TimeGoesBack,
        BadPrevious,
        RevisionGap,
        BadSubjectPrevious,
    ]
);

/// Type, subject and body of each record of the log.
const LOG: [(&str, &str, &str); 6] = [
    (
        "log.opened.v1",
        "log/acme",
        r#"{"engine":1,"format":1,"log_id":"000102030405060708090a0b0c0d0e0f","origin":"ledger.example/acme","signer":"VKEY","tenant":"acme"}"#,
    ),
    (
        "setting.changed.v1",
        "setting/mode",
        r#"{"name":"mode","value":"guarded"}"#,
    ),
    (
        "adapter.registered.v1",
        "adapter/coder",
        r#"{"id":"coder","display_name":"Coder","version":"1.0.0","enabled":true,"risk_class":"medium","certification":"","capabilities":["shell.exec"],"tool_capabilities":[]}"#,
    ),
    (
        "observation.recorded.v1",
        "deploy/42",
        r#"{"kind":"deploy.started","body":{"by":"Zoë \ud83d\ude80","path":"C:\\tmp","ratio":0.25,"tab":"\t"}}"#,
    ),
    (
        "observation.recorded.v1",
        "deploy/42",
        r#"{"kind":"deploy.finished","body":[1e21,1e-7,-1,null,true,{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3}]}"#,
    ),
    (
        "observation.recorded.v1",
        "deploy/43",
        r#"{"kind":"deploy.started","body":"done"}"#,
    ),
];

/// The lines of the log, sealed as the ledger seals them: each linked to the one before.
fn log() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, (kind, subject, body)) in LOG.iter().enumerate() {
        let body = canonicalize(
            body.replace("VKEY", &Signer::new(ORIGIN, 1).vkey.to_string())
                .as_bytes(),
        )
        .unwrap();
        let own = |number: usize| LOG[number].1 == *subject;
        let envelope = Envelope {
            actor: if at == 0 { "system" } else { "user:ann" }.into(),
            causationid: (at == 4).then(|| id(3).into()),
            correlationid: (at == 4).then_some("case 7".into()),
            data: RawValue::from_string(body).unwrap(),
            id: id(at).into(),
            previous: lines
                .last()
                .map_or(Hash::EMPTY, |line| leaf_hash(line.as_bytes())),
            revision: (0..at)
                .filter(|number| own(*number))
                .count()
                .to_string()
                .into(),
            sequence: sequence_text(at as u64).into(),
            source: ORIGIN.into(),
            specversion: "1.0".into(),
            subject: (*subject).into(),
            subjectprevious: (0..at)
                .rfind(|number| own(*number))
                .map(|number| leaf_hash(lines[number].as_bytes())),
            surface: "v1".into(),
            time: Time::from_micros(1_767_225_600_000_000 + 1_000_000 * at as i64),
            traceparent: (at == 4)
                .then_some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            type_name: (*kind).into(),
            workspace: (at == 5).then_some("staging".into()),
        };
        lines.push(String::from_utf8(envelope.to_line().unwrap()).unwrap());
    }
    lines
}

/// A UUIDv7 of record `at`, one second after the other.
fn id(at: usize) -> String {
    format!(
        "019b76da-{:04x}-7000-8000-00000000000{at}",
        0xa800 + 1000 * at
    )
}

/// Judges lines from record 0 on, as any reader of a whole log does; answers where it stopped and why.
fn judge(lines: &[Vec<u8>]) -> Result<(), (usize, FormatError)> {
    let (mut tip, mut origin, mut subjects) = (
        ChainTip::START,
        OriginLink::default(),
        HashMap::<String, SubjectTip>::new(),
    );
    for (at, line) in lines.iter().enumerate() {
        let mut record = || {
            let record = Record::parse(line)?;
            record.event()?;
            tip.follow(&record)?;
            origin.follow(&record)?;
            let subject = record.envelope.subject.to_string();
            SubjectLink::of(&record).follows(subjects.get(&subject))?;
            subjects.insert(subject, SubjectTip::of(&record));
            Ok(())
        };
        record().map_err(|error| (at, error))?;
    }
    Ok(())
}

#[test]
fn the_bundle_of_the_log_is_fresh() {
    let lines = log();
    assert_eq!(judge(&bytes(&lines)), Ok(()));
    let leaves: Vec<Hash> = lines
        .iter()
        .map(|line| leaf_hash(line.as_bytes()))
        .collect();
    let checkpoint = checkpoint(&leaves);
    let note = Note::build(
        &checkpoint.text(),
        &[Signer::new(ORIGIN, 1).line(&checkpoint.text())],
    )
    .unwrap();
    let manifest = BundleManifest {
        count: lines.len() as u64,
        filter: None,
        first: 0,
        format: FORMAT,
        origin: ORIGIN.to_owned(),
        tool: "golden vectors".to_owned(),
    };
    golden("bundle/bundle.json", &manifest.to_json().unwrap());
    golden("bundle/checkpoint", &note.to_string());
    golden(
        "bundle/records.jsonl",
        &lines.iter().fold(String::new(), |mut all, line| {
            writeln!(all, "{line}").unwrap();
            all
        }),
    );
}

fn bytes(lines: &[String]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.clone().into_bytes()).collect()
}

#[test]
fn malformed_records_are_fresh() {
    let lines = log();
    let malformed: Vec<Value> = malformed(&lines[4])
        .iter()
        .map(|input| {
            let error = Record::parse(&input.bytes())
                .and_then(|record| record.event().map(drop))
                .unwrap_err();
            json!({ "input": input.json(), "rule": rule(&error) })
        })
        .collect();
    let broken: Vec<Value> = broken(&lines)
        .iter()
        .map(|lines| {
            let (at, error) = judge(&bytes(lines)).unwrap_err();
            json!({ "lines": lines, "sequence": at, "rule": rule(&error) })
        })
        .collect();
    assert_complete(RULES, &[malformed.clone(), broken.clone()].concat());
    golden_json(
        "records.json",
        &json!({ "malformed": malformed, "broken": broken }),
    );
}

/// Lines that are malformed in themselves, each made from a good one by one change.
fn malformed(good: &str) -> Vec<Input> {
    let mut inputs: Vec<Input> = CHANGES
        .iter()
        .map(|(from, to)| {
            let changed = good.replacen(from, to, 1);
            assert_ne!(changed, good, "{from}");
            Input::Text(changed)
        })
        .collect();
    let (before, after) = good.split_once("deploy.finished").unwrap();
    inputs.push(Input::Filled {
        before: before.to_owned(),
        repeat: 'a',
        count: RECORD_BYTES_MAX,
        after: after.to_owned(),
    });
    inputs.push(Input::from([good.as_bytes(), b"\xff"].concat().as_slice()));
    inputs.push(Input::from("{}"));
    inputs.push(Input::from("[]"));
    inputs
}

#[rustfmt::skip]
const CHANGES: &[(&str, &str)] = &[
    (r#"{"actor""#, r#"{ "actor""#), (r#""body":"#, r#""zbody":"#), (r#""body":["#, r#""body":[01,"#),
    (r#"{"actor":"user:ann","#, "{"), (r#""actor":"user:ann""#, r#""actor":7"#), (r#"{"actor":"user:ann","#, r#"{"actor":"user:ann","also":1,"#),
    (r#""specversion":"1.0""#, r#""specversion":"1.1""#), ("observation.recorded.v1", "observation.recorded.v2"), ("observation.recorded.v1", "Observation"),
    (r#""kind":"deploy.finished""#, r#""kind":7"#), (r#","kind":"deploy.finished""#, ""), (r#""kind":"#, r#""kind":"","more":"#),
    ("-7000-8000-000000000004", "-4000-8000-000000000004"), ("019b76da-b7a0-7000", "019B76DA-B7A0-7000"), ("-7000-8000-000000000004", "-7000-0000-000000000004"),
    ("04.000000Z", "04Z"), ("04.000000Z", "04.000000+00:00"), ("2026-01-01T", "2026-02-30T"), ("00:00:04", "00:00:60"),
    (r#""sequence":"0000000000000004""#, r#""sequence":"4""#), (r#""sequence":"0000000000000004""#, r#""sequence":"000000000000000x""#),
    (r#""revision":"1""#, r#""revision":"01""#), (r#""revision":"1""#, r#""revision":"-1""#), (r#""revision":"1""#, r#""revision":"""#),
    (r#""source":"ledger.example/acme""#, r#""source":"ledger.example""#), (r#""source":"ledger.example/acme""#, r#""source":"ledger example/acme""#),
    (r#""source":"ledger.example/acme""#, r#""source":"ledger.example/Acme""#), (r#""source":"ledger.example/acme""#, r#""source":"ledger.example/acme/1""#),
    (r#""type":"observation.recorded.v1""#, r#""type":"observation.recorded.v1","workspace":"Staging""#),
    (r#""subject":"deploy/42""#, r#""subject":"deploy""#), (r#""subject":"deploy/42""#, r#""subject":"deploy/""#), (r#""subject":"deploy/42""#, r#""subject":"Deploy/4 2""#),
    ("user:ann", "ann"), ("user:ann", "user:"), ("user:ann", "robot:ann"), ("user:ann", "user:Ann Lee"),
    (r#""surface":"v1""#, r#""surface":"""#), (r#""surface":"v1""#, r#""surface":"v\n1""#),
    (r#""correlationid":"case 7""#, r#""correlationid":"""#), (r#""causationid":""#, r#""causationid":"\u0000"#),
    (r#""revision":"1""#, r#""revision":"0""#), (r#""previous":""#, r#""previous":"!"#),
];

/// Whole logs whose last record is out of place, though well-formed in itself.
fn broken(lines: &[String]) -> Vec<Vec<String>> {
    let but = |at: usize, from: &str, to: &str| {
        let mut changed = lines[..=at].to_vec();
        changed[at] = lines[at].replacen(from, to, 1);
        assert_ne!(changed[at], lines[at], "{from}");
        changed
    };
    let leaf = |at: usize| leaf_hash(lines[at].as_bytes()).to_string();
    vec![
        // Record 0 is missing; comes twice; is of another type; states another origin.
        lines[1..2].to_vec(),
        [&lines[..1], &lines[..1]].concat(),
        vec![
            lines[1]
                .replace("0000000000000001", "0000000000000000")
                .replace(&leaf(0), &Hash::EMPTY.to_string()),
        ],
        but(
            0,
            r#""origin":"ledger.example/acme""#,
            r#""origin":"ledger.example/evil""#,
        ),
        // A record left out, doubled, or swapped with its neighbour.
        [&lines[..2], &lines[3..4]].concat(),
        [&lines[..3], &lines[2..3]].concat(),
        [&lines[..2], &lines[3..4], &lines[2..3]].concat(),
        // A record changed, so that the next no longer links to it; a link to another record.
        [but(3, "0.25", "0.75").as_slice(), &lines[4..5]].concat(),
        but(3, &leaf(2), &leaf(1)),
        // An id that repeats, an id that falls, a time that goes back, another log's record.
        but(3, &id(3), &id(2)),
        but(3, &id(3), &id(1)),
        but(3, "00:00:03.000000Z", "00:00:01.999999Z"),
        but(
            3,
            r#""source":"ledger.example/acme""#,
            r#""source":"ledger.example/evil""#,
        ),
        but(
            5,
            r#""source":"ledger.example/acme""#,
            r#""source":"ledger.example/acme/2""#,
        ),
        // A subject's stream: a revision left out, one that begins above 0, and links to another record.
        but(4, r#""revision":"1""#, r#""revision":"2""#),
        but(5, r#""revision":"0""#, r#""revision":"1""#)
            .iter()
            .enumerate()
            .map(|(at, line)| {
                if at == 5 {
                    line.replace(
                        r#""subject":"deploy/43""#,
                        &format!(r#""subject":"deploy/43","subjectprevious":"{}""#, leaf(4)),
                    )
                } else {
                    line.clone()
                }
            })
            .collect(),
        but(
            4,
            &format!(r#""subjectprevious":"{}""#, leaf(3)),
            &format!(r#""subjectprevious":"{}""#, leaf(2)),
        ),
    ]
}
