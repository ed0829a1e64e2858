//! One condition against one field: it matches, it misses, or it cannot be judged.
//!
//! A field of several values must match with every one of them for an allow rule, and with one of them for a rule that
//! restricts; none at all is a miss. `capability` is membership for every rule. An absent field equals nothing. What
//! cannot be judged (a path that is no plain path, a template nobody set, a field nobody knows) is the policy's business:
//! it makes an allow rule miss and a restricting one hit.

use super::known::{Field, Known};
use super::paths;
use probity_schemas::policy::{Condition, Operator, Scalar};
use probity_schemas::vocabulary::Effect;
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Match,
    Miss,
    Unjudged,
}

use Judgement::{Match, Miss, Unjudged};

/// One value of a field.
#[derive(Clone, Copy)]
enum Element<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Fraction(&'a Number),
    Other,
}

/// Judges a condition of a policy with this effect.
pub(super) fn judge(condition: &Condition, effect: Effect, known: &Known<'_>) -> Judgement {
    judge_field(&known.field(&condition.field), condition, effect, known)
}

/// The same, for one who has looked up what the condition's field holds.
pub(super) fn judge_field(
    field: &Field<'_>,
    condition: &Condition,
    effect: Effect,
    known: &Known<'_>,
) -> Judgement {
    if matches!(field, Field::Unknown) {
        return Unjudged;
    }
    let values = &condition.values;
    let every = match condition.operator {
        Operator::Exists => return exists(field, values),
        Operator::AllUnder => true,
        Operator::AnyUnder => false,
        _ => effect == Effect::Allow && condition.field != "capability",
    };
    over(field, every, |element| match condition.operator {
        Operator::Eq | Operator::In => {
            any(&mut values.iter().map(|value| equals(element, value, known)))
        }
        Operator::Prefix => any(&mut values.iter().map(|value| begins(element, value, known))),
        Operator::AtLeast => any(&mut values
            .iter()
            .map(|value| compares(element, value, Ordering::Less))),
        Operator::AtMost => any(&mut values
            .iter()
            .map(|value| compares(element, value, Ordering::Greater))),
        Operator::AllUnder | Operator::AnyUnder => under(element, values, known),
        Operator::Exists => Miss,
    })
}

/// Replaces the templates in a text; none when one of them is not set.
pub(super) fn expand<'t>(text: &'t str, known: &Known<'_>) -> Option<Cow<'t, str>> {
    // Most texts have no template: they are looked through once, fast.
    if !text.as_bytes().contains(&b'{') {
        return Some(Cow::Borrowed(text));
    }
    let mut rest = text;
    let mut expanded = String::new();
    while let Some(at) = rest.as_bytes().windows(2).position(|pair| pair == b"{{") {
        let (name, after) = rest[at + 2..].split_once("}}")?;
        expanded.push_str(&rest[..at]);
        expanded.push_str(known.template(name.trim())?);
        rest = after;
    }
    if rest.len() == text.len() {
        return Some(Cow::Borrowed(text));
    }
    expanded.push_str(rest);
    Some(Cow::Owned(expanded))
}

fn exists(field: &Field<'_>, values: &[Scalar]) -> Judgement {
    let present = !matches!(field, Field::Absent);
    if values.contains(&Scalar::Bool(present)) {
        Match
    } else {
        Miss
    }
}

fn over(field: &Field<'_>, every: bool, judge: impl Fn(Element<'_>) -> Judgement) -> Judgement {
    let combine = if every { all } else { any };
    match field {
        Field::Absent => Miss,
        Field::Unknown => Unjudged,
        Field::Text(text) => judge(Element::Text(text)),
        Field::Int(number) => judge(Element::Int(*number)),
        Field::Texts(texts) => combine(&mut texts.iter().map(|text| judge(Element::Text(text)))),
        Field::Json(Value::Array(values)) => {
            combine(&mut values.iter().map(|value| judge(element(value))))
        }
        Field::Json(value) => judge(element(value)),
    }
}

/// None at all is a miss.
fn all(judgements: &mut dyn Iterator<Item = Judgement>) -> Judgement {
    let mut worst = None;
    for judgement in judgements {
        match judgement {
            Miss => return Miss,
            Unjudged => worst = Some(Unjudged),
            Match => worst = worst.or(Some(Match)),
        }
    }
    worst.unwrap_or(Miss)
}

fn any(judgements: &mut dyn Iterator<Item = Judgement>) -> Judgement {
    let mut best = Miss;
    for judgement in judgements {
        match judgement {
            Match => return Match,
            Unjudged => best = Unjudged,
            Miss => {}
        }
    }
    best
}

fn element(value: &Value) -> Element<'_> {
    match value {
        Value::String(text) => Element::Text(text),
        Value::Bool(flag) => Element::Bool(*flag),
        Value::Number(number) => number
            .as_i64()
            .map_or(Element::Fraction(number), Element::Int),
        Value::Null | Value::Array(_) | Value::Object(_) => Element::Other,
    }
}

fn equals(element: Element<'_>, value: &Scalar, known: &Known<'_>) -> Judgement {
    let same = match (element, value) {
        (Element::Text(text), Scalar::Text(wanted)) => match expand(wanted, known) {
            Some(wanted) => text == wanted,
            None => return Unjudged,
        },
        (Element::Bool(flag), Scalar::Bool(wanted)) => flag == *wanted,
        (Element::Int(number), Scalar::Int(wanted)) => number == *wanted,
        _ => false,
    };
    if same { Match } else { Miss }
}

fn begins(element: Element<'_>, value: &Scalar, known: &Known<'_>) -> Judgement {
    let (Element::Text(text), Scalar::Text(wanted)) = (element, value) else {
        return Miss;
    };
    match expand(wanted, known) {
        Some(wanted) if text.starts_with(wanted.as_ref()) => Match,
        Some(_) => Miss,
        None => Unjudged,
    }
}

/// Matches unless the number lies on the refused side of the value.
fn compares(element: Element<'_>, value: &Scalar, refused: Ordering) -> Judgement {
    let Scalar::Int(value) = value else {
        return Miss;
    };
    let order = match element {
        Element::Int(number) => number.cmp(value),
        Element::Fraction(number) => compare_fraction(&number.to_string(), *value),
        _ => return Miss,
    };
    if order == refused { Miss } else { Match }
}

/// Compares a decimal number that is no whole number within 64 bits, as text, with a whole number.
fn compare_fraction(text: &str, value: i64) -> Ordering {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    let away = if negative {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    // With an exponent the number is far outside 64 bits, or between -1 and 1.
    let whole: i64 = match (exponent.starts_with('-'), exponent == "0") {
        (_, true) => match mantissa.split('.').next().unwrap_or_default().parse() {
            Ok(whole) => whole,
            Err(_) => return away,
        },
        (true, false) => 0,
        (false, false) => return away,
    };
    // It lies strictly between `whole` and the next number away from zero.
    let signed = if negative { -whole } else { whole };
    match signed.cmp(&value) {
        Ordering::Equal => away,
        order => order,
    }
}

fn under(element: Element<'_>, roots: &[Scalar], known: &Known<'_>) -> Judgement {
    let Element::Text(path) = element else {
        return Unjudged;
    };
    let Some(path) = paths::normalise(path, known.working_directory.as_deref()) else {
        return Unjudged;
    };
    any(&mut roots.iter().map(|root| {
        let Scalar::Text(root) = root else {
            return Unjudged;
        };
        let Some(root) = expand(root, known) else {
            return Unjudged;
        };
        match paths::normalise(&root, None) {
            Some(root) if paths::is_under(&path, &root) => Match,
            Some(_) => Miss,
            None => Unjudged,
        }
    }))
}
