//! The signer's keys: which may follow which, who may say so, and which can be called compromised. What a log takes, the judge
//! takes, and what it refuses, the judge refuses.

use crate::support::{Log, credential};
use probity_governance::adjudicate::{Fault, adjudicate};
use probity_governance::command::Operation;
use probity_governance::execute::Rejected;
use probity_governance::signer::SignerFault;
use probity_governance::state::Applied;
use probity_schemas::event::Event;
use probity_schemas::event::signer::{SignerCompromised, SignerRotated};
use probity_schemas::hash::Hash;
use probity_schemas::vkey::VerifierKey;
use probity_schemas::vocabulary::Role;

const FIRST: &str = "ledger.example/acme+00000000+AQ==";

/// A public key: of the secrets 32 bytes 0x01, 0x02 and 0x03.
fn key(name: &str, number: usize) -> String {
    let publics = [
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
        "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
    ];
    let byte = |at: usize| u8::from_str_radix(&publics[number][2 * at..2 * at + 2], 16).unwrap();
    let public = std::array::from_fn(byte);
    VerifierKey::ed25519(name, &public).unwrap().to_string()
}

fn own(number: usize) -> String {
    key("ledger.example/acme", number)
}

fn rotate(signer: String) -> Operation {
    Operation::RotateSigner {
        signer,
        reason: None,
    }
}

fn report(key: &str, last_trusted_size: u64) -> Operation {
    Operation::ReportCompromise(SignerCompromised {
        key: key.to_owned(),
        last_trusted_size,
        reason: None,
    })
}

/// The judge's word on an event that nobody's writer made.
fn judged(log: &Log, event: Event) -> Result<(), Fault> {
    let applied = Applied {
        leaf: Hash::EMPTY,
        sequence: log.judge.size,
        subject: "signer/00112233445566778899aabbccddeeff",
        actor: "system",
        time: log.records.last().unwrap().time,
        workspace: None,
        event: &event,
    };
    adjudicate(&log.judge, &applied)
}

#[test]
fn keys_follow_one_another_and_only_one_that_signs_no_more_is_compromised() {
    let mut log = Log::empty();
    for next in [own(0), own(1)] {
        log.run("system", rotate(next));
    }
    let subject = &log.records.last().unwrap().subject;
    assert_eq!(subject, "signer/00112233445566778899aabbccddeeff");
    let keys: Vec<&str> = log
        .judge
        .directory
        .signers
        .iter()
        .map(|term| term.key.as_str())
        .collect();
    assert_eq!(keys, [FIRST, &own(0), &own(1)]);
    for (operation, fault) in [
        (rotate(own(1)), SignerFault::Known),
        (rotate(own(0)), SignerFault::Known),
        (rotate(key("ledger.example/beta", 2)), SignerFault::Name),
        (report(&own(1), 1), SignerFault::InForce),
        (report(&own(2), 1), SignerFault::Unknown),
        (report(&own(0), 4), SignerFault::Size),
    ] {
        let refused = log.call("system", operation.clone()).unwrap_err();
        assert_eq!(
            refused,
            Rejected::SignerInvalid { why: fault.clone() },
            "{operation:?}"
        );
        let event = match operation {
            Operation::RotateSigner { signer, reason } => SignerRotated {
                previous: own(1).split('+').nth(1).unwrap().to_owned(),
                reason,
                signer,
            }
            .into(),
            Operation::ReportCompromise(compromised) => compromised.into(),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(judged(&log, event), Err(Fault::Signer(fault)));
    }
    let stale = SignerRotated {
        previous: "00000000".to_owned(),
        reason: None,
        signer: own(2),
    };
    assert_eq!(
        judged(&log, stale.into()),
        Err(Fault::Signer(SignerFault::Previous))
    );
    for (size, fits) in [
        (3, true),
        (3, false),
        (1, true),
        (2, false),
        (0, true),
        (0, false),
    ] {
        let done = log.call("system", report(&own(0), size)).is_ok();
        assert_eq!(done, fits, "{size}: a later report only takes trust away");
    }
    assert_eq!(log.judge.directory.signers[1].last_trusted_size, Some(0));
}

#[test]
fn an_admin_rotates_and_reports_and_nobody_else() {
    let mut log = Log::empty();
    for (id, actor, role) in [
        ("1", "user:root", Role::Admin),
        ("2", "user:ann", Role::Approver),
        ("3", "user:ops", Role::Operator),
        ("4", "user:aud", Role::Auditor),
    ] {
        let issued = credential(actor, &[role]);
        log.run(
            "system",
            Operation::IssueCredential(id.to_owned(), Box::new(issued)),
        );
    }
    for operation in [rotate(own(0)), report(FIRST, 1)] {
        for actor in ["user:ann", "user:ops", "user:aud", "adapter:coder"] {
            let refused = log.call(actor, operation.clone());
            assert!(
                matches!(refused, Err(Rejected::NotEntitled { .. })),
                "{actor}: {refused:?}"
            );
        }
        log.run("user:root", operation);
    }
}
