//! Decimal text to whole numbers: money in micro-USD, temperatures in thousandths, durations in microseconds.
//!
//! Not a float anywhere: numbers of a reported body are read from their canonical text, so that what was reported is what
//! is recorded. Digits finer than the unit are rounded half up, and the caller is told.

use probity_schemas::limits::INTEGER_MAX;

/// Decimal places of a US dollar in micro-USD.
pub const MICRO_PLACES: i32 = 6;

/// Decimal places of a unit in thousandths.
pub const MILLI_PLACES: i32 = 3;

/// A number in whole units of `10^-places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// How many units.
    pub units: u64,
    /// Whether nothing was rounded away.
    pub exact: bool,
}

/// Why a number cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// Below zero.
    #[error("Number must be greater than or equal to 0")]
    Negative,
    /// More units than a record's integer holds.
    #[error("Number is too large")]
    TooLarge,
    /// Not a number in JSON's form.
    #[error("Expected number")]
    NotNumber,
}

/// Reads a JSON number as whole units of `10^-places`.
///
/// # Errors
/// [`NumberFault`].
pub fn scaled(text: &str, places: i32) -> Result<Scaled, NumberFault> {
    if text.starts_with('-') {
        return Err(NumberFault::Negative);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: u128 = format!("{whole}{fraction}")
        .parse()
        .map_err(|_| NumberFault::NotNumber)?;
    let exponent: i32 = exponent.parse().map_err(|_| NumberFault::NotNumber)?;
    let fraction = i32::try_from(fraction.len()).map_err(|_| NumberFault::NotNumber)?;
    let shift = exponent.saturating_sub(fraction).saturating_add(places);
    let (units, exact) = shifted(digits, shift).ok_or(NumberFault::TooLarge)?;
    let units = u64::try_from(units).map_err(|_| NumberFault::TooLarge)?;
    if units > INTEGER_MAX {
        return Err(NumberFault::TooLarge);
    }
    Ok(Scaled { units, exact })
}

/// `digits · 10^shift`, rounded half up, and whether that was exact.
fn shifted(digits: u128, shift: i32) -> Option<(u128, bool)> {
    let power = 10_u128.checked_pow(shift.unsigned_abs());
    match (shift >= 0, power) {
        (true, Some(power)) => digits.checked_mul(power).map(|units| (units, true)),
        (true, None) => (digits == 0).then_some((0, true)),
        (false, Some(power)) => {
            let (units, rest) = (digits / power, digits % power);
            Some((units + u128::from(rest >= power - rest), rest == 0))
        }
        (false, None) => Some((0, digits == 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::{MICRO_PLACES, MILLI_PLACES, NumberFault, Scaled, scaled};

    #[test]
    fn dollars_become_micro_dollars_without_a_float() {
        let table = [
            ("0", 0, true),
            ("0.020883", 20_883, true),
            ("1", 1_000_000, true),
            ("12.5", 12_500_000, true),
            ("0.0000004", 0, false),
            ("0.0000005", 1, false),
            ("1e-7", 0, false),
            ("5e-7", 1, false),
            ("1.25e-5", 13, false),
            ("1e+3", 1_000_000_000, true),
            ("0.30000000000000004", 300_000, false),
            ("9007199254.740991", 9_007_199_254_740_991, true),
            ("1e-400", 0, false),
        ];
        for (text, units, exact) in table {
            assert_eq!(
                scaled(text, MICRO_PLACES),
                Ok(Scaled { units, exact }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let table = [
            ("-0.01", NumberFault::Negative),
            ("-1e-400", NumberFault::Negative),
            ("9007199254.740992", NumberFault::TooLarge),
            ("1e+21", NumberFault::TooLarge),
            ("1e+308", NumberFault::TooLarge),
            ("NaN", NumberFault::NotNumber),
            ("", NumberFault::NotNumber),
        ];
        for (text, fault) in table {
            assert_eq!(scaled(text, MICRO_PLACES), Err(fault), "{text}");
        }
    }

    #[test]
    fn temperatures_become_thousandths() {
        assert_eq!(
            scaled("0.7", MILLI_PLACES),
            Ok(Scaled {
                units: 700,
                exact: true
            })
        );
        assert_eq!(
            scaled("2", MILLI_PLACES),
            Ok(Scaled {
                units: 2000,
                exact: true
            })
        );
    }
}
