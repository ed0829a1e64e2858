//! Fresh values: UUIDv7s that only grow, and salts.

use probity_schemas::hash::Hash;
use probity_schemas::time::Time;
use thiserror::Error;
use uuid::Uuid;

/// The operating system gives no random bytes.
#[derive(Debug, Error)]
#[error("the operating system gives no random bytes")]
pub struct EntropyError(#[from] getrandom::Error);

/// Gives UUIDv7s (RFC 9562), each greater than the one before, whatever the clock does.
///
/// `rand_a` counts inside a millisecond; the 62 bits of `rand_b` are fresh each time, so that nobody who knows one id can
/// guess the next.
#[derive(Debug)]
pub struct Ids {
    millis: u64,
    count: u16,
}

/// `rand_a` has 12 bits.
const COUNT_MAX: u16 = 0x0fff;

impl Ids {
    /// After the id of the last record (nil before the first).
    #[must_use]
    pub fn after(last: Uuid) -> Self {
        let bits = last.as_u128();
        let millis = u64::try_from(bits >> 80).unwrap_or(u64::MAX);
        let count = u16::try_from((bits >> 64) & u128::from(COUNT_MAX)).unwrap_or(COUNT_MAX);
        Self { millis, count }
    }

    /// The next id.
    ///
    /// # Errors
    /// [`EntropyError`] without random bytes.
    pub fn next(&mut self, time: Time) -> Result<Uuid, EntropyError> {
        let now = u64::try_from(time.millis()).unwrap_or(0);
        if now > self.millis {
            (self.millis, self.count) = (now, 0);
        } else if self.count < COUNT_MAX {
            self.count += 1;
        } else {
            (self.millis, self.count) = (self.millis + 1, 0);
        }
        let mut random = [0u8; 10];
        getrandom::fill(&mut random[2..])?;
        random[..2].copy_from_slice(&self.count.to_be_bytes());
        Ok(uuid::Builder::from_unix_timestamp_millis(self.millis, &random).into_uuid())
    }
}

/// 32 random bytes.
///
/// # Errors
/// [`EntropyError`] without random bytes.
pub fn salt() -> Result<Hash, EntropyError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Hash(bytes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::Ids;
    use probity_schemas::time::Time;
    use uuid::Uuid;

    #[test]
    fn ids_only_grow_and_are_version_7() {
        let mut ids = Ids::after(Uuid::nil());
        let mut last = Uuid::nil();
        for step in 0..20_000i64 {
            // The clock stands still for long stretches and even goes back.
            let id = ids
                .next(Time::from_micros(1_700_000_000_000_000 + (step % 7) * 500))
                .unwrap();
            assert!(id > last, "{id} after {last}");
            assert_eq!(id.get_version_num(), 7);
            last = id;
        }
        let next = Ids::after(last).next(Time::from_micros(0)).unwrap();
        assert!(next > last, "a restart goes on above the last id");
    }
}
