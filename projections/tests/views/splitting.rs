//! However the records of a log are cut into batches, the rows come out the same; and so they do when a view is built again.

use crate::log::{Logs, tenant};
use crate::place::Place;
use crate::seeds::seeded;
use crate::specimens::{
    ADAPTER, OPERATOR, adapter, consumed, cost, decision, denied, expired, granted, made, outcome,
    policy, retired, setting, trace,
};
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::vocabulary::{Effect, ExpiredPart, OutcomeStatus, Verdict};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

const NAMES: [&str; 7] = [
    "decisions",
    "adapters",
    "policies",
    "traces",
    "audit",
    "spend",
    "posture",
];
const DECISIONS: u64 = 6;

/// An event on one of a few streams, sensible there or not: what cannot be applied is parked, and that too must come out
/// the same.
fn event() -> impl Strategy<Value = (String, Event)> {
    let small = 0..DECISIONS;
    let verdict = prop::sample::select(Verdict::ALL);
    prop_oneof![
        (small.clone(), verdict).prop_map(|(n, verdict)| (
            decision(n),
            made(&format!("run-{n}"), "act", verdict).into()
        )),
        small.clone().prop_map(|n| (decision(n), granted().into())),
        small.clone().prop_map(|n| (decision(n), denied().into())),
        small.clone().prop_map(|n| (decision(n), consumed().into())),
        small
            .clone()
            .prop_map(|n| (decision(n), expired(ExpiredPart::Grant).into())),
        small
            .clone()
            .prop_map(|n| (decision(n), outcome("run", OutcomeStatus::Failed).into())),
        (small.clone(), 0..3_u64)
            .prop_map(|(n, tokens)| (decision(n), cost(Some("opal-2"), tokens, tokens).into())),
        small
            .clone()
            .prop_map(|n| (decision(n), trace("run", "trace", n).into())),
        small.clone().prop_map(|n| (
            format!("policy/p{n}"),
            policy(&format!("p{n}"), None, Effect::Deny, 3).into()
        )),
        small
            .clone()
            .prop_map(|n| (format!("policy/p{n}"), retired(&format!("p{n}")).into())),
        small.clone().prop_map(|n| (
            format!("adapter/a{n}"),
            adapter(&format!("a{n}"), "1", &["read"]).into()
        )),
        small.prop_map(|n| (
            "setting/mode".to_owned(),
            setting("mode", [Some("strict"), None][n as usize % 2]).into()
        )),
    ]
}

async fn digests(views: &probity_projections::Views) -> Vec<Hash> {
    let mut all = Vec::new();
    for name in NAMES {
        all.push(views.digest(name, &tenant("acme")).await.unwrap().0);
    }
    all
}

#[test]
fn any_split_into_batches_gives_the_same_rows() {
    let config = seeded(24, 20_261_122);
    let runtime = Runtime::new().unwrap();
    let history = prop::collection::vec((event(), any::<bool>()), 1..60);
    let told = |history: Vec<((String, Event), bool)>| {
        runtime.block_on(async {
            let logs = Logs::new();
            logs.open("acme", &"a1".repeat(16));
            let step = Place::sqlite();
            let views = step.open(&logs).await;
            for ((subject, event), pause) in history {
                let actor = if subject.starts_with("policy/") {
                    OPERATOR
                } else {
                    ADAPTER
                };
                logs.append("acme", actor, &subject, event);
                if pause {
                    views.catch_up().await.unwrap();
                }
            }
            views.catch_up().await.unwrap();
            let by_steps = digests(&views).await;
            let parked = views.parked().await.unwrap();
            for name in NAMES {
                assert!(views.rebuild(name).await.unwrap().equal, "{name}");
            }
            views.close().await;
            let whole = Place::sqlite();
            let views = whole.follow(&logs).await;
            assert_eq!(digests(&views).await, by_steps);
            assert_eq!(views.parked().await.unwrap(), parked);
            views.close().await;
        });
        Ok(())
    };
    TestRunner::new(config).run(&history, told).unwrap();
}
