//! The risk table, and that declarations raise the risk and never lower it.

use crate::support::{ADAPTER, Log, adapter, policy, request, request_in};
use probity_governance::command::Operation;
use probity_schemas::event::decision::{Provenance, Request, Risk};
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::vocabulary::{
    Effect, Origin, Reason, RiskClass, RiskLevel, Sensitivity, SkillState, Verdict,
};

fn risk(request: Request) -> Risk {
    Log::new().ask(request).1.risk
}

#[test]
fn a_minimal_request_is_low() {
    let risk = risk(request("exec", "e1"));
    let parts = (
        risk.tool,
        risk.skill,
        risk.model,
        risk.data,
        risk.custom,
        risk.adapter,
    );
    assert_eq!(parts, (0, 50, 35, 0, 0, 15));
    // 10.00 + 5.25 + 2.25 = 17.50, rounded half up.
    assert_eq!((risk.score, risk.level), (18, RiskLevel::Low));
}

#[test]
fn each_part_by_its_table() {
    let base = || request("exec", "e1");
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    for (tool_count, tools, part) in [
        (1, names(&[]), 15),
        (7, names(&[]), 100),
        (0, names(&["a", "b"]), 30),
        (1, names(&["x_delete_file_y"]), 35),
        (2, names(&["run_command", "send_email"]), 70),
        (u32::MAX, names(&["run_command"]), 100),
    ] {
        assert_eq!(
            risk(Request {
                tool_count,
                tools,
                ..base()
            })
            .tool,
            part
        );
    }
    for (state, tested, pinned, part) in [
        (Some(SkillState::Active), None, None, 0),
        (Some(SkillState::Approved), None, None, 10),
        (Some(SkillState::Approved), Some(true), Some(true), 0),
        (Some(SkillState::Tested), None, Some(true), 20),
        (Some(SkillState::Draft), Some(true), None, 40),
        (Some(SkillState::Deprecated), Some(false), Some(false), 80),
        (None, None, None, 50),
    ] {
        let request = Request {
            skill_state: state,
            skill_tested: tested,
            skill_pinned: pinned,
            ..base()
        };
        assert_eq!(risk(request).skill, part, "{state:?}");
    }
    for (temperature, part) in [
        (Some(0), 0),
        (Some(9), 0),
        (Some(10), 1),
        (Some(2000), 100),
        (Some(9000), 100),
        (None, 35),
    ] {
        assert_eq!(
            risk(Request {
                temperature_milli: temperature,
                ..base()
            })
            .model,
            part,
            "{temperature:?}"
        );
    }
    for (sensitivity, part) in [
        (None, 0),
        (Some(Sensitivity::None), 0),
        (Some(Sensitivity::Low), 20),
        (Some(Sensitivity::Medium), 40),
        (Some(Sensitivity::High), 70),
        (Some(Sensitivity::Pii), 100),
    ] {
        assert_eq!(
            risk(Request {
                sensitivity,
                ..base()
            })
            .data,
            part
        );
    }
    for (flags, part) in [(0, 0), (2, 40), (6, 100)] {
        assert_eq!(
            risk(Request {
                flags: vec!["f".to_owned(); flags],
                ..base()
            })
            .custom,
            part
        );
    }
}

#[test]
fn the_adapters_part_adds_what_it_touches() {
    let bought = Provenance {
        artifact_hash: None,
        publisher: None,
        source: Some(Origin::Marketplace),
    };
    for (class, capabilities, context, provenance, part) in [
        (Some(RiskClass::Low), 1, "{}", None, 15),
        (Some(RiskClass::Medium), 3, "{}", None, 55),
        (Some(RiskClass::High), 9, "{}", None, 100),
        (None, 1, r#"{"external_network":true}"#, None, 45),
        (None, 1, r#"{"elevated_privileges":true}"#, None, 55),
        (None, 1, r#"{"elevated_privileges":"yes"}"#, None, 15),
        (None, 1, "{}", Some(bought.clone()), 35),
        (
            Some(RiskClass::Critical),
            1,
            r#"{"external_network":true}"#,
            Some(bought),
            100,
        ),
    ] {
        let capabilities = vec!["c".to_owned(); capabilities];
        let request = Request {
            risk_class: class,
            capabilities,
            provenance,
            ..request_in("exec", context)
        };
        assert_eq!(risk(request).adapter, part, "{class:?} {context}");
    }
    let nobody = Request {
        adapter: None,
        capabilities: Vec::new(),
        ..request("exec", "e1")
    };
    let mut log = Log::new();
    log.run("user:ops", Operation::RequestDecision(nobody.into()));
    assert_eq!(log.last_decision().1.risk.adapter, 0, "no class, no part");
}

#[test]
fn the_registry_is_a_floor() {
    let mut log = Log::new();
    let critical = AdapterRegistered {
        capabilities: vec!["c".to_owned(); 4],
        risk_class: RiskClass::Critical,
        ..adapter("coder")
    };
    log.run("user:ops", Operation::RegisterAdapter(Box::new(critical)));
    let meek = Request {
        risk_class: Some(RiskClass::Low),
        capabilities: Vec::new(),
        ..request("exec", "e1")
    };
    assert_eq!(log.ask(meek).1.risk.adapter, 100);
    let (events, _) = log.run(
        ADAPTER,
        Operation::RegisterAdapter(Box::new(adapter("coder"))),
    );
    let probity_schemas::event::Event::AdapterRegistered(kept) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        kept.risk_class,
        RiskClass::Critical,
        "an adapter does not lower its own class"
    );
}

#[test]
fn high_risk_waits_for_a_person_even_where_a_policy_allows() {
    let mut log = Log::new();
    log.publish([policy("allow", Some("exec"), Effect::Allow)]);
    let wild = Request {
        tool_count: 7,
        sensitivity: Some(Sensitivity::Pii),
        skill_state: Some(SkillState::Draft),
        ..request("exec", "e1")
    };
    let (_, made) = log.ask(wild);
    assert_eq!((made.risk.score, made.risk.level), (60, RiskLevel::High));
    assert_eq!(
        (made.verdict, made.reason),
        (Verdict::RequireApproval, Some(Reason::RiskRequiresApproval))
    );
    assert_eq!(made.winner, None, "no policy's effect was taken");
    assert_eq!(
        made.explanation,
        "Policy allow allows this, but the risk is high: 60 of 100. A person must approve."
    );
}
