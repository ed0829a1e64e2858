//! The life of a pending decision: asked again, answered, used, run out.

use crate::support::{ADAPTER, Log, policy, request};
use probity_governance::command::{Operation, Reply, Standing};
use probity_governance::execute::Rejected;
use probity_governance::limits::EXPIRED_PER_CALL_MAX;
use probity_schemas::event::Event;
use probity_schemas::event::decision::Request;
use probity_schemas::vocabulary::{ConsumedBy, Effect, ExpiredPart, Role, Verdict};
use uuid::Uuid;

/// A log where `exec` needs a person, and one such request.
fn pending() -> (Log, Uuid) {
    let mut log = Log::new();
    log.publish([policy("ask", Some("exec"), Effect::RequireApproval)]);
    let (decision, made) = log.ask(request("exec", "e1"));
    assert_eq!(made.verdict, Verdict::RequireApproval);
    let approval = made.approval.unwrap();
    assert_eq!(
        (approval.role, approval.expires),
        (Role::Approver, made.facts.time.plus_seconds(3600))
    );
    (log, decision)
}

fn again(log: &mut Log, request: Request) -> (Vec<Event>, Reply) {
    log.run(ADAPTER, Operation::RequestDecision(request.into()))
}

#[test]
fn asked_again_it_is_the_same_pending() {
    let (mut log, decision) = pending();
    for _ in 0..3 {
        let (events, reply) = again(&mut log, request("exec", "e1"));
        assert!(events.is_empty());
        assert_eq!(
            reply,
            Reply::Standing {
                decision,
                standing: Standing::Pending
            }
        );
    }
    assert_eq!(log.story_of(decision), ["decision.made.v1"]);
}

#[test]
fn approved_then_resumed_once_then_decided_afresh() {
    let (mut log, decision) = pending();
    let events = log.resolve("user:ann", decision, true).unwrap();
    let Event::ApprovalGranted(granted) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(granted.role, Role::Approver);
    log.seconds += 900;
    let (events, reply) = again(&mut log, request("exec", "e1"));
    assert_eq!(reply, Reply::Resumed { decision });
    let Event::GrantConsumed(consumed) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (consumed.by, consumed.request_digest),
        (ConsumedBy::Request, granted.request_digest)
    );
    let (next, made) = log.ask(request("exec", "e1"));
    assert_ne!(next, decision);
    assert_eq!(made.verdict, Verdict::RequireApproval, "used once");
    assert_eq!(
        log.story_of(decision),
        [
            "decision.made.v1",
            "approval.granted.v1",
            "grant.consumed.v1"
        ]
    );
}

#[test]
fn a_denial_stands_as_long_as_the_person_could_have_answered() {
    let (mut log, decision) = pending();
    log.resolve("user:ann", decision, false).unwrap();
    log.seconds += 3600;
    // A record of the last moment leaves the denial where it is.
    log.set("mode", "strict");
    let (events, reply) = again(&mut log, request("exec", "e1"));
    assert!(events.is_empty());
    assert_eq!(
        reply,
        Reply::Standing {
            decision,
            standing: Standing::Denied
        }
    );
    log.seconds += 1;
    let (next, _) = log.ask(request("exec", "e1"));
    assert_ne!(next, decision);
    assert_eq!(
        log.judge.standing(&decision),
        Some(Standing::Denied),
        "remembered as closed"
    );
    assert!(
        !log.judge.open.contains_key(&decision),
        "and dropped from the register"
    );
}

#[test]
fn another_request_under_a_denied_execution_is_decided_afresh() {
    let (mut log, decision) = pending();
    log.resolve("user:ann", decision, false).unwrap();
    let (next, _) = log.ask(Request {
        intent: Some("other".to_owned()),
        ..request("exec", "e1")
    });
    assert_ne!(next, decision);
}

#[test]
fn an_answer_comes_once() {
    let (mut log, decision) = pending();
    let unknown = Uuid::from_u128(1);
    assert_eq!(
        log.resolve("user:ann", unknown, true),
        Err(Rejected::DecisionUnknown { decision: unknown })
    );
    log.resolve("user:ann", decision, true).unwrap();
    let how = |how| Err(Rejected::AlreadyResolved { how });
    assert_eq!(
        log.resolve("user:root", decision, false),
        how(Standing::Approved)
    );
    again(&mut log, request("exec", "e1"));
    assert_eq!(
        log.resolve("user:root", decision, false),
        how(Standing::Consumed)
    );
    log.set("mode", "permissive");
    let (allowed, _) = log.ask(request("read", "e2"));
    assert_eq!(
        log.resolve("user:ann", allowed, true),
        how(Standing::Allowed)
    );
}

#[test]
fn too_late_an_answer_records_the_expiry() {
    let (mut log, decision) = pending();
    log.seconds += 3601;
    let resolution = probity_governance::command::Resolution {
        decision,
        grant: true,
        justification: None,
        note: None,
        signature: None,
    };
    let (events, reply) = log.run("user:ann", Operation::ResolveApproval(resolution));
    assert_eq!(reply, Reply::Expired { decision });
    assert!(
        matches!(&events[..], [Event::DecisionExpired(expired)] if expired.part == ExpiredPart::Approval)
    );
    let again = log.resolve("user:ann", decision, true);
    assert_eq!(
        again,
        Err(Rejected::AlreadyResolved {
            how: Standing::Expired
        })
    );
}

#[test]
fn asked_again_after_the_wait_it_expires_and_is_decided_afresh() {
    let (mut log, decision) = pending();
    log.seconds += 3601;
    let (events, reply) = again(&mut log, request("exec", "e1"));
    assert_eq!(reply, Reply::Recorded);
    assert!(
        matches!(
            &events[..],
            [Event::DecisionExpired(_), Event::DecisionMade(_)]
        ),
        "{events:?}"
    );
    assert_eq!(
        log.story_of(decision),
        ["decision.made.v1", "decision.expired.v1"]
    );
}

#[test]
fn a_grant_not_used_in_time_is_void() {
    let (mut log, decision) = pending();
    log.resolve("user:ann", decision, true).unwrap();
    log.seconds += 901;
    let (events, _) = again(&mut log, request("exec", "e1"));
    let Event::DecisionExpired(expired) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(expired.part, ExpiredPart::Grant);
    assert!(
        matches!(&events[1], Event::DecisionMade(made) if made.verdict == Verdict::RequireApproval)
    );
}

#[test]
fn the_ledgers_clock_records_what_ran_out() {
    let (mut log, first) = pending();
    let (second, _) = log.ask(request("exec", "e2"));
    log.resolve("user:ann", second, true).unwrap();
    log.ask(request("exec", "e3"));
    let (denied, _) = log.ask(request("exec", "e4"));
    log.resolve("user:ann", denied, false).unwrap();
    log.seconds += 900;
    assert!(
        log.run("system", Operation::ExpireDue).0.is_empty(),
        "the last moment still counts"
    );
    log.seconds += 1;
    assert_eq!(
        log.run("system", Operation::ExpireDue).0.len(),
        1,
        "the grant"
    );
    assert_eq!(log.story_of(second).last(), Some(&"decision.expired.v1"));
    log.seconds += 2700;
    assert_eq!(
        log.run("system", Operation::ExpireDue).0.len(),
        2,
        "the waits; a denial does not run out"
    );
    assert_eq!(log.story_of(first).last(), Some(&"decision.expired.v1"));
    assert!(log.judge.open.is_empty());
}

#[test]
fn one_call_records_no_more_than_its_bound() {
    let (mut log, _) = pending();
    let (_, made) = log.last_decision();
    let case = log.judge.open.values().next().unwrap().clone();
    let mut state =
        probity_governance::state::State::from_snapshot(&log.writer.to_snapshot().unwrap())
            .unwrap();
    for id in 0..EXPIRED_PER_CALL_MAX as u128 + 5 {
        state.open.insert(Uuid::from_u128(id), case.clone());
    }
    // A snapshot collects the deadlines of the cases put in by hand.
    let state =
        probity_governance::state::State::from_snapshot(&state.to_snapshot().unwrap()).unwrap();
    log.seconds += i64::from(made.facts.approval_seconds) + 1;
    let moment = log.moment();
    let command = probity_governance::command::Command {
        actor: "system".to_owned(),
        surface: "test",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation: Operation::ExpireDue,
    };
    let decided = probity_governance::execute::execute(&state, &log, &command, &moment).unwrap();
    assert_eq!(decided.drafts().len(), EXPIRED_PER_CALL_MAX);
}

#[test]
fn without_an_execution_the_decisions_id_stands_in() {
    let mut log = Log::new();
    log.publish([policy("ask", Some("exec"), Effect::RequireApproval)]);
    let (decision, made) = log.ask(Request {
        execution: None,
        ..request("exec", "e1")
    });
    assert_eq!(made.facts.request.execution, Some(decision.to_string()));
    log.resolve("user:ann", decision, true).unwrap();
    let (_, reply) = again(&mut log, request("exec", &decision.to_string()));
    assert_eq!(reply, Reply::Resumed { decision });
}

#[test]
fn executions_of_different_actors_and_workspaces_are_different() {
    let (mut log, decision) = pending();
    log.resolve("user:ann", decision, true).unwrap();
    let theirs = Request {
        adapter: Some("coder".to_owned()),
        ..request("exec", "e1")
    };
    let (_, reply) = log.run("user:bob", Operation::RequestDecision(theirs.into()));
    assert_eq!(reply, Reply::Recorded, "decided afresh for another actor");
    log.workspace = Some("w2".to_owned());
    let (_, reply) = again(&mut log, request("exec", "e1"));
    assert_eq!(
        reply,
        Reply::Recorded,
        "decided afresh in another workspace"
    );
}
