//! Modes, precedence, scope and subject: which policy wins, and what happens when none does.

use crate::support::{Log, policy, request, request_in, when};
use probity_schemas::event::decision::Request;
use probity_schemas::policy::{Operator, Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::vocabulary::{Effect, Reason, SkillState, Verdict};

fn fallback(effect: Effect) -> Policy {
    Policy {
        precedence: -100,
        ..policy("fallback", None, effect)
    }
}

#[test]
fn what_a_mode_makes_of_a_request_nobody_speaks_of() {
    use Effect::{Allow, Deny, RequireApproval};
    let other = || vec![policy("other", Some("other"), Allow)];
    let unmatched = || {
        vec![when(
            fallback(Allow),
            "agent_role",
            Operator::Eq,
            &["nobody"],
        )]
    };
    let none = Some(Reason::NoMatchingPolicy);
    for (mode, policies, verdict, reason) in [
        ("permissive", vec![], Verdict::Warn, none),
        ("permissive", unmatched(), Verdict::Warn, none),
        (
            "permissive",
            vec![fallback(Deny)],
            Verdict::Deny,
            Some(Reason::PolicyDenied),
        ),
        ("guarded", vec![], Verdict::Deny, none),
        ("guarded", other(), Verdict::Deny, none),
        ("guarded", unmatched(), Verdict::Deny, none),
        ("guarded", vec![fallback(Allow)], Verdict::Allow, None),
        (
            "guarded",
            vec![fallback(RequireApproval)],
            Verdict::RequireApproval,
            Some(Reason::PolicyRequiresApproval),
        ),
        ("strict", vec![], Verdict::Deny, none),
        ("strict", vec![fallback(Allow)], Verdict::Deny, none),
        (
            "strict",
            vec![fallback(RequireApproval)],
            Verdict::RequireApproval,
            Some(Reason::PolicyRequiresApproval),
        ),
        (
            "strict",
            vec![policy("p", Some("exec"), Allow)],
            Verdict::Allow,
            None,
        ),
    ] {
        let mut log = Log::new();
        log.set("mode", mode);
        let names: Vec<String> = policies.iter().map(|policy| policy.id.clone()).collect();
        log.publish(policies);
        let (_, made) = log.ask(request("exec", "e1"));
        assert_eq!(
            (made.verdict, made.reason),
            (verdict, reason),
            "{mode} {names:?}: {}",
            made.explanation
        );
        assert!(!made.explanation.is_empty());
        assert_eq!(made.approval.is_some(), verdict == Verdict::RequireApproval);
        assert_eq!(made.grant.is_some(), verdict != Verdict::Deny);
    }
}

#[test]
fn guarded_is_the_default() {
    let mut log = Log::new();
    let (_, made) = log.ask(request("exec", "e1"));
    assert_eq!(made.facts.mode.as_str(), "guarded");
    assert_eq!(made.verdict, Verdict::Deny);
}

#[test]
fn precedence_then_narrowness_then_strictness_then_name() {
    let at = |precedence, id: &str, effect| Policy {
        precedence,
        ..policy(id, Some("exec"), effect)
    };
    let scoped = |workspace: Option<&str>, environment: Option<&str>, id: &str, effect| Policy {
        scope: Scope {
            environment: environment.map(str::to_owned),
            workspace: workspace.map(str::to_owned),
        },
        ..policy(id, Some("exec"), effect)
    };
    use Effect::{Allow, Deny, RequireApproval};
    for (policies, order) in [
        (vec![at(1, "a", Deny), at(2, "b", Allow)], ["b", "a"]),
        (vec![at(5, "a", Allow), at(5, "b", Deny)], ["b", "a"]),
        (
            vec![at(5, "a", Allow), at(5, "b", RequireApproval)],
            ["b", "a"],
        ),
        (
            vec![at(5, "a", RequireApproval), at(5, "b", Deny)],
            ["b", "a"],
        ),
        (vec![at(5, "b", Allow), at(5, "a", Allow)], ["a", "b"]),
        (
            vec![
                scoped(None, None, "a", Deny),
                scoped(None, Some("prod"), "b", Allow),
            ],
            ["b", "a"],
        ),
        (
            vec![
                scoped(None, Some("prod"), "a", Deny),
                scoped(Some("local"), Some("prod"), "b", Allow),
            ],
            ["b", "a"],
        ),
        (
            vec![
                scoped(Some("local"), None, "a", Allow),
                scoped(None, None, "b", Deny),
            ],
            ["b", "a"],
        ),
        (vec![at(-1, "a", Deny), at(0, "b", Allow)], ["b", "a"]),
    ] {
        let mut log = Log::new();
        log.publish(policies);
        let (_, made) = log.ask(Request {
            environment: Some("prod".to_owned()),
            ..request("exec", "e1")
        });
        let found: Vec<&str> = made
            .matched
            .iter()
            .map(|matched| matched.id.as_str())
            .collect();
        assert_eq!(found, order);
        assert_eq!(made.winner.as_deref(), Some(order[0]));
    }
}

#[test]
fn doubt_never_loosens() {
    let paths = "context.targets.paths";
    let ask = Policy {
        precedence: 50,
        ..policy("ask", Some("exec"), Effect::RequireApproval)
    };
    let ask = when(ask, paths, Operator::AllUnder, &["/ws"]);
    let mut log = Log::new();
    log.publish([ask, policy("deny", Some("exec"), Effect::Deny)]);
    let (_, made) = log.ask(request_in("exec", r#"{"targets":["/ws/a"]}"#));
    assert_eq!(
        made.winner.as_deref(),
        Some("ask"),
        "certain: the higher precedence wins"
    );
    let (_, made) = log.ask(request_in("exec", r#"{"targets":["~"]}"#));
    assert_eq!(
        (made.verdict, made.winner.as_deref()),
        (Verdict::Deny, Some("deny"))
    );
    assert_eq!(made.matched[0].unjudged, [paths]);
}

#[test]
fn scope_and_switch() {
    let scope = |workspace: Option<&str>, environment: Option<&str>| Scope {
        environment: environment.map(str::to_owned),
        workspace: workspace.map(str::to_owned),
    };
    let asks = |workspace: Option<&str>, environment: Option<&str>, scope: Scope, enabled: bool| {
        let mut log = Log::new();
        log.publish([Policy {
            scope,
            enabled,
            ..policy("p", Some("exec"), Effect::Allow)
        }]);
        log.workspace = workspace.map(str::to_owned);
        let environment = environment.map(str::to_owned);
        log.ask(Request {
            environment,
            ..request("exec", "e1")
        })
        .1
        .verdict
            == Verdict::Allow
    };
    assert!(
        asks(None, None, scope(Some("local"), None), true),
        "who names no workspace is in the default one"
    );
    assert!(asks(Some("w2"), None, scope(Some("w2"), None), true));
    assert!(!asks(Some("w2"), None, scope(Some("local"), None), true));
    assert!(asks(None, Some("prod"), scope(None, Some("prod")), true));
    assert!(!asks(None, Some("test"), scope(None, Some("prod")), true));
    assert!(
        !asks(None, None, scope(None, Some("prod")), true),
        "no environment is not any environment"
    );
    assert!(!asks(None, None, Scope::default(), false), "switched off");
}

#[test]
fn subjects() {
    let request = Request {
        agent: Some("a7".to_owned()),
        agent_role: Some("coding".to_owned()),
        environment: Some("prod".to_owned()),
        skill_state: Some(SkillState::Draft),
        ..request("exec", "e1")
    };
    for (kind, names, other) in [
        (SubjectKind::Tool, vec!["exec"], "Exec"),
        (SubjectKind::Adapter, vec!["coder"], "exec"),
        (SubjectKind::Agent, vec!["a7", "coding"], "coder"),
        (SubjectKind::Environment, vec!["prod"], "test"),
        (SubjectKind::Skill, vec!["draft"], "tested"),
        (SubjectKind::Risk, vec!["low"], "high"),
    ] {
        let verdict = |name: Option<&str>| {
            let mut log = Log::new();
            let subject = PolicySubject {
                kind,
                name: name.map(str::to_owned),
            };
            log.publish([Policy {
                subject,
                ..policy("p", None, Effect::Allow)
            }]);
            log.ask(request.clone()).1.verdict
        };
        for name in names {
            assert_eq!(verdict(Some(name)), Verdict::Allow, "{kind:?} {name}");
        }
        assert_eq!(verdict(Some(other)), Verdict::Deny, "{kind:?} {other}");
        assert_eq!(verdict(None), Verdict::Allow, "{kind:?} of any name");
    }
}

#[test]
fn explanations_say_why_in_words() {
    let mut log = Log::new();
    let said = Policy {
        explanation: Some("Never on Friday.".to_owned()),
        ..policy("a", Some("a"), Effect::Deny)
    };
    log.publish([
        said,
        policy("b", Some("b"), Effect::RequireApproval),
        policy("c", Some("c"), Effect::Allow),
    ]);
    for (action, expected) in [
        ("a", "Never on Friday."),
        ("b", "Policy b asks for a person's approval."),
        ("c", "Policy c allows this."),
        (
            "d",
            "No policy allows this request, and in guarded mode such a request is refused.",
        ),
    ] {
        assert_eq!(log.ask(request(action, action)).1.explanation, expected);
    }
    let eager = Request {
        override_ignored: true,
        ..request("a", "e9")
    };
    assert_eq!(
        log.ask(eager).1.explanation,
        "Never on Friday. The override that the requester asked for has no effect."
    );
}
