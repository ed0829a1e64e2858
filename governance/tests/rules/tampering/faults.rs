//! Single records that break one rule, each refused under the name of that rule.

use super::{before, story};
use crate::support::{ADAPTER, Log, Sealed, adapter, policy, request};
use probity_governance::adjudicate::{Fault, adjudicate, adjudicate_outcome};
use probity_governance::command::Operation;
use probity_governance::engine::{PolicySet, request_digest};
use probity_governance::state::StateError;
use probity_schemas::event::Event;
use probity_schemas::event::decision::DecisionMade;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::hash::Hash;
use probity_schemas::vocabulary::{ConsumedBy, Effect, RiskClass, Role, Verdict};

/// The fault of a record put behind a story in place of the one that `pick` finds.
fn fault(pick: impl Fn(&Event) -> bool, change: impl Fn(&mut Sealed)) -> Result<(), Fault> {
    let log = story();
    let at = log
        .records
        .iter()
        .position(|record| pick(&record.event))
        .unwrap();
    let mut record = log.records[at].clone();
    change(&mut record);
    adjudicate(&before(&log.records[..at]), &record.applied())
}

fn pending(event: &Event) -> bool {
    matches!(event, Event::DecisionMade(made) if made.verdict == Verdict::RequireApproval)
}

fn of_made(event: &mut Event) -> &mut DecisionMade {
    match event {
        Event::DecisionMade(made) => made,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_decision_is_refused_by_the_rule_it_breaks() {
    let made = |change: &dyn Fn(&mut DecisionMade)| {
        fault(pending, |record| change(of_made(&mut record.event)))
    };
    assert_eq!(
        made(&|made| made.engine = 2),
        Err(Fault::NewerEngine { engine: 2 })
    );
    assert_eq!(made(&|made| made.engine = 0), Err(Fault::OtherEngine));
    assert_eq!(
        made(&|made| made.verdict = Verdict::Allow),
        Err(Fault::OutcomeDiffers { part: "verdict" })
    );
    assert_eq!(
        made(&|made| made.matched.clear()),
        Err(Fault::OutcomeDiffers { part: "matched" })
    );
    assert_eq!(
        made(&|made| made.policyset = Hash::EMPTY),
        Err(Fault::PolicySetDiffers)
    );
    assert_eq!(
        made(&|made| made.facts.request.intent = Some("x".to_owned())),
        Err(Fault::RequestDigest)
    );
    assert_eq!(
        made(&|made| made.facts.roles.clear()),
        Err(Fault::FactsDiffer { part: "roles" })
    );
    // Told consistently, the outcome follows; the facts are not what the records before give.
    let richer = |made: &mut DecisionMade| {
        made.facts.approval_seconds += 60;
        made.approval.as_mut().unwrap().expires = made.facts.time.plus_seconds(3660);
    };
    assert_eq!(
        made(&richer),
        Err(Fault::FactsDiffer {
            part: "approval_seconds"
        })
    );
    let other_adapter = |made: &mut DecisionMade| {
        made.facts.request.adapter = Some("other".to_owned());
        made.facts.request_digest = request_digest(&made.facts.salt, &made.facts.request);
    };
    assert_eq!(made(&other_adapter), Err(Fault::AdapterMismatch));
    let stranger = fault(pending, |record| record.actor = "agent:x".to_owned());
    assert_eq!(
        stranger,
        Err(Fault::NotEntitled {
            actor: "agent:x".to_owned()
        })
    );
}

#[test]
fn a_decision_is_made_once() {
    let log = story();
    let record = log
        .records
        .iter()
        .find(|record| pending(&record.event))
        .unwrap();
    assert_eq!(
        adjudicate(&log.judge, &record.applied()),
        Err(Fault::DecidedTwice)
    );
    let mut state = log.judge.clone();
    assert!(matches!(
        state.apply(&record.applied()),
        Err(StateError::DecidedTwice { .. })
    ));
}

#[test]
fn an_answer_is_refused_by_the_rule_it_breaks() {
    let granted = |event: &Event| matches!(event, Event::ApprovalGranted(_));
    let by = |actor: &str| fault(granted, |record| record.actor = actor.to_owned());
    assert_eq!(by("agent:robot"), Err(Fault::NotAPerson));
    assert_eq!(
        by("user:ops"),
        Err(Fault::NotEntitled {
            actor: "user:ops".to_owned()
        })
    );
    assert_eq!(
        by("system"),
        Err(Fault::NotEntitled {
            actor: "system".to_owned()
        })
    );
    assert_eq!(
        by("user:root"),
        Err(Fault::Role),
        "entitled, but not by the role that is recorded"
    );
    assert_eq!(
        fault(granted, |record| record.time =
            record.time.plus_seconds(3601)),
        Err(Fault::TooLate)
    );
    let body = |change: &dyn Fn(&mut probity_schemas::event::decision::ApprovalGranted)| {
        fault(granted, |record| match &mut record.event {
            Event::ApprovalGranted(granted) => change(granted),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(
        body(&|granted| granted.request_digest = Hash::EMPTY),
        Err(Fault::OtherRequest)
    );
    assert_eq!(
        body(&|granted| granted.role = Role::Admin),
        Err(Fault::Role)
    );
    assert_eq!(
        body(&|granted| granted.expires = granted.expires.plus_seconds(1)),
        Err(Fault::GrantLength)
    );
}

#[test]
fn nobody_answers_for_themselves() {
    let mut log = Log::new();
    log.publish([policy("ask", Some("exec"), Effect::RequireApproval)]);
    log.run(
        "user:bob",
        Operation::RequestDecision(request("exec", "e1").into()),
    );
    let (decision, _) = log.last_decision();
    log.resolve("user:ann", decision, true).unwrap();
    let at = log.records.len() - 1;
    let own = Sealed {
        actor: "user:bob".to_owned(),
        ..log.records[at].clone()
    };
    assert_eq!(
        adjudicate(&before(&log.records[..at]), &own.applied()),
        Err(Fault::SelfApproval)
    );
}

#[test]
fn a_grant_is_used_once_in_time_by_its_requester() {
    let consumed = |event: &Event| matches!(event, Event::GrantConsumed(_));
    let other = fault(consumed, |record| record.actor = "user:bob".to_owned());
    assert_eq!(other, Err(Fault::OtherRequester));
    assert_eq!(
        fault(consumed, |record| record.time =
            record.time.plus_seconds(901)),
        Err(Fault::TooLate)
    );
    let log = story();
    let record = log
        .records
        .iter()
        .find(|record| consumed(&record.event))
        .unwrap();
    let twice = adjudicate(&log.judge, &record.applied());
    assert_eq!(
        twice,
        Err(Fault::Standing {
            stands: "consumed",
            needed: "approved"
        })
    );
    let mut state = log.judge.clone();
    assert!(matches!(
        state.apply(&record.applied()),
        Err(StateError::CaseElsewhere { .. })
    ));
}

#[test]
fn a_grant_is_not_resumed_by_an_adapter_that_is_switched_off() {
    let log = story();
    let at = log
        .records
        .iter()
        .position(|record| matches!(record.event, Event::GrantConsumed(_)))
        .unwrap();
    let mut state = before(&log.records[..at]);
    let off = AdapterRegistered {
        enabled: false,
        ..adapter("coder")
    };
    let registered = Sealed {
        subject: "adapter/coder".to_owned(),
        actor: "user:ops".to_owned(),
        event: off.into(),
        ..log.records[at].clone()
    };
    state.apply(&registered.applied()).unwrap();
    assert!(matches!(
        adjudicate(&state, &log.records[at].applied()),
        Err(Fault::Standing { .. })
    ));
    let mut reported = log.records[at].clone();
    if let Event::GrantConsumed(consumed) = &mut reported.event {
        consumed.by = ConsumedBy::Report;
    }
    assert_eq!(
        adjudicate(&state, &reported.applied()),
        Ok(()),
        "what it reports to have done is taken"
    );
}

#[test]
fn an_outcome_follows_an_allow() {
    let log = story();
    let outcome = log
        .records
        .iter()
        .find(|record| matches!(record.event, Event::OutcomeRecorded(_)))
        .unwrap();
    let subjects: Vec<&str> = log
        .records
        .iter()
        .filter(|record| {
            matches!(
                &record.event,
                Event::ApprovalDenied(_) | Event::DecisionExpired(_)
            )
        })
        .map(|record| record.subject.as_str())
        .collect();
    assert_eq!(subjects.len(), 3);
    for subject in subjects.into_iter().chain([
        "decision/00000000-0000-7000-8000-000000000000",
        "execution/1",
    ]) {
        let moved = Sealed {
            subject: subject.to_owned(),
            ..outcome.clone()
        };
        assert_eq!(
            adjudicate(&log.judge, &moved.applied()),
            Err(Fault::OutcomeWithoutAllow),
            "{subject}"
        );
    }
}

#[test]
fn time_runs_out_when_it_does() {
    let expired = |event: &Event| matches!(event, Event::DecisionExpired(_));
    assert_eq!(
        fault(expired, |record| record.time =
            record.time.plus_seconds(-3_500)),
        Err(Fault::TooEarly)
    );
}

#[test]
fn the_registry_follows_its_rules() {
    let log = story();
    let record = log.records.last().unwrap();
    let put = |subject: &str, actor: &str, event: Event| {
        let sealed = Sealed {
            subject: subject.to_owned(),
            actor: actor.to_owned(),
            event,
            ..record.clone()
        };
        adjudicate(&log.judge, &sealed.applied())
    };
    let crossed = log
        .records
        .iter()
        .find(|record| matches!(record.event, Event::BudgetCrossed(_)))
        .unwrap();
    assert_eq!(
        adjudicate(&log.judge, &crossed.applied()),
        Err(Fault::BudgetNotCrossed),
        "once"
    );
    let gone = record.event.clone();
    assert_eq!(
        put("policy/ask", "user:ann", gone.clone()),
        Err(Fault::NotInForce)
    );
    assert_eq!(
        put("policy/allow", "user:ann", gone.clone()),
        Err(Fault::BadSubject)
    );
    assert_eq!(
        put("policy/ask", "user:ops", gone),
        Err(Fault::NotEntitled {
            actor: "user:ops".to_owned()
        })
    );
    assert_eq!(
        adjudicate(&log.judge, &log.records[0].applied()),
        Err(Fault::Opening)
    );

    let mut state = log.judge.clone();
    let strict = AdapterRegistered {
        risk_class: RiskClass::High,
        ..adapter("coder")
    };
    let sealed = Sealed {
        subject: "adapter/coder".to_owned(),
        actor: "user:ops".to_owned(),
        event: strict.into(),
        ..record.clone()
    };
    state.apply(&sealed.applied()).unwrap();
    let loose = Sealed {
        actor: ADAPTER.to_owned(),
        event: adapter("coder").into(),
        ..sealed
    };
    assert_eq!(
        adjudicate(&state, &loose.applied()),
        Err(Fault::RegistrationLoosened)
    );
}

#[test]
fn a_part_of_a_log_is_judged_by_the_policies_alone() {
    let log = story();
    let (_, made) = log.last_decision();
    let published = log.records.iter().filter_map(|record| match &record.event {
        Event::PolicyPublished(published) => {
            let in_force = probity_governance::state::InForce {
                policy: published.policy.clone(),
                leaf: record.leaf,
            };
            Some((record.subject.clone(), in_force))
        }
        _ => None,
    });
    let policies = published.collect();
    assert_eq!(adjudicate_outcome(&PolicySet::of(&policies), &made), Ok(()));
    let none = std::collections::BTreeMap::new();
    assert_eq!(
        adjudicate_outcome(&PolicySet::of(&none), &made),
        Err(Fault::PolicySetDiffers)
    );
}
