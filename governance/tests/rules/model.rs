//! Any sequence of commands: the judge accepts every record (the harness asserts it), and afterwards these hold too.

use crate::support::{Log, adapter, credential, policy, request, when};
use crate::tampering::{changed, leaves};
use probity_governance::adjudicate::adjudicate;
use probity_governance::command::{Operation, Report, ReportBody};
use probity_governance::execute::Rejected;
use probity_governance::state::{Closed, State, closed_of};
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{OutcomeRecorded, Request};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet};
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::policy::{Operator, Policy};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, OutcomeStatus, RiskClass, Role, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use std::collections::BTreeMap;
use uuid::Uuid;

const ASKERS: [&str; 4] = ["adapter:coder", "adapter:second", "user:ops", "user:bob"];
const TOOLS: [&str; 3] = ["exec", "read", "mail"];
const CONTEXTS: [&str; 5] = [
    "{}",
    r#"{"targets":["/ws/repo/a"]}"#,
    r#"{"targets":["/etc/shadow"]}"#,
    r#"{"targets":["~"],"external_network":true}"#,
    r#"{"exec":{"cwd":"/ws/repo"},"targets":["../x"]}"#,
];

#[derive(Clone, Debug)]
enum Step {
    Ask {
        who: usize,
        tool: usize,
        execution: u8,
        context: usize,
        cost: u64,
    },
    Resolve {
        who: usize,
        nth: usize,
        grant: bool,
    },
    Outcome {
        who: usize,
        execution: u8,
        dedup: u8,
    },
    Cost {
        who: usize,
        execution: u8,
        dedup: u8,
        micros: u64,
    },
    Publish {
        id: u8,
        tool: usize,
        effect: usize,
        precedence: i32,
        condition: usize,
    },
    Retire {
        id: u8,
    },
    Mode {
        mode: usize,
    },
    Window {
        seconds: u32,
    },
    Register {
        who: usize,
        enabled: bool,
        class: usize,
    },
    Budget {
        hard: bool,
        micros: u64,
        days: i64,
    },
    Credential {
        issue: bool,
    },
    Wait {
        seconds: i64,
    },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (0..4_usize, 0..3_usize, 0..4_u8, 0..5_usize, 0..200_u64).prop_map(
        |(who, tool, execution, context, cost)| Step::Ask {
            who,
            tool,
            execution,
            context,
            cost,
        },
    );
    let resolve = (0..4_usize, 0..6_usize, any::<bool>())
        .prop_map(|(who, nth, grant)| Step::Resolve { who, nth, grant });
    let outcome =
        (0..4_usize, 0..4_u8, 0..3_u8).prop_map(|(who, execution, dedup)| Step::Outcome {
            who,
            execution,
            dedup,
        });
    let cost =
        (0..4_usize, 0..4_u8, 0..9_u8, 0..300_u64).prop_map(|(who, execution, dedup, micros)| {
            Step::Cost {
                who,
                execution,
                dedup,
                micros,
            }
        });
    let publish = (0..5_u8, 0..4_usize, 0..3_usize, -2..3_i32, 0..4_usize).prop_map(
        |(id, tool, effect, precedence, condition)| Step::Publish {
            id,
            tool,
            effect,
            precedence,
            condition,
        },
    );
    let register =
        (0..2_usize, any::<bool>(), 0..4_usize).prop_map(|(who, enabled, class)| Step::Register {
            who,
            enabled,
            class,
        });
    let budget = (any::<bool>(), 0..1_000_u64, -1..2_i64)
        .prop_map(|(hard, micros, days)| Step::Budget { hard, micros, days });
    prop_oneof![
        8 => ask,
        5 => resolve,
        4 => outcome,
        2 => cost,
        4 => publish,
        1 => (0..5_u8).prop_map(|id| Step::Retire { id }),
        1 => (0..3_usize).prop_map(|mode| Step::Mode { mode }),
        1 => (1..5_000_u32).prop_map(|seconds| Step::Window { seconds }),
        2 => register,
        1 => budget,
        1 => any::<bool>().prop_map(|issue| Step::Credential { issue }),
        3 => (0..2_000_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Expire),
    ]
}

fn take(log: &mut Log, step: &Step) -> Result<(), Rejected> {
    let (actor, operation) = match step {
        Step::Ask {
            who,
            tool,
            execution,
            context,
            cost,
        } => {
            let adapter = ["coder", "second", "coder", "second"][*who].to_owned();
            let request = Request {
                adapter: Some(adapter),
                context: Some(Body::from_foreign(CONTEXTS[*context].as_bytes()).unwrap()),
                cost_micros: Some(*cost),
                ..request(TOOLS[*tool], &format!("e{execution}"))
            };
            (ASKERS[*who], Operation::RequestDecision(Box::new(request)))
        }
        Step::Resolve { who, nth, grant } => {
            let person = ["user:ann", "user:bob", "user:root", "user:ops"][*who];
            let decision = log
                .judge
                .open
                .keys()
                .nth(*nth)
                .copied()
                .unwrap_or(Uuid::from_u128(1));
            return log.resolve(person, decision, *grant).map(|_| ());
        }
        Step::Outcome {
            who,
            execution,
            dedup,
        } => (ASKERS[*who], outcome(*execution, *dedup)),
        Step::Cost {
            who,
            execution,
            dedup,
            micros,
        } => (ASKERS[*who], cost(*execution, *dedup, *micros)),
        Step::Publish {
            id,
            tool,
            effect,
            precedence,
            condition,
        } => {
            let tool = TOOLS.get(*tool).copied();
            let policy = policy(&format!("p{id}"), tool, Effect::ALL[*effect]);
            let policy = conditioned(
                Policy {
                    precedence: *precedence,
                    ..policy
                },
                *condition,
            );
            ("user:ann", Operation::PublishPolicy(Box::new(policy)))
        }
        Step::Retire { id } => ("user:ann", Operation::RetirePolicy(format!("p{id}"))),
        Step::Mode { mode } => (
            "user:root",
            setting("mode", ["permissive", "guarded", "strict"][*mode]),
        ),
        Step::Window { seconds } => ("system", setting("approval.seconds", &seconds.to_string())),
        Step::Register {
            who,
            enabled,
            class,
        } => {
            let actor = ["adapter:second", "user:ops"][*who];
            let class = RiskClass::ALL[*class];
            let adapter = AdapterRegistered {
                enabled: *enabled,
                risk_class: class,
                ..adapter("second")
            };
            (actor, Operation::RegisterAdapter(Box::new(adapter)))
        }
        Step::Budget { hard, micros, days } => {
            ("user:root", budget(log.seconds, *hard, *micros, *days))
        }
        Step::Credential { issue: true } => (
            "user:root",
            Operation::IssueCredential(
                "ann".to_owned(),
                Box::new(credential("user:ann", &[Role::Approver])),
            ),
        ),
        Step::Credential { issue: false } => (
            "user:root",
            Operation::RevokeCredential("ann".to_owned(), None),
        ),
        Step::Wait { seconds } => {
            log.seconds += seconds;
            return Ok(());
        }
        Step::Expire => ("system", Operation::ExpireDue),
    };
    log.call(actor, operation).map(|_| ())
}

fn conditioned(policy: Policy, which: usize) -> Policy {
    match which {
        0 => policy,
        1 => when(
            policy,
            "context.targets.paths",
            Operator::AllUnder,
            &["{{workspace.root}}"],
        ),
        2 => when(
            policy,
            "context.targets.paths",
            Operator::AnyUnder,
            &["/etc", "{{nobody.set}}"],
        ),
        _ => when(policy, "cost_micros", Operator::AtLeast, &["100"]),
    }
}

fn setting(name: &str, value: &str) -> Operation {
    Operation::ChangeSetting(SettingChanged {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    })
}

fn budget(seconds: i64, hard: bool, micros: u64, days: i64) -> Operation {
    let at = |day: i64| Time::from_micros((seconds / 86_400 + day) * 86_400_000_000);
    Operation::SetBudget(BudgetSet {
        alert_milli: 800,
        hard,
        micros,
        period_end: at(days + 1),
        period_start: at(days),
    })
}

fn outcome(execution: u8, dedup: u8) -> Operation {
    let body = OutcomeRecorded {
        body: None,
        event: "done".to_owned(),
        execution: None,
        message: None,
        occurred: None,
        status: OutcomeStatus::Failed,
        trace: None,
    };
    report(
        execution,
        format!("outcome{dedup}"),
        ReportBody::Outcome(Box::new(body)),
    )
}

fn cost(execution: u8, dedup: u8, cost_micros: u64) -> Operation {
    let body = CostIngested {
        cost_micros,
        execution: format!("e{execution}"),
        model: None,
        occurred: Time::from_micros(0),
        provider: None,
        tokens_in: 0,
        tokens_out: 0,
        trace: "t".to_owned(),
    };
    report(
        execution,
        format!("cost{dedup}"),
        ReportBody::Cost(Box::new(body)),
    )
}

fn report(execution: u8, dedup: String, body: ReportBody) -> Operation {
    Operation::Report(Box::new(Report {
        execution: format!("e{execution}"),
        dedup,
        body,
    }))
}

fn play(steps: &[Step]) -> Log {
    let mut log = Log::new();
    log.run(
        "user:ops",
        Operation::RegisterAdapter(Box::new(adapter("second"))),
    );
    for step in steps {
        if let Err(rejected) = take(&mut log, step) {
            assert!(
                !matches!(rejected, Rejected::NotHydrated { .. }),
                "the index knows every case"
            );
        }
    }
    log
}

/// What must hold of each decision's stream, said without the code that keeps it.
fn check_stream(events: &[&Event]) {
    let count = |pick: fn(&Event) -> bool| events.iter().filter(|event| pick(event)).count();
    let Event::DecisionMade(made) = events[0] else {
        panic!("{events:?}")
    };
    let answers =
        count(|event| matches!(event, Event::ApprovalGranted(_) | Event::ApprovalDenied(_)));
    let consumed = count(|event| matches!(event, Event::GrantConsumed(_)));
    let expired = count(|event| matches!(event, Event::DecisionExpired(_)));
    assert!(answers <= 1 && consumed + expired <= 1, "{events:?}");
    if made.verdict != Verdict::RequireApproval {
        assert_eq!(answers + consumed + expired, 0);
    }
    if let Some(at) = events
        .iter()
        .position(|event| matches!(event, Event::OutcomeRecorded(_)))
    {
        let used = events[..at]
            .iter()
            .any(|event| matches!(event, Event::GrantConsumed(_)));
        assert!(
            used || matches!(made.verdict, Verdict::Allow | Verdict::Warn),
            "{events:?}"
        );
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, rng_seed: RngSeed::Fixed(0x9b0b_1700), ..Config::default() })]

    #[test]
    fn whatever_is_asked_the_judge_agrees(steps in prop::collection::vec(step(), 1..60)) {
        let log = play(&steps);
        let mut streams: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for record in log.records.iter().filter(|record| record.subject.starts_with("decision/")) {
            streams.entry(&record.subject).or_default().push(&record.event);
        }
        for (subject, events) in &streams {
            check_stream(events);
            let id = Uuid::parse_str(&subject["decision/".len()..]).unwrap();
            let open = log.judge.open.get(&id);
            let cached: Option<Closed> = log.judge.closed.get(&id).copied();
            prop_assert_eq!(cached.is_none(), open.is_some(), "{} is open or closed", subject);
            if let Some(closed) = cached {
                prop_assert_eq!(closed_of(events.iter().copied()), Some(closed));
            }
        }
    }

    #[test]
    fn a_state_is_the_same_from_any_snapshot(
        steps in prop::collection::vec(step(), 1..40),
        at in any::<prop::sample::Index>(),
    ) {
        let log = play(&steps);
        let (head, tail) = log.records.split_at(at.index(log.records.len()));
        let mut state = State::default();
        for record in head {
            state.apply(&record.applied()).unwrap();
        }
        let mut state = State::from_snapshot(&state.to_snapshot().unwrap()).unwrap();
        for record in tail {
            state.apply(&record.applied()).unwrap();
        }
        prop_assert_eq!(state.digest(), log.judge.digest());
        prop_assert_eq!(state.open, log.judge.open);
        prop_assert_eq!(state.budget, log.judge.budget);
        prop_assert_eq!(state.directory, log.judge.directory);
    }

    #[test]
    fn any_changed_leaf_of_any_decision_is_refused(
        steps in prop::collection::vec(step(), 1..40),
        which in any::<prop::sample::Index>(),
        leaf in any::<prop::sample::Index>(),
    ) {
        let mut log = play(&steps);
        log.ask(request("exec", "e0-last"));
        let decisions: Vec<usize> = (0..log.records.len())
            .filter(|at| matches!(log.records[*at].event, Event::DecisionMade(_)))
            .collect();
        let at = decisions[which.index(decisions.len())];
        let mut state = State::default();
        for record in &log.records[..at] {
            state.apply(&record.applied()).unwrap();
        }
        let mut record = log.records[at].clone();
        let mut pointers = Vec::new();
        leaves(&serde_json::to_value(&record.event).unwrap(), "", &mut pointers);
        if let Some(event) = changed(&record.event, &pointers[leaf.index(pointers.len())]) {
            record.event = event;
            prop_assert!(adjudicate(&state, &record.applied()).is_err());
        }
    }
}
