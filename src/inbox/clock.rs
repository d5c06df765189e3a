//! `Moment`: now, on both clocks. Ages are measured on the first, which never jumps; dates are taken from the second.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Now, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The monotonic clock.
    pub instant: Instant,
    /// The wall clock.
    pub wall: Timestamp,
}

impl Moment {
    /// Reads both clocks.
    pub fn now() -> Moment {
        Moment {
            instant: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// How long ago `time_ns` (nanoseconds since 1970) was by the wall clock; nothing if it is yet to come.
    pub(super) fn age_of(&self, time_ns: i128) -> Duration {
        let age_ns = self.wall.as_nanosecond().saturating_sub(time_ns);
        Duration::from_nanos(u64::try_from(age_ns.max(0)).unwrap_or(u64::MAX))
    }
}
