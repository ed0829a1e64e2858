//! How many requests a credential may make, where that is configured. Unless it is, the ledger's queue sheds load.

use crate::error::ApiError;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// Counts requests by credential. It holds as many entries as there are credentials, since only good ones are counted.
pub struct Limiter {
    clock: DefaultClock,
    limiter: DefaultKeyedRateLimiter<String>,
}

impl Limiter {
    /// Allows this many requests a second, and as many at once.
    #[must_use]
    pub fn per_second(requests: NonZeroU32) -> Self {
        Self {
            clock: DefaultClock::default(),
            limiter: RateLimiter::keyed(Quota::per_second(requests)),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] when it is one too many.
    pub fn count(&self, credential: &str) -> Result<(), ApiError> {
        self.limiter
            .check_key(&credential.to_owned())
            .map_err(|not_until| {
                let wait = not_until.wait_time_from(self.clock.now());
                ApiError::RateLimited {
                    retry_after_seconds: u32::try_from(wait.as_secs())
                        .unwrap_or(u32::MAX)
                        .saturating_add(1),
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use std::num::NonZeroU32;

    #[test]
    fn each_credential_has_its_own_count() {
        let limiter = Limiter::per_second(NonZeroU32::MIN);
        assert!(limiter.count("a").is_ok());
        assert!(limiter.count("a").is_err());
        assert!(limiter.count("b").is_ok());
    }
}
