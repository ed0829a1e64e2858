//! The agent runs that the project plays everywhere, played through the rules: each request must end as its author
//! expected. Reading the adapter's words is a small part of what the surface does, enough for these files.

use crate::support::{Log, adapter, scalar};
use probity_governance::command::{Operation, Reply, Standing};
use probity_schemas::body::Body;
use probity_schemas::event::decision::{Provenance, Request};
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::policy::{
    Condition, Operator, Policy, PolicySubject, Scalar, Scope, SubjectKind,
};
use probity_schemas::vocabulary::{Effect, Origin, RiskClass, Sensitivity, SkillState, Verdict};
use serde_json::Value;
use std::collections::HashMap;

#[test]
fn a_coding_agent() {
    play(include_str!(
        "../../../tests/fixtures/runs/coding_agent.json"
    ));
}

#[test]
fn a_support_agent() {
    play(include_str!(
        "../../../tests/fixtures/runs/refund_agent.json"
    ));
}

#[test]
fn a_pipeline_agent() {
    play(include_str!(
        "../../../tests/fixtures/runs/pipeline_agent.json"
    ));
}

fn play(run: &str) {
    let run: Value = serde_json::from_str(run).unwrap();
    let mut log = Log::new();
    log.set("template.workspace.root", "/workspace/repo");
    let id = text(&run["adapter"]["adapter_id"]).unwrap();
    let registered = AdapterRegistered {
        capabilities: texts(&run["adapter"]["capabilities"]),
        risk_class: word(&run["adapter"]["risk_class"], RiskClass::parse).unwrap(),
        tool_capabilities: texts(&run["adapter"]["tool_capabilities"]),
        ..adapter(&id)
    };
    let actor = format!("adapter:{id}");
    log.run(&actor, Operation::RegisterAdapter(Box::new(registered)));
    log.publish(run["policies"].as_array().unwrap().iter().map(policy));
    let mut asked: HashMap<String, Request> = HashMap::new();
    for step in run["steps"].as_array().unwrap() {
        match step["do"].as_str().unwrap() {
            "request" => {
                let request = request(&step["body"]);
                asked.insert(text(&step["id"]).unwrap(), request.clone());
                expect(step, ask(&mut log, &actor, request));
            }
            "resume" => {
                let request = asked[step["of"].as_str().unwrap()].clone();
                expect(step, ask(&mut log, &actor, request));
            }
            "resolve" => {
                let execution = asked[step["of"].as_str().unwrap()].execution.clone();
                let mut open = log
                    .judge
                    .open
                    .iter()
                    .filter(|(_, case)| Some(&case.execution) == execution.as_ref());
                let decision = *open.next().unwrap().0;
                log.resolve("user:ann", decision, step["status"] == "approved")
                    .unwrap();
            }
            "ingest" => {}
            other => panic!("unknown step {other}"),
        }
        log.seconds += 1;
    }
    assert!(asked.len() > 20);
}

fn ask(log: &mut Log, actor: &str, request: Request) -> (&'static str, String) {
    match log.run(actor, Operation::RequestDecision(request.into())).1 {
        Reply::Resumed { .. } => ("allow", String::new()),
        Reply::Standing {
            standing: Standing::Denied,
            ..
        } => ("deny", String::new()),
        Reply::Standing { .. } => ("pending", String::new()),
        _ => {
            let (_, made) = log.last_decision();
            let word = match made.verdict {
                Verdict::Allow | Verdict::Warn => "allow",
                Verdict::RequireApproval => "pending",
                Verdict::Deny => "deny",
            };
            (word, made.explanation)
        }
    }
}

fn expect(step: &Value, (found, why): (&str, String)) {
    assert_eq!(
        Some(found),
        step["expect"]["decision"].as_str(),
        "{why}: {step}"
    );
}

fn request(body: &Value) -> Request {
    let provenance = body.get("provenance").map(|from| Provenance {
        artifact_hash: text(&from["artifact_hash"]),
        publisher: text(&from["publisher"]),
        source: word(&from["source"], Origin::parse),
    });
    Request {
        action: text(&body["tool"]).unwrap(),
        adapter: text(&body["adapter_id"]),
        agent: text(&body["agent_id"]),
        agent_role: text(&body["agent_role"]),
        capabilities: texts(&body["requested_capabilities"]),
        context: body
            .get("context")
            .map(|context| Body::from_foreign(context.to_string().as_bytes()).unwrap()),
        cost_micros: micros(&body["estimated_cost"]),
        cost_micros_max: micros(&body["max_cost"]),
        environment: text(&body["environment"]),
        execution: text(&body["execution_id"]),
        flags: texts(&body["custom_flags"]),
        intent: text(&body["intent"]),
        override_ignored: body.get("override").is_some(),
        provenance,
        rbac_allowed: body["rbac_allowed"].as_bool(),
        risk_class: word(&body["adapter_risk_class"], RiskClass::parse),
        sensitivity: word(&body["data_sensitivity"], Sensitivity::parse),
        skill_pinned: body["skill_pinned"].as_bool(),
        skill_state: word(&body["skill_state"], SkillState::parse),
        skill_tested: body["skill_tested"].as_bool(),
        temperature_milli: thousandths(&body["temperature"]),
        tool_count: body["tool_count"].as_u64().unwrap_or(0) as u32,
        tool_group: text(&body["tool_group"]),
        tools: texts(&body["tool_names"]),
        ..Request::default()
    }
}

fn policy(body: &Value) -> Policy {
    let scope = &body["scope"];
    Policy {
        conditions: body["conditions"]
            .as_object()
            .into_iter()
            .flatten()
            .map(condition)
            .collect(),
        effect: word(&body["effect"]["decision"], Effect::parse).unwrap(),
        enabled: body["enabled"].as_bool().unwrap_or(true),
        explanation: text(&body["explanation"]),
        id: text(&body["policy_id"]).unwrap(),
        precedence: body["precedence"].as_i64().unwrap_or(0) as i32,
        scope: Scope {
            environment: text(&scope["environment"]),
            workspace: text(&scope["workspace_id"]),
        },
        subject: PolicySubject {
            kind: serde_json::from_value::<SubjectKind>(body["subject"]["type"].clone()).unwrap(),
            name: text(&body["subject"]["name"]),
        },
    }
}

fn condition((field, value): (&String, &Value)) -> Condition {
    let cost = |operator| Condition {
        field: "cost_micros".to_owned(),
        operator,
        values: vec![Scalar::Int(micros(value).unwrap() as i64)],
    };
    match (field.as_str(), value) {
        ("min_cost", _) => cost(Operator::AtLeast),
        ("max_cost", _) => cost(Operator::AtMost),
        (_, Value::Object(operator)) => {
            let (name, values) = operator.iter().next().unwrap();
            let values = values
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![values.clone()]);
            Condition {
                field: field.clone(),
                operator: serde_json::from_value(Value::from(name.as_str())).unwrap(),
                values: values.iter().map(plain).collect(),
            }
        }
        _ => Condition {
            field: field.clone(),
            operator: Operator::Eq,
            values: vec![plain(value)],
        },
    }
}

fn plain(value: &Value) -> Scalar {
    value.as_str().map_or_else(
        || scalar(&value.to_string()),
        |text| Scalar::Text(text.to_owned()),
    )
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(text)
        .collect()
}

fn word<T>(value: &Value, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    value.as_str().map(|text| parse(text).unwrap())
}

fn micros(dollars: &Value) -> Option<u64> {
    decimal(dollars, 6)
}

fn thousandths(value: &Value) -> Option<u32> {
    decimal(value, 3).map(|number| number as u32)
}

/// A decimal number moved by so many digits.
fn decimal(value: &Value, digits: usize) -> Option<u64> {
    let text = value.is_number().then(|| value.to_string())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    Some(format!("{whole}{fraction:0<digits$}").parse().unwrap())
}
