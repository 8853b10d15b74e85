//! How far virtual time may run by the wall's clock. Knows no world.

use crate::protocol::Speed;

/// A world that falls behind by more than this does not try to catch up: a tab that slept, or a
/// cluster too big for the speed.
const BEHIND_MS: f64 = 250.0;

/// Pacing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    speed: Speed,
    /// A moment of the wall (ms) and of the world (ns) that belong together.
    anchor: Option<(f64, u64)>,
}

impl Pace {
    /// Runs at this speed from now on.
    pub fn new(speed: Speed) -> Pace {
        Pace {
            speed,
            anchor: None,
        }
    }

    /// The speed.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Until when the world, which is at `world_ns`, may run when the wall's clock shows `wall_ms`;
    /// none while it stands still.
    pub fn until(&mut self, wall_ms: f64, world_ns: u64) -> Option<u64> {
        let times = match self.speed {
            Speed::Paused => {
                self.anchor = None;
                return None;
            }
            Speed::Max => return Some(u64::MAX),
            Speed::Times(times) => f64::from(times),
        };
        let ns_a_ms = 1e6 * times;
        let (wall, world) = *self.anchor.get_or_insert((wall_ms, world_ns));
        let until = world + ((wall_ms - wall).max(0.0) * ns_a_ms) as u64;
        let behind = (BEHIND_MS * ns_a_ms) as u64;
        if until > world_ns + behind {
            self.anchor = Some((wall_ms, world_ns + behind));
            return Some(world_ns + behind);
        }
        Some(until)
    }

    /// In how many milliseconds to come back when the next event is `ahead_ns` away.
    pub fn wait_ms(&self, ahead_ns: u64) -> u32 {
        const LEAST: f64 = 4.0;
        const MOST: f64 = 100.0;
        match self.speed {
            Speed::Times(times) => (ahead_ns as f64 / 1e6 / f64::from(times))
                .clamp(LEAST, MOST)
                .ceil() as u32,
            Speed::Paused | Speed::Max => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_world_runs_with_the_wall() {
        let mut pace = Pace::new(Speed::Times(10));
        assert_eq!(pace.until(5000.0, 7 * MS), Some(7 * MS));
        assert_eq!(pace.until(5016.0, 7 * MS), Some(167 * MS));
        assert_eq!(pace.until(5032.0, 167 * MS), Some(327 * MS));
    }

    #[test]
    fn a_world_far_behind_does_not_catch_up() {
        let mut pace = Pace::new(Speed::Times(1));
        pace.until(0.0, 0);
        assert_eq!(pace.until(60_000.0, MS), Some(251 * MS));
        assert_eq!(pace.until(60_010.0, 251 * MS), Some(261 * MS));
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(Speed::Paused);
        assert_eq!(pace.until(0.0, MS), None);
        pace = Pace::new(Speed::Times(1));
        assert_eq!(pace.until(90_000.0, MS), Some(MS));
    }

    #[test]
    fn waiting_is_short_and_rare() {
        let pace = Pace::new(Speed::Times(1));
        assert_eq!(
            [0, 20 * MS, 5000 * MS].map(|ahead| pace.wait_ms(ahead)),
            [4, 20, 100]
        );
        assert_eq!(Pace::new(Speed::Times(10)).wait_ms(200 * MS), 20);
    }
}
