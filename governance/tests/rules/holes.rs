//! The holes that are known of governance layers like this one, each shut and each with its test. The numbers are those of
//! the list that the project keeps of them.

use crate::support::{ADAPTER, Log, adapter, policy, request, request_in, when};
use probity_governance::command::{Operation, Reply, Standing};
use probity_schemas::event::Event;
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::policy::{Operator, Policy};
use probity_schemas::vocabulary::{Effect, Reason, RiskClass, Verdict};

fn pack() -> Vec<Policy> {
    let shell = policy("allow-safe-shell-reads", Some("exec"), Effect::Allow);
    let shell = when(shell, "context.exec.argv0", Operator::In, &["ls", "cat"]);
    let shell = when(
        shell,
        "context.targets.paths",
        Operator::AllUnder,
        &["{{workspace.root}}"],
    );
    let fallback = policy("fallback", None, Effect::RequireApproval);
    vec![
        Policy {
            precedence: 30,
            ..shell
        },
        Policy {
            precedence: -100,
            ..fallback
        },
    ]
}

fn log_with(policies: Vec<Policy>) -> Log {
    let mut log = Log::new();
    log.publish(policies);
    log
}

#[test]
fn hole_1_operators_are_always_on() {
    let mut log = log_with(pack());
    let (_, safe) = log.ask(request_in(
        "exec",
        r#"{"exec":{"argv0":"ls"},"targets":{"paths":["/ws/repo/src"]}}"#,
    ));
    assert_eq!(safe.verdict, Verdict::Allow);
    let (_, rm) = log.ask(request_in(
        "exec",
        r#"{"exec":{"argv0":"rm","argv":["rm","-rf","/"]},"targets":{"paths":["/"]}}"#,
    ));
    assert_eq!(
        (rm.verdict, rm.winner.as_deref()),
        (Verdict::RequireApproval, Some("fallback"))
    );
}

#[test]
fn hole_1_approvals_are_never_simulated() {
    let mut log = log_with(pack());
    let (decision, made) = log.ask(request("write", "e1"));
    assert_eq!(made.verdict, Verdict::RequireApproval);
    assert_eq!(log.judge.standing(&decision), Some(Standing::Pending));
}

#[test]
fn hole_2_a_requesters_override_has_no_effect_and_is_kept() {
    let mut log = log_with(vec![policy("deny", None, Effect::Deny)]);
    let (_, made) = log.ask(Request {
        override_ignored: true,
        ..request("exec", "e1")
    });
    assert_eq!(made.verdict, Verdict::Deny);
    assert!(made.facts.request.override_ignored);
    assert!(made.explanation.contains("has no effect"));
}

#[test]
fn hole_3_an_approval_is_of_the_very_request() {
    let mut log = log_with(pack());
    let (decision, _) = log.ask(request("uptime", "e1"));
    log.resolve("user:ann", decision, true).unwrap();
    let (swapped, made) = log.ask(request("delete", "e1"));
    assert_ne!(swapped, decision);
    assert_eq!(
        made.verdict,
        Verdict::RequireApproval,
        "another request waits for its own approval"
    );
}

#[test]
fn hole_3_an_approval_is_used_once() {
    let mut log = log_with(pack());
    let (decision, _) = log.ask(request("uptime", "e1"));
    log.resolve("user:ann", decision, true).unwrap();
    let (_, reply) = log.run(
        ADAPTER,
        Operation::RequestDecision(request("uptime", "e1").into()),
    );
    assert_eq!(reply, Reply::Resumed { decision });
    let (_, made) = log.ask(request("uptime", "e1"));
    assert_eq!(made.verdict, Verdict::RequireApproval);
}

#[test]
fn hole_4_expiry_is_enforced_and_recorded() {
    let mut log = log_with(pack());
    let (decision, _) = log.ask(request("uptime", "e1"));
    log.seconds += 3601;
    log.resolve("user:ann", decision, true).unwrap();
    assert_eq!(
        log.judge.standing(&decision),
        Some(Standing::Expired),
        "not approved"
    );
    let (decision, _) = log.ask(request("uptime", "e2"));
    log.resolve("user:ann", decision, true).unwrap();
    log.seconds += 901;
    let (_, made) = log.ask(request("uptime", "e2"));
    assert_eq!(made.verdict, Verdict::RequireApproval, "the grant is void");
    assert_eq!(log.story_of(decision).last(), Some(&"decision.expired.v1"));
}

#[test]
fn hole_5_a_disabled_or_unknown_adapter_is_denied() {
    let mut log = log_with(vec![policy("allow", None, Effect::Allow)]);
    let stranger = Request {
        adapter: Some("stranger".to_owned()),
        ..request("exec", "e1")
    };
    log.run(
        "adapter:stranger",
        Operation::RequestDecision(stranger.into()),
    );
    assert_eq!(log.last_decision().1.reason, Some(Reason::AdapterUnknown));
    let off = AdapterRegistered {
        enabled: false,
        ..adapter("coder")
    };
    log.run("user:ops", Operation::RegisterAdapter(Box::new(off)));
    let (_, made) = log.ask(request("exec", "e1"));
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Deny, Some(Reason::AdapterDisabled))
    );
}

#[test]
fn hole_5_an_adapter_switched_off_after_the_approval_does_not_resume() {
    let mut log = log_with(pack());
    let (decision, _) = log.ask(request("uptime", "e1"));
    log.resolve("user:ann", decision, true).unwrap();
    let off = AdapterRegistered {
        enabled: false,
        ..adapter("coder")
    };
    log.run("user:ops", Operation::RegisterAdapter(Box::new(off)));
    let (_, made) = log.ask(request("uptime", "e1"));
    assert_eq!(made.reason, Some(Reason::AdapterDisabled));
}

#[test]
fn hole_5_declared_risk_raises_and_never_lowers() {
    let mut log = log_with(vec![policy("allow", None, Effect::Allow)]);
    let high = AdapterRegistered {
        risk_class: RiskClass::High,
        ..adapter("coder")
    };
    log.run("user:ops", Operation::RegisterAdapter(Box::new(high)));
    let risk = |log: &mut Log, class| {
        log.ask(Request {
            risk_class: class,
            ..request("exec", "e1")
        })
        .1
        .risk
        .adapter
    };
    assert_eq!(risk(&mut log, Some(RiskClass::Low)), risk(&mut log, None));
    assert!(risk(&mut log, Some(RiskClass::Critical)) > risk(&mut log, None));
}

#[test]
fn hole_5_templates_come_from_the_servers_configuration_alone() {
    let mut log = log_with(pack());
    let (_, made) = log.ask(request_in(
        "exec",
        r#"{"exec":{"argv0":"cat"},"targets":{"paths":["/etc/shadow"]},"templateVars":{"workspace.root":"/"}}"#,
    ));
    assert_eq!(made.verdict, Verdict::RequireApproval);
    assert_eq!(made.facts.templates["workspace.root"], "/ws/repo");
}

#[test]
fn hole_5_a_capability_the_credential_does_not_carry_is_denied() {
    let mut log = log_with(vec![policy("allow", None, Effect::Allow)]);
    for (carried, verdict) in [
        (None, Verdict::Allow),
        (
            Some(vec!["shell.exec".to_owned(), "fs.read".to_owned()]),
            Verdict::Allow,
        ),
        (Some(vec!["fs.read".to_owned()]), Verdict::Deny),
        (Some(vec![]), Verdict::Deny),
    ] {
        let (_, made) = log.ask(Request {
            credential_capabilities: carried,
            ..request("exec", "e1")
        });
        assert_eq!(made.verdict, verdict);
        assert_eq!(
            made.reason,
            (verdict == Verdict::Deny).then_some(Reason::CapabilityNotAllowed)
        );
    }
}

#[test]
fn hole_5_the_requesters_own_system_can_refuse() {
    let mut log = log_with(vec![policy("allow", None, Effect::Allow)]);
    let (_, made) = log.ask(Request {
        rbac_allowed: Some(false),
        ..request("exec", "e1")
    });
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Deny, Some(Reason::RbacDenied))
    );
    assert_eq!(
        log.ask(Request {
            rbac_allowed: Some(true),
            ..request("exec", "e2")
        })
        .1
        .verdict,
        Verdict::Allow
    );
}

#[test]
fn hole_6_a_new_policy_approves_nothing_that_waits() {
    let mut log = log_with(pack());
    let (decision, _) = log.ask(request("uptime", "e1"));
    log.publish([Policy {
        precedence: 1000,
        ..policy("allow-all", None, Effect::Allow)
    }]);
    assert_eq!(log.judge.standing(&decision), Some(Standing::Pending));
    let (_, reply) = log.run(
        ADAPTER,
        Operation::RequestDecision(request("uptime", "e1").into()),
    );
    assert_eq!(
        reply,
        Reply::Standing {
            decision,
            standing: Standing::Pending
        }
    );
}

#[test]
fn hole_7_policy_changes_are_records_and_part_of_every_decision() {
    let mut log = log_with(pack());
    let (_, before) = log.ask(request("uptime", "e1"));
    log.publish([Policy {
        precedence: 1000,
        ..policy("allow-all", None, Effect::Allow)
    }]);
    let (_, during) = log.ask(request("uptime", "e2"));
    log.run("user:ann", Operation::RetirePolicy("allow-all".to_owned()));
    let (_, after) = log.ask(request("uptime", "e3"));
    assert_eq!(
        (before.policyset, during.verdict),
        (after.policyset, Verdict::Allow)
    );
    assert_ne!(before.policyset, during.policyset);
    let changes = log
        .records
        .iter()
        .filter(|record| record.subject == "policy/allow-all");
    let types: Vec<_> = changes
        .map(|record| (record.event.type_name(), record.actor.as_str()))
        .collect();
    assert_eq!(
        types,
        [
            ("policy.published.v1", "user:ann"),
            ("policy.retired.v1", "user:ann")
        ]
    );
}

#[test]
fn hole_14_retries_make_no_second_pending() {
    let mut log = log_with(pack());
    log.ask(request("uptime", "e1"));
    let records = log.records.len();
    for _ in 0..5 {
        log.run(
            ADAPTER,
            Operation::RequestDecision(request("uptime", "e1").into()),
        );
    }
    assert_eq!(log.records.len(), records);
    assert_eq!(log.judge.open.len(), 1);
}

#[test]
fn hole_14_a_deny_rule_hits_paths_nobody_can_judge() {
    let deny = when(
        policy("no-secrets", None, Effect::Deny),
        "context.targets.paths",
        Operator::AnyUnder,
        &["/etc"],
    );
    let mut log = log_with(vec![
        deny,
        Policy {
            precedence: 0,
            ..policy("allow", None, Effect::Allow)
        },
    ]);
    let (_, made) = log.ask(request_in(
        "exec",
        r#"{"targets":{"paths":["~/../etc/shadow"]}}"#,
    ));
    assert_eq!(
        (made.verdict, made.matched[0].unjudged.as_slice()),
        (Verdict::Deny, &["context.targets.paths".to_owned()][..])
    );
    assert!(made.explanation.contains("could not be judged"));
}

#[test]
fn hole_14_guarded_refuses_where_the_fallback_does_not_match() {
    let narrow = when(
        policy("fallback", None, Effect::Allow),
        "agent_role",
        Operator::Eq,
        &["coding"],
    );
    let mut log = log_with(vec![Policy {
        precedence: -100,
        ..narrow
    }]);
    let (_, made) = log.ask(request("exec", "e1"));
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Deny, Some(Reason::NoMatchingPolicy))
    );
}

#[test]
fn every_decision_carries_what_it_rests_on() {
    let mut log = log_with(pack());
    for action in ["exec", "write"] {
        let (decision, made) = log.ask(request(action, action));
        assert_eq!(made.engine, 1);
        assert_eq!(made.policyset, log.writer.directory.policyset);
        assert_eq!(made.facts.time, log.records.last().unwrap().time);
        assert_eq!(
            log.story_of(decision),
            ["decision.made.v1"],
            "an allow is a record like any other"
        );
    }
    assert!(
        log.records
            .iter()
            .any(|record| matches!(record.event, Event::PolicyPublished(_)))
    );
}
