//! Posture: what the policies in force come to for one adapter.

use crate::support::{Log, policy, when};
use probity_governance::posture::{PostureStatus, posture};
use probity_schemas::policy::{Operator, Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::vocabulary::Effect;

fn fallback(enabled: bool) -> Policy {
    let conditioned = when(
        policy("fallback", None, Effect::RequireApproval),
        "tool",
        Operator::Prefix,
        &["zzz"],
    );
    Policy {
        precedence: -100,
        enabled,
        ..conditioned
    }
}

#[test]
fn status_by_mode_and_fallback() {
    use PostureStatus::{Degraded, Disabled, Enforced};
    for (mode, policies, status, present, enabled) in [
        ("guarded", vec![], Degraded, false, false),
        ("guarded", vec![fallback(false)], Degraded, true, false),
        ("guarded", vec![fallback(true)], Enforced, true, true),
        ("strict", vec![], Enforced, false, false),
        ("permissive", vec![fallback(true)], Disabled, true, true),
    ] {
        let mut log = Log::new();
        log.set("mode", mode);
        log.publish(policies);
        let found = posture(&log.writer.directory, "coder", None);
        assert_eq!(
            (found.status, found.fallback_present, found.fallback_enabled),
            (status, present, enabled),
            "{mode}"
        );
        assert_eq!(found.mode.as_str(), mode);
    }
}

/// The adapter brings the tools `exec` and `send-mail`.
#[test]
fn coverage_by_subject_and_condition() {
    let tool = |name: &str| policy("p", Some(name), Effect::Deny);
    let condition =
        |operator, values: &[&str]| when(policy("p", None, Effect::Deny), "tool", operator, values);
    let about_adapters = Policy {
        subject: PolicySubject {
            kind: SubjectKind::Adapter,
            name: None,
        },
        ..policy("p", None, Effect::Deny)
    };
    for (policy, covered) in [
        (tool("exec"), vec!["exec"]),
        (tool("send_mail"), vec!["send-mail"]),
        (tool(" send.mail "), vec!["send-mail"]),
        (tool("send"), vec![]),
        (condition(Operator::Eq, &["exec"]), vec!["exec"]),
        (
            condition(Operator::In, &["send_mail", "exec"]),
            vec!["exec", "send-mail"],
        ),
        (condition(Operator::Prefix, &["send"]), vec!["send-mail"]),
        (condition(Operator::Prefix, &["send."]), vec!["send-mail"]),
        (condition(Operator::Prefix, &["se"]), vec![]),
        (condition(Operator::Exists, &["true"]), vec![]),
        (policy("p", None, Effect::Deny), vec!["exec", "send-mail"]),
        (about_adapters, vec![]),
        (
            Policy {
                enabled: false,
                ..tool("exec")
            },
            vec![],
        ),
        (
            Policy {
                scope: Scope {
                    workspace: Some("w2".to_owned()),
                    environment: None,
                },
                ..tool("exec")
            },
            vec![],
        ),
    ] {
        let mut log = Log::new();
        log.publish([policy.clone()]);
        let found = posture(&log.writer.directory, "coder", None);
        assert_eq!(found.covered, covered, "{policy:?}");
        assert_eq!(found.covered.len() + found.uncovered.len(), 2);
    }
    assert!(
        posture(&Log::new().writer.directory, "nobody", None)
            .uncovered
            .is_empty()
    );
}
