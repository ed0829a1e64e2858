//! What a policy must be to be published, and which policies are fallbacks. Evaluation is the engine's.

use crate::limits::{EXPLANATION_BYTES_MAX, POLICY_BYTES_MAX};
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::policy::{Condition, Operator, Policy, Scalar, SubjectKind};
use probity_schemas::subject::Subject;

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The name is empty or too long.
    #[error("the policy's name is empty or too long")]
    Name,
    /// The policy is too long.
    #[error("the policy has {bytes} bytes; at most {POLICY_BYTES_MAX} are kept")]
    TooLong {
        /// Its bytes as JSON.
        bytes: usize,
    },
    /// The explanation is too long or holds control characters.
    #[error("an explanation has at most {EXPLANATION_BYTES_MAX} bytes and no control characters")]
    Explanation,
    /// A condition names no field.
    #[error("a condition names no field")]
    FieldEmpty,
    /// A condition has no value, or more values than its operator takes.
    #[error("{field}: this operator takes {takes}")]
    ValueCount {
        /// The field.
        field: String,
        /// How many it takes.
        takes: &'static str,
    },
    /// A value is not of the kind that the operator compares with.
    #[error("{field}: this operator compares with {expected}")]
    ValueKind {
        /// The field.
        field: String,
        /// The kind.
        expected: &'static str,
    },
    /// A number that not every reader of JSON keeps.
    #[error("{field}: whole numbers end at 2^53 - 1")]
    ValueRange {
        /// The field.
        field: String,
    },
}

/// Whether a policy may be published.
///
/// # Errors
/// The first [`PolicyFault`].
pub fn check(policy: &Policy) -> Result<(), PolicyFault> {
    Subject::new("policy", &policy.id).map_err(|_| PolicyFault::Name)?;
    if let Some(text) = &policy.explanation
        && (text.len() > EXPLANATION_BYTES_MAX || text.contains(char::is_control))
    {
        return Err(PolicyFault::Explanation);
    }
    policy.conditions.iter().try_for_each(check_condition)?;
    let bytes = serde_json::to_vec(policy).map_or(usize::MAX, |json| json.len());
    if bytes > POLICY_BYTES_MAX {
        Err(PolicyFault::TooLong { bytes })
    } else {
        Ok(())
    }
}

/// Whether a policy is a fallback: it speaks of any tool and stands at or below precedence 0.
#[must_use]
pub fn is_fallback(policy: &Policy) -> bool {
    policy.subject.kind == SubjectKind::Tool
        && policy.subject.name.is_none()
        && policy.precedence <= 0
}

fn check_condition(condition: &Condition) -> Result<(), PolicyFault> {
    if condition.field.is_empty() {
        return Err(PolicyFault::FieldEmpty);
    }
    let field = || condition.field.clone();
    let one = !matches!(
        condition.operator,
        Operator::In | Operator::AllUnder | Operator::AnyUnder
    );
    if condition.values.is_empty() || (one && condition.values.len() > 1) {
        let takes = if one {
            "exactly one value"
        } else {
            "at least one value"
        };
        return Err(PolicyFault::ValueCount {
            field: field(),
            takes,
        });
    }
    for value in &condition.values {
        let expected = match (condition.operator, value) {
            (Operator::Eq | Operator::In, _)
            | (Operator::Exists, Scalar::Bool(_))
            | (Operator::AtLeast | Operator::AtMost, Scalar::Int(_))
            | (Operator::Prefix | Operator::AllUnder | Operator::AnyUnder, Scalar::Text(_)) => None,
            (Operator::Exists, _) => Some("true or false"),
            (Operator::AtLeast | Operator::AtMost, _) => Some("a whole number"),
            (Operator::Prefix | Operator::AllUnder | Operator::AnyUnder, _) => Some("a text"),
        };
        if let Some(expected) = expected {
            return Err(PolicyFault::ValueKind {
                field: field(),
                expected,
            });
        }
        if matches!(value, Scalar::Int(number) if number.unsigned_abs() > INTEGER_MAX) {
            return Err(PolicyFault::ValueRange { field: field() });
        }
    }
    Ok(())
}
