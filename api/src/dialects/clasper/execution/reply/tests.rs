//! What an adapter is told, verdict by verdict.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{ExecutionReply, decided, refused, resumed};
use crate::dialects::clasper::case::Case;
use crate::dialects::clasper::case::samples::{
    DECISION, case, directory, facts, granted, policy, request,
};
use crate::dialects::clasper::envelope::Failure;
use probity_governance::state::Directory;
use probity_schemas::event::decision::{Facts, Request};
use probity_schemas::policy::{Condition, Operator, Scalar};
use probity_schemas::vocabulary::{Effect, Mode, RiskClass, Sensitivity};
use serde_json::{Value, json};

fn rules() -> Directory {
    let mut inside = policy("inside", Some("read"), Effect::Allow, 10);
    inside.conditions.push(Condition {
        field: "context.targets.paths".to_owned(),
        operator: Operator::AllUnder,
        values: vec![Scalar::Text("/srv".to_owned())],
    });
    directory(&[
        policy("ok", Some("read"), Effect::Allow, 0),
        policy("ask", Some("send"), Effect::RequireApproval, 0),
        policy("no", Some("delete"), Effect::Deny, 0),
        inside,
    ])
}

fn asked(change: impl FnOnce(&mut Facts), tool: &str) -> Case {
    let mut facts = facts(request(tool));
    change(&mut facts);
    case(facts, &rules(), vec![])
}

fn told_by<'a>(case: &'a Case, rules: &'a Directory) -> Result<ExecutionReply<'a>, Failure> {
    decided(&case.row.id, &case.made, rules)
}

fn value(reply: ExecutionReply<'_>) -> Value {
    serde_json::to_value(reply).unwrap()
}

fn told(change: impl FnOnce(&mut Facts), tool: &str) -> Value {
    value(told_by(&asked(change, tool), &rules()).unwrap())
}

#[test]
fn an_allow_names_its_grant_and_its_reasons() {
    let mut reply = told(|_| {}, "read");
    let trace = reply["decision_trace"].take();
    assert_eq!(
        reply,
        json!({
            "allowed": true, "execution_id": "exec-1", "decision": "allow", "decision_id": DECISION.to_string(),
            "granted_scope": {"capabilities": ["read"], "max_steps": 100, "max_cost": 1.5, "expires_at": "2027-01-15T08:15:00.000Z"},
            "matched_policies": ["ok"], "decision_trace": null, "explanation": "Words of ok.", "approval_mode": "enforce",
            "policy_fallback_hit": false, "risk_score": reply["risk_score"], "risk_level": "low",
            "policy_bundle_hash": rules().policyset.to_hex(),
        })
    );
    let results: Vec<(&str, &str)> = trace
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["policy_id"].as_str().unwrap(),
                item["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(results[0], ("inside", "skipped"));
    assert!(
        results.contains(&("ok", "matched")) && results.contains(&("no", "skipped")),
        "{results:?}"
    );
    let detail = &trace[0]["condition_details"][0];
    assert_eq!(
        (&detail["field"], &detail["operator"], &detail["result"]),
        (
            &json!("context.targets.paths"),
            &json!("all_under"),
            &json!(false)
        )
    );
}

#[test]
fn a_pending_decision_names_who_can_answer_and_until_when() {
    let reply = told(|_| {}, "send");
    assert_eq!(
        (
            &reply["decision"],
            &reply["allowed"],
            &reply["requires_approval"]
        ),
        (&json!("pending"), &json!(false), &json!(true))
    );
    assert_eq!(
        (&reply["required_role"], &reply["expires_at"]),
        (
            &json!("release_manager"),
            &json!("2027-01-15T09:00:00.000Z")
        )
    );
    assert_eq!(
        reply["granted_scope"]["expires_at"],
        "2027-01-15T09:15:00.000Z"
    );
    assert_eq!(
        reply["explanation"],
        "Words of ask. Approval grant window opened."
    );
}

#[test]
fn each_refusal_says_what_holds_it_back() {
    let risky = |facts: &mut Facts| {
        facts.request.sensitivity = Some(Sensitivity::Pii);
        facts.request.risk_class = Some(RiskClass::Critical);
        facts.request.tool_count = 9;
        facts.request.temperature_milli = Some(2_000);
        facts.request.flags = vec!["f".to_owned(); 5];
    };
    let table = [
        (told(|_| {}, "delete"), "deny", "policy_denied"),
        (told(|_| {}, "unheard-of"), "deny", "policy_denied"),
        (
            told(|facts| facts.mode = Mode::Strict, "unheard-of"),
            "deny",
            "policy_denied",
        ),
        (
            told(|facts| facts.adapter = None, "read"),
            "deny",
            "adapter_unknown",
        ),
        (
            told(
                |facts| facts.adapter.as_mut().unwrap().enabled = false,
                "read",
            ),
            "deny",
            "adapter_disabled",
        ),
        (told(|_| {}, "send"), "pending", "policy_requires_approval"),
        (
            told(risky, "read"),
            "pending",
            "risk_requires_approval:critical",
        ),
    ];
    for (reply, decision, reason) in table {
        assert_eq!(
            (reply["decision"].as_str(), reply["blocked_reason"].as_str()),
            (Some(decision), Some(reason)),
            "{reply}"
        );
        assert_eq!(reply["allowed"], json!(false));
    }
}

#[test]
fn a_warning_is_an_allow() {
    let reply = told(|facts| facts.mode = Mode::Permissive, "unheard-of");
    assert_eq!(
        (
            &reply["decision"],
            &reply["allowed"],
            reply.get("blocked_reason")
        ),
        (&json!("allow"), &json!(true), None)
    );
}

#[test]
fn the_requesters_own_refusal_is_told_in_few_words() {
    let reply = told(|facts| facts.request.rbac_allowed = Some(false), "read");
    assert_eq!(
        reply,
        json!({"allowed": false, "execution_id": "exec-1", "decision": "deny", "decision_id": DECISION.to_string(),
            "blocked_reason": "rbac_denied", "policy_fallback_hit": false})
    );
}

#[test]
fn a_capability_outside_the_token_is_named() {
    let outside = |request: &mut Request| {
        request.capabilities = vec!["read".to_owned(), "pay".to_owned()];
        request.credential_capabilities = Some(vec!["read".to_owned()]);
    };
    let failure = told_by(
        &asked(|facts| outside(&mut facts.request), "read"),
        &rules(),
    )
    .unwrap_err();
    let Failure::Told { status, body } = failure else {
        unreachable!("{failure:?}")
    };
    assert_eq!(
        (status.as_u16(), body),
        (
            403,
            json!({"error": "Capability not allowed", "capabilities": ["pay"]})
        )
    );
}

#[test]
fn an_approved_or_denied_request_is_told_so() {
    let approved = case(facts(request("send")), &rules(), vec![granted()]).row;
    assert_eq!(
        value(resumed(&approved).unwrap()),
        json!({"allowed": true, "execution_id": "exec-1", "decision": "allow", "decision_id": DECISION.to_string(),
            "granted_scope": {"capabilities": ["read"], "max_steps": 100, "max_cost": 1.5, "expires_at": "2027-01-15T08:16:00.000Z"},
            "explanation": "Approved locally (self-attested)"})
    );
    assert_eq!(
        value(refused(&approved)),
        json!({"allowed": false, "execution_id": "exec-1", "decision": "deny", "decision_id": DECISION.to_string(),
            "blocked_reason": "approval_denied", "explanation": "Denied locally (self-attested)"})
    );
}

#[test]
fn a_trace_over_other_policies_tells_what_matched() {
    let reply = value(told_by(&asked(|_| {}, "read"), &directory(&[])).unwrap());
    assert_eq!(
        reply["decision_trace"],
        json!([{"policy_id": "ok", "result": "matched", "decision": "allow", "explanation": "Words of ok."}])
    );
}

#[test]
fn a_fallback_that_matched_alone_is_marked() {
    let mut fallback = policy("last", None, Effect::RequireApproval, -100);
    fallback.explanation = Some("Fallback: a person looks at it.".to_owned());
    let rules = directory(&[fallback]);
    let reply = value(told_by(&case(facts(request("anything")), &rules, vec![]), &rules).unwrap());
    assert_eq!(reply["policy_fallback_hit"], json!(true));
}
