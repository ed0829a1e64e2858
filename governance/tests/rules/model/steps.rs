//! The commands of the model: a small world in which the same things meet again and again.

use crate::support::{Log, adapter, credential, policy, request, when};
use probity_governance::command::{Operation, Report, ReportBody};
use probity_governance::execute::Rejected;
use probity_schemas::body::Body;
use probity_schemas::event::decision::{OutcomeRecorded, Request};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet};
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::policy::{Operator, Policy};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, OutcomeStatus, RiskClass, Role};
use proptest::prelude::*;
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
pub(super) enum Step {
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

pub(super) fn step() -> impl Strategy<Value = Step> {
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

pub(super) fn take(log: &mut Log, step: &Step) -> Result<(), Rejected> {
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
            (ASKERS[*who], Operation::RequestDecision(request.into()))
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
        signature: None,
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
        signature: None,
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
        signature: None,
    }))
}
