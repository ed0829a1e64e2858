//! Golden vectors of engine 1: policies and facts, and the outcome they give for ever. Once the engine is released a line
//! never changes; another outcome is another engine. `PROBITY_BLESS=1` writes the file anew before that.

use crate::support::{ADAPTER, Log, adapter, policy, request, request_in, when};
use crate::withheld::withheld;
use probity_governance::adjudicate::adjudicate_outcome;
use probity_governance::command::{DecisionRequest, Operation};
use probity_governance::engine::PolicySet;
use probity_governance::state::InForce;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet};
use probity_schemas::hash::Hash;
use probity_schemas::policy::{Operator, Policy};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, Reason, Sensitivity};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const VECTORS: &str = include_str!("../vectors/engine_v1.jsonl");

#[derive(Serialize, Deserialize)]
struct Vector {
    name: String,
    /// By subject: the leaf hash of the record, and the policy.
    policies: BTreeMap<String, (Hash, Policy)>,
    made: DecisionMade,
}

#[test]
fn a_recorded_outcome_is_given_for_ever() {
    let mut reasons = BTreeSet::new();
    for line in VECTORS.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let in_force = |(leaf, policy)| InForce { policy, leaf };
        let policies = vector
            .policies
            .into_iter()
            .map(|(subject, pair)| (subject, in_force(pair)))
            .collect();
        assert_eq!(
            adjudicate_outcome(&PolicySet::of(&policies), &vector.made),
            Ok(()),
            "{}",
            vector.name
        );
        reasons.extend(vector.made.reason);
    }
    assert_eq!(
        reasons.len(),
        Reason::ALL.len(),
        "a vector for every reason: {reasons:?}"
    );
}

#[test]
fn the_vectors_are_what_the_stories_give() {
    let found: Vec<String> = stories()
        .iter()
        .map(|vector| serde_json::to_string(vector).unwrap() + "\n")
        .collect();
    if std::env::var_os("PROBITY_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/engine_v1.jsonl");
        std::fs::write(path, found.concat()).unwrap();
        return;
    }
    assert_eq!(found.concat(), VECTORS);
}

fn stories() -> Vec<Vector> {
    let paths = "context.targets.paths";
    let under = |id: &str, effect| {
        when(
            policy(id, Some("exec"), effect),
            paths,
            Operator::AllUnder,
            &["{{workspace.root}}"],
        )
    };
    let allow = || policy("allow", Some("exec"), Effect::Allow);
    let inside = || {
        request_in(
            "exec",
            r#"{"external_network":true,"targets":{"paths":["/ws/repo/a"]}}"#,
        )
    };
    let doubtful = || request_in("exec", r#"{"targets":{"paths":["~/a"]}}"#);
    let risky = Request {
        sensitivity: Some(Sensitivity::Pii),
        tool_count: 9,
        flags: vec!["x".to_owned(); 5],
        ..inside()
    };
    let mut all = vec![
        vector(
            "allowed",
            [under("inside", Effect::Allow)],
            inside(),
            |_| {},
        ),
        vector(
            "denied",
            [under("inside", Effect::Deny), allow()],
            inside(),
            |_| {},
        ),
        vector(
            "pending",
            [under("inside", Effect::RequireApproval)],
            inside(),
            |_| {},
        ),
        vector(
            "not judged, allow",
            [under("inside", Effect::Allow)],
            doubtful(),
            |_| {},
        ),
        vector(
            "not judged, deny",
            [under("inside", Effect::Deny), allow()],
            doubtful(),
            |_| {},
        ),
        vector("risky", [allow()], risky, |_| {}),
        vector("nobody speaks, guarded", [], inside(), |_| {}),
        vector("nobody speaks, permissive", [], inside(), |log| {
            log.set("mode", "permissive")
        }),
        vector(
            "override",
            [],
            Request {
                override_ignored: true,
                ..inside()
            },
            |_| {},
        ),
        vector(
            "its own system refuses",
            [allow()],
            Request {
                rbac_allowed: Some(false),
                ..inside()
            },
            |_| {},
        ),
        vector(
            "not carried",
            [allow()],
            Request {
                credential_capabilities: Some(vec![]),
                ..inside()
            },
            |_| {},
        ),
    ];
    let fallback = Policy {
        precedence: -100,
        ..policy("fallback", None, Effect::Allow)
    };
    all.push(vector(
        "only a fallback, strict",
        [fallback],
        inside(),
        |log| log.set("mode", "strict"),
    ));
    for (name, hard, spent_days) in [
        ("hard budget", true, 0),
        ("soft budget", false, 0),
        ("period", true, 40),
    ] {
        let costly = Request {
            cost_micros: Some(2_000_000),
            ..inside()
        };
        all.push(vector(name, [allow()], costly, |log| {
            budget(log, hard, spent_days)
        }));
    }
    let off = AdapterRegistered {
        enabled: false,
        ..adapter("coder")
    };
    all.push(vector("adapter off", [allow()], inside(), |log| {
        log.run(
            "user:ops",
            Operation::RegisterAdapter(Box::new(off.clone())),
        );
    }));
    all.push(vector(
        "adapter unknown",
        [allow()],
        Request {
            adapter: Some("stranger".to_owned()),
            ..inside()
        },
        |_| {},
    ));
    all.push(vector(
        "another execution",
        [allow()],
        request("exec", "e2"),
        |_| {},
    ));
    let mail = "context.customer.mail";
    let letter = |effect| {
        when(
            policy("mail", Some("letter"), effect),
            mail,
            Operator::Prefix,
            &["ada@"],
        )
    };
    let (asked, _) = withheld(
        r#"{"customer":{"mail":"ada@example.org"}}"#,
        &["/customer/mail"],
    );
    let asked = |effect| vector("withheld", [letter(effect)], asked.clone(), |_| {});
    all.extend([Effect::Allow, Effect::RequireApproval, Effect::Deny].map(asked));
    all
}

fn budget(log: &mut Log, hard: bool, days_ago: i64) {
    let start = log.seconds - days_ago * 86_400;
    let set = BudgetSet {
        alert_milli: 800,
        hard,
        micros: 1_500_000,
        period_end: Time::from_micros((start + 30 * 86_400) * 1_000_000),
        period_start: Time::from_micros(start * 1_000_000),
    };
    log.run("user:root", Operation::SetBudget(set));
}

fn vector(
    name: &str,
    policies: impl IntoIterator<Item = Policy>,
    request: impl Into<DecisionRequest>,
    prepare: impl Fn(&mut Log),
) -> Vector {
    let mut log = Log::new();
    log.publish(policies);
    prepare(&mut log);
    let asked = request.into();
    let actor = match asked.request.adapter.as_deref() {
        Some("stranger") => "adapter:stranger",
        _ => ADAPTER,
    };
    log.run(actor, Operation::RequestDecision(Box::new(asked)));
    let policies = &log.writer.directory.policies;
    Vector {
        name: name.to_owned(),
        policies: policies
            .iter()
            .map(|(subject, found)| (subject.clone(), (found.leaf, found.policy.clone())))
            .collect(),
        made: log.last_decision().1,
    }
}
