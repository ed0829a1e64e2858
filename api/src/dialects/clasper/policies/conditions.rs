//! Conditions as this surface writes them, to the normal form of a policy and back.
//!
//! The wire nests (`context: {exec: {argv0: …}}`) or dots (`"context.exec.argv0": …`), and writes equality as a bare value; the
//! normal form is a flat list of field, operator and values. What cannot be judged exactly is refused with the field's
//! name, never dropped: a condition that silently vanished would widen its policy.

use super::super::fields::{kind, text};
use super::super::number::{MICRO_PLACES, scaled, usd};
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::policy::{Condition, Operator, Scalar};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The members of one JSON object, each as its canonical text.
pub(super) type Members = BTreeMap<String, Box<RawValue>>;

/// The operators that the wire writes as a member name.
const OPERATORS: [(&str, Operator); 6] = [
    ("eq", Operator::Eq),
    ("in", Operator::In),
    ("prefix", Operator::Prefix),
    ("exists", Operator::Exists),
    ("all_under", Operator::AllUnder),
    ("any_under", Operator::AnyUnder),
];

/// Objects that hold further fields rather than an operator.
const GROUPS: [&str; 5] = [
    "context",
    "context.exec",
    "context.targets",
    "context.side_effects",
    "provenance",
];

/// The field of the normal form that the wire's two cost bounds compare.
const COST_FIELD: &str = "cost_micros";

/// The wire's bounds of the estimated cost.
const COST_BOUNDS: [(&str, Operator); 2] = [
    ("min_cost", Operator::AtLeast),
    ("max_cost", Operator::AtMost),
];

/// Reads the wire's conditions; the error names the condition at fault.
pub(super) fn read(members: Members) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (name, raw) in members {
        read_one(&name, raw.get(), &mut conditions)?;
    }
    conditions.sort_by(|a, b| {
        (&a.field, operator_word(a.operator)).cmp(&(&b.field, operator_word(b.operator)))
    });
    let twice = |pair: &&[Condition]| pair[0].field == pair[1].field && pair[0].field != COST_FIELD;
    match conditions.windows(2).find(twice) {
        Some(pair) => Err(format!(
            "{}: stated twice, nested and dotted",
            pair[0].field
        )),
        None => Ok(conditions),
    }
}

fn read_one(name: &str, raw: &str, conditions: &mut Vec<Condition>) -> Result<(), String> {
    let at_fault = |message: String| format!("{name}: {message}");
    if let Some((_, operator)) = COST_BOUNDS.into_iter().find(|(bound, _)| *bound == name) {
        let values = vec![Scalar::Int(micros(raw).map_err(at_fault)?)];
        conditions.push(Condition {
            field: COST_FIELD.to_owned(),
            operator,
            values,
        });
        return Ok(());
    }
    if kind(raw) != "object" {
        let values = vec![scalar(raw).map_err(at_fault)?];
        conditions.push(Condition {
            field: name.to_owned(),
            operator: Operator::Eq,
            values,
        });
        return Ok(());
    }
    let members: Members =
        serde_json::from_str(raw).map_err(|error| at_fault(error.to_string()))?;
    if GROUPS.contains(&name) && !members.keys().any(|key| operator(key).is_some()) {
        return members
            .iter()
            .try_for_each(|(key, raw)| read_one(&format!("{name}.{key}"), raw.get(), conditions));
    }
    let (operator, values) = operation(&members).map_err(at_fault)?;
    conditions.push(Condition {
        field: name.to_owned(),
        operator,
        values,
    });
    Ok(())
}

/// The single operator of an object, with its values.
fn operation(members: &Members) -> Result<(Operator, Vec<Scalar>), String> {
    let mut entries = members.iter();
    let (Some((key, raw)), None) = (entries.next(), entries.next()) else {
        return Err("exactly one operator is expected".to_owned());
    };
    let operator = operator(key).ok_or_else(|| format!("unknown operator '{key}'"))?;
    let raw = raw.get();
    let values = match operator {
        Operator::In => list(raw, scalar)?,
        Operator::AllUnder | Operator::AnyUnder => list(raw, |item| text(item).map(Scalar::Text))?,
        Operator::Prefix => vec![Scalar::Text(text(raw)?)],
        Operator::Exists => vec![Scalar::Bool(super::super::fields::flag(raw)?)],
        _ => vec![scalar(raw)?],
    };
    Ok((operator, values))
}

fn list(raw: &str, read: impl Fn(&str) -> Result<Scalar, String>) -> Result<Vec<Scalar>, String> {
    let items: Vec<Box<RawValue>> =
        serde_json::from_str(raw).map_err(|_| format!("Expected array, received {}", kind(raw)))?;
    items.iter().map(|item| read(item.get())).collect()
}

fn scalar(raw: &str) -> Result<Scalar, String> {
    match kind(raw) {
        "string" => text(raw).map(Scalar::Text),
        "boolean" => Ok(Scalar::Bool(raw == "true")),
        "number" => raw
            .parse()
            .map(Scalar::Int)
            .map_err(|_| "Expected integer, received float".to_owned()),
        other => Err(format!(
            "Expected string, boolean, integer or an operator, received {other}"
        )),
    }
}

/// US dollars as micro-USD: an amount finer than that cannot be compared exactly.
fn micros(raw: &str) -> Result<i64, String> {
    if kind(raw) != "number" {
        return Err(format!("Expected number, received {}", kind(raw)));
    }
    let scaled = scaled(raw, MICRO_PLACES).map_err(|fault| fault.to_string())?;
    if !scaled.exact {
        return Err("Number must have at most 6 decimal places".to_owned());
    }
    Ok(scaled.units.min(INTEGER_MAX).cast_signed())
}

fn operator(key: &str) -> Option<Operator> {
    OPERATORS
        .into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, operator)| operator)
}

/// Writes conditions as the wire does: dotted, equality as a bare value.
pub(super) fn write(conditions: &[Condition]) -> Map<String, Value> {
    conditions.iter().map(write_one).collect()
}

fn write_one(condition: &Condition) -> (String, Value) {
    let bound = COST_BOUNDS
        .into_iter()
        .find(|(_, operator)| *operator == condition.operator);
    if let (Some((bound, _)), COST_FIELD, [Scalar::Int(micros)]) =
        (bound, &*condition.field, &*condition.values)
    {
        return (bound.to_owned(), json!(usd(micros.unsigned_abs())));
    }
    let values: Vec<Value> = condition.values.iter().map(|value| json!(value)).collect();
    let word = operator_word(condition.operator);
    let operation = match (condition.operator, values.as_slice()) {
        (Operator::Eq, [only]) => only.clone(),
        (Operator::In | Operator::AllUnder | Operator::AnyUnder, _) => json!({ word: values }),
        (_, [only]) => json!({ word: only }),
        _ => json!({ word: values }),
    };
    (condition.field.clone(), operation)
}

/// The word an operator is written by.
pub(crate) const fn operator_word(operator: Operator) -> &'static str {
    match operator {
        Operator::AllUnder => "all_under",
        Operator::AnyUnder => "any_under",
        Operator::AtLeast => "at_least",
        Operator::AtMost => "at_most",
        Operator::Eq => "eq",
        Operator::Exists => "exists",
        Operator::In => "in",
        Operator::Prefix => "prefix",
    }
}

#[cfg(test)]
mod tests;
