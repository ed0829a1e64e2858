//! Whole numbers to decimal text: money in US dollars, temperatures and durations in units. The way back is
//! `probity_governance::decimal`, which the judge shares.
//!
//! Not a float anywhere: amounts are written as text, so that what was reported is what is shown.

pub(crate) use probity_governance::decimal::{MICRO_PLACES, MILLI_PLACES, NumberFault, scaled};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Whole units of `10^-places`, written as a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    units: u64,
    places: usize,
}

/// Micro-USD, written as US dollars.
pub(crate) const fn usd(micros: u64) -> Decimal {
    Decimal {
        units: micros,
        places: MICRO_PLACES.unsigned_abs() as usize,
    }
}

/// Thousandths, written as units.
pub(crate) const fn milli(thousandths: u64) -> Decimal {
    Decimal {
        units: thousandths,
        places: MILLI_PLACES.unsigned_abs() as usize,
    }
}

impl Decimal {
    /// The shortest decimal text.
    fn text(self) -> String {
        let digits = format!("{:0width$}", self.units, width = self.places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.places);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.text())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::{milli, usd};

    #[test]
    fn amounts_are_written_as_the_shortest_decimal() {
        let table = [
            (0, "0"),
            (1, "0.000001"),
            (20_883, "0.020883"),
            (500_000, "0.5"),
            (12_000_000, "12"),
        ];
        for (micros, text) in table {
            assert_eq!(
                serde_json::to_string(&usd(micros)).ok().as_deref(),
                Some(text)
            );
        }
        assert_eq!(milli(700).text(), "0.7");
        assert_eq!(milli(2_000).text(), "2");
    }
}
