//! Budgets: what is left decides, and passing a mark is recorded once.

use crate::support::{ADAPTER, Log, policy, request};
use probity_governance::command::{Operation, Report, ReportBody};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::event::registry::BudgetSet;
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{BudgetLevel, Effect, Reason, Verdict};

fn with_budget(hard: bool, micros: u64) -> Log {
    let mut log = Log::new();
    log.publish([policy("allow", Some("exec"), Effect::Allow)]);
    let set = BudgetSet {
        alert_milli: 800,
        hard,
        micros,
        period_end: Time::from_micros((log.seconds + 1_000) * 1_000_000),
        period_start: Time::from_micros(log.seconds * 1_000_000),
    };
    log.run("user:root", Operation::SetBudget(set));
    log
}

fn spend(log: &mut Log, key: &str, cost_micros: u64) -> Vec<Event> {
    let cost = CostIngested {
        cost_micros,
        execution: "e1".to_owned(),
        model: None,
        occurred: Time::from_micros(0),
        provider: None,
        tokens_in: 1,
        tokens_out: 1,
        trace: "t".to_owned(),
        signature: None,
    };
    let body = ReportBody::Cost(Box::new(cost));
    let report = Report {
        execution: "e1".to_owned(),
        dedup: key.to_owned(),
        body,
        signature: None,
    };
    log.run(ADAPTER, Operation::Report(Box::new(report))).0
}

fn asks(log: &mut Log, estimate: Option<u64>) -> DecisionMade {
    log.ask(Request {
        cost_micros: estimate,
        ..request("exec", "e9")
    })
    .1
}

#[test]
fn a_hard_budget_refuses_what_it_does_not_cover() {
    let mut log = with_budget(true, 1_000_000);
    assert_eq!(asks(&mut log, Some(1_000_000)).verdict, Verdict::Allow);
    let made = asks(&mut log, Some(1_000_001));
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Deny, Some(Reason::BudgetExceeded))
    );
    assert_eq!(
        made.explanation,
        "Refused: the estimate of 1.000001 USD is more than the 1.00 USD left of the budget."
    );
    spend(&mut log, "a", 1_000_000);
    let made = asks(&mut log, None);
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Deny, Some(Reason::BudgetExceeded)),
        "nothing is left"
    );
    log.seconds += 1_000;
    assert_eq!(asks(&mut log, None).reason, Some(Reason::PeriodExpired));
}

#[test]
fn a_soft_budget_warns() {
    let mut log = with_budget(false, 1_000_000);
    let made = asks(&mut log, Some(2_000_000));
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::Warn, Some(Reason::BudgetSoftExceeded))
    );
    assert_eq!(made.winner.as_deref(), Some("allow"));
    log.seconds += 1_000;
    assert_eq!(
        asks(&mut log, Some(2_000_000)).verdict,
        Verdict::Allow,
        "its period is over"
    );
}

#[test]
fn a_grant_stays_within_what_is_left() {
    let grant = |log: &mut Log, max: Option<u64>, estimate: Option<u64>| {
        let request = Request {
            cost_micros: estimate,
            cost_micros_max: max,
            ..request("exec", "e9")
        };
        log.ask(request).1.grant.unwrap()
    };
    let mut log = with_budget(true, 500);
    assert_eq!(grant(&mut log, None, None).cost_micros_max, 500);
    assert_eq!(grant(&mut log, None, Some(20)).cost_micros_max, 20);
    assert_eq!(grant(&mut log, Some(100), Some(20)).cost_micros_max, 100);
    assert_eq!(grant(&mut log, Some(900), None).cost_micros_max, 500);
    let mut log = Log::new();
    log.publish([policy("allow", Some("exec"), Effect::Allow)]);
    assert_eq!(grant(&mut log, None, None).cost_micros_max, 0);
    let granted = grant(&mut log, Some(900), None);
    assert_eq!(
        (granted.cost_micros_max, granted.steps_max, granted.seconds),
        (900, 100, 900)
    );
    assert_eq!(granted.capabilities, ["shell.exec"]);
}

#[test]
fn each_mark_is_recorded_once() {
    let levels = |events: Vec<Event>| -> Vec<BudgetLevel> {
        let crossed = events.iter().filter_map(|event| match event {
            Event::BudgetCrossed(crossed) => Some(crossed.level),
            _ => None,
        });
        crossed.collect()
    };
    let mut log = with_budget(false, 1_000);
    assert_eq!(levels(spend(&mut log, "a", 799)), []);
    assert_eq!(levels(spend(&mut log, "b", 1)), [BudgetLevel::Warning]);
    assert_eq!(levels(spend(&mut log, "c", 100)), []);
    assert_eq!(levels(spend(&mut log, "d", 500)), [BudgetLevel::Exceeded]);
    assert_eq!(levels(spend(&mut log, "e", 500)), []);
    assert_eq!(
        spend(&mut log, "e", 500).len(),
        0,
        "a duplicate spends nothing"
    );
    assert_eq!(log.judge.budget.as_ref().unwrap().spent_micros, 1_900);
    let mut log = with_budget(true, 1_000);
    assert_eq!(
        levels(spend(&mut log, "a", 5_000)),
        [BudgetLevel::Warning, BudgetLevel::Exceeded]
    );
}
