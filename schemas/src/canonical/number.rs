//! Numbers in ECMAScript's form (`Number::toString`), which RFC 8785 prescribes. This is the one place of the crate
//! that knows doubles, because JSON's foreign numbers are doubles to most readers; it only parses and prints them.
//!
//! ECMAScript wants the shortest digits that read back as the same double, of several the closest, and of two equally
//! close the even one. serde_json prints those digits (the standard library does not: it rounds such a tie up); only the
//! layout of digits, point and exponent differs, and that is done here on text.

use super::CanonicalFault as Fault;
use crate::limits::{INTEGER_MAX, NUMBER_DIGITS_MAX};

/// Exponents (of the form `d.ddd`e`x`) from which ECMAScript writes an exponent: 10^21 upwards, below 10^-6.
const LARGE_EXPONENT: i64 = 21;
const SMALL_EXPONENT: i64 = -7;

/// Digits of a number that is certainly a safe integer.
const SAFE_DIGITS: usize = INTEGER_MAX.ilog10() as usize;

/// Whether a byte can belong to a number, so that a number's end is found before its form is checked.
pub(super) const fn is_number_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// A JSON number, cut at its point and exponent.
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: Option<&'t str>,
    exponent: Option<&'t str>,
}

/// Cuts `text` by the grammar of JSON.
fn parts(text: &str) -> Result<Parts<'_>, Fault> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (negative, unsigned) = mantissa
        .strip_prefix('-')
        .map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let well_formed = is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| {
            is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
        });
    if well_formed {
        Ok(Parts {
            negative,
            whole,
            fraction,
            exponent,
        })
    } else {
        Err(Fault::NumberForm)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks that `text` has the form ECMAScript prints. Whether a fraction is the shortest is not looked at.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    if is_digits(text) && text.len() <= SAFE_DIGITS && !text.starts_with('0') {
        return Ok(());
    }
    let number = parts(text)?;
    match (number.fraction, number.exponent) {
        (None, None) => check_integer(&number),
        (Some(fraction), None) => check_fraction(number.whole, fraction),
        (fraction, Some(exponent)) => check_exponent(text, number.whole, fraction, exponent),
    }
}

fn check_integer(number: &Parts<'_>) -> Result<(), Fault> {
    if number.negative && number.whole == "0" {
        return Err(Fault::NumberForm);
    }
    match number.whole.parse::<u64>() {
        Ok(value) if value <= INTEGER_MAX => Ok(()),
        _ => Err(Fault::NumberRange),
    }
}

/// `12.5` or `0.000001`: no trailing zero, no more digits than a double needs, at most five zeros after `0.`.
fn check_fraction(whole: &str, fraction: &str) -> Result<(), Fault> {
    let significant = fraction.trim_start_matches('0');
    let digits = if whole == "0" {
        significant.len()
    } else {
        whole.len() + fraction.len()
    };
    let zeros = if whole == "0" {
        fraction.len() - significant.len()
    } else {
        0
    };
    let formed = !fraction.ends_with('0') && digits <= NUMBER_DIGITS_MAX && zeros <= 5;
    if formed {
        Ok(())
    } else {
        Err(Fault::NumberForm)
    }
}

/// `1.5e+21` or `1e-7`: one digit other than zero before the point, the exponent signed and out of the plain range.
fn check_exponent(
    text: &str,
    whole: &str,
    fraction: Option<&str>,
    exponent: &str,
) -> Result<(), Fault> {
    let power = exponent.strip_prefix(['+', '-']).unwrap_or("");
    let formed = text.contains('e')
        && whole.len() == 1
        && whole != "0"
        && fraction
            .is_none_or(|fraction| !fraction.ends_with('0') && fraction.len() < NUMBER_DIGITS_MAX)
        && !power.is_empty()
        && !power.starts_with('0');
    if !formed {
        return Err(Fault::NumberForm);
    }
    match exponent.parse::<i64>() {
        Ok(exponent) if (SMALL_EXPONENT + 1..LARGE_EXPONENT).contains(&exponent) => {
            Err(Fault::NumberForm)
        }
        _ => double(text).map(drop),
    }
}

/// The double that `text` means, if it is neither infinite nor a non-zero number shrunk to zero.
fn double(text: &str) -> Result<f64, Fault> {
    let value: f64 = text.parse().map_err(|_| Fault::NumberForm)?;
    let shrunk = value == 0.0 && !Decimal::of(&parts(text)?).digits.is_empty();
    if value.is_finite() && !shrunk {
        Ok(value)
    } else {
        Err(Fault::NumberRange)
    }
}

/// The RFC 8785 form of a foreign number, if that has the same decimal value.
pub(super) fn canonicalize(text: &str) -> Result<String, Fault> {
    let number = parts(text)?;
    if number.fraction.is_none() && number.exponent.is_none() && number.whole != "0" {
        return check_integer(&number).map(|()| text.to_owned());
    }
    let meant = Decimal::of(&number);
    let shortest = serde_json::to_string(&double(text)?).map_err(|_| Fault::NumberForm)?;
    if meant != Decimal::of(&parts(&shortest)?) {
        return Err(Fault::NumberInexact);
    }
    let printed = meant.layout();
    check(&printed).map(|()| printed)
}

/// A decimal value in one form: digits without zeros at either end, and the power of ten of the last digit.
/// Zero is no digits; its sign is not a value.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn of(number: &Parts<'_>) -> Self {
        let fraction = number.fraction.unwrap_or("");
        let all = format!("{}{fraction}", number.whole);
        let kept = all.trim_end_matches('0');
        let digits = kept.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self {
                negative: false,
                digits,
                power: 0,
            };
        }
        let exponent: i64 = number.exponent.unwrap_or("0").parse().unwrap_or(i64::MAX);
        let dropped = all.len() - kept.len();
        let shift = i64::try_from(dropped).unwrap_or(i64::MAX)
            - i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        Self {
            negative: number.negative,
            digits,
            power: exponent.saturating_add(shift),
        }
    }

    /// These digits as `Number::toString` of ECMAScript sets them.
    fn layout(&self) -> String {
        let digits = &self.digits;
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        // Digits before the point, if there were no exponent.
        let point = length.saturating_add(self.power);
        let exponent = point.saturating_sub(1);
        if digits.is_empty() {
            "0".to_owned()
        } else if exponent >= LARGE_EXPONENT || exponent <= SMALL_EXPONENT {
            let (first, rest) = digits.split_at(1);
            let fraction = if rest.is_empty() {
                String::new()
            } else {
                format!(".{rest}")
            };
            format!("{sign}{first}{fraction}e{exponent:+}")
        } else if point <= 0 {
            format!("{sign}0.{}{digits}", zeros(-point))
        } else if length <= point {
            format!("{sign}{digits}{}", zeros(point - length))
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// That many zeros.
fn zeros(count: i64) -> String {
    "0".repeat(usize::try_from(count).unwrap_or(0))
}
