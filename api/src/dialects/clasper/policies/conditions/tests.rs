//! Conditions, both ways.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Members, read, write};
use probity_schemas::body::Body;
use probity_schemas::policy::{Condition, Operator, Scalar};
use serde_json::{Value, json};

fn members(value: &Value) -> Members {
    let body = Body::from_foreign(value.to_string().as_bytes()).unwrap();
    serde_json::from_str(body.as_str()).unwrap()
}

fn condition(field: &str, operator: Operator, values: Vec<Scalar>) -> Condition {
    Condition {
        field: field.to_owned(),
        operator,
        values,
    }
}

fn word(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

#[test]
fn every_spelling_has_one_normal_form() {
    let argv0 = condition(
        "context.exec.argv0",
        Operator::In,
        vec![word("ls"), word("rg")],
    );
    let under = condition(
        "context.targets.paths",
        Operator::AllUnder,
        vec![word("{{workspace.root}}")],
    );
    let table = [
        (
            json!({"tool": "exec"}),
            condition("tool", Operator::Eq, vec![word("exec")]),
        ),
        (
            json!({"tool": {"eq": "exec"}}),
            condition("tool", Operator::Eq, vec![word("exec")]),
        ),
        (
            json!({"intent": {"prefix": "inspect."}}),
            condition("intent", Operator::Prefix, vec![word("inspect.")]),
        ),
        (
            json!({"context": {"exec": {"argv0": {"in": ["ls", "rg"]}}}}),
            argv0.clone(),
        ),
        (
            json!({"context.exec.argv0": {"in": ["ls", "rg"]}}),
            argv0.clone(),
        ),
        (
            json!({"context.exec": {"argv0": {"in": ["ls", "rg"]}}}),
            argv0,
        ),
        (
            json!({"context": {"targets": {"paths": {"all_under": ["{{workspace.root}}"]}}}}),
            under.clone(),
        ),
        (
            json!({"context.targets.paths": {"all_under": ["{{workspace.root}}"]}}),
            under,
        ),
        (
            json!({"context": {"elevated_privileges": true}}),
            condition(
                "context.elevated_privileges",
                Operator::Eq,
                vec![Scalar::Bool(true)],
            ),
        ),
        (
            json!({"context.package_manager": {"exists": true}}),
            condition(
                "context.package_manager",
                Operator::Exists,
                vec![Scalar::Bool(true)],
            ),
        ),
        (
            json!({"provenance": {"source": "git"}}),
            condition("provenance.source", Operator::Eq, vec![word("git")]),
        ),
        (
            json!({"context.amount": {"in": [1, 2]}}),
            condition(
                "context.amount",
                Operator::In,
                vec![Scalar::Int(1), Scalar::Int(2)],
            ),
        ),
        (
            json!({"min_cost": 0.25}),
            condition("cost_micros", Operator::AtLeast, vec![Scalar::Int(250_000)]),
        ),
        (
            json!({"max_cost": 5}),
            condition(
                "cost_micros",
                Operator::AtMost,
                vec![Scalar::Int(5_000_000)],
            ),
        ),
    ];
    for (wire, normal) in table {
        assert_eq!(
            read(members(&wire)).as_deref(),
            Ok([normal].as_slice()),
            "{wire}"
        );
    }
}

#[test]
fn what_cannot_be_judged_exactly_is_refused_by_name() {
    let table = [
        (
            json!({"tool": {"regex": "e.*"}}),
            "tool: unknown operator 'regex'",
        ),
        (
            json!({"tool": {"eq": "a", "in": ["b"]}}),
            "tool: exactly one operator is expected",
        ),
        (
            json!({"tool": {}}),
            "tool: exactly one operator is expected",
        ),
        (
            json!({"tool": ["exec"]}),
            "tool: Expected string, boolean, integer or an operator, received array",
        ),
        (
            json!({"tool": null}),
            "tool: Expected string, boolean, integer or an operator, received null",
        ),
        (
            json!({"context": {"amount": 1.5}}),
            "context.amount: Expected integer, received float",
        ),
        (
            json!({"context": {"odd": {"deep": "x"}}}),
            "context.odd: unknown operator 'deep'",
        ),
        (
            json!({"context.targets.paths": {"all_under": "/tmp"}}),
            "context.targets.paths: Expected array, received string",
        ),
        (
            json!({"intent": {"prefix": 1}}),
            "intent: Expected string, received number",
        ),
        (
            json!({"min_cost": -1}),
            "min_cost: Number must be greater than or equal to 0",
        ),
        (
            json!({"max_cost": 0.000_000_1}),
            "max_cost: Number must have at most 6 decimal places",
        ),
        (
            json!({"context": {"url": "a"}, "context.url": "b"}),
            "context.url: stated twice, nested and dotted",
        ),
    ];
    for (wire, message) in table {
        assert_eq!(read(members(&wire)), Err(message.to_owned()), "{wire}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let wire = json!({
        "tool": "exec", "intent": {"prefix": "inspect."}, "context.exec.argv0": {"in": ["ls"]},
        "context.targets.paths": {"any_under": ["/etc"]}, "context.package_manager": {"exists": true},
        "context.writes_files": true, "min_cost": 0.25, "max_cost": 5
    });
    let normal = read(members(&wire)).unwrap();
    let written = Value::Object(write(&normal));
    assert_eq!(read(members(&written)).unwrap(), normal);
    assert_eq!(written["min_cost"], json!(0.25));
}
