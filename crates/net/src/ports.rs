//! The choice of a local port for a socket that asked for none.
//! Models net.ipv4.ip_local_port_range and inet_csk_find_open_port.

/// First port of the default range.
const LOW: u16 = 32768;
/// Last port of the default range.
const HIGH: u16 = 60999;
const COUNT: u16 = HIGH - LOW + 1;

/// Where a namespace begins to count, so that neighbours' ports look as different as real ones.
pub(crate) fn first(serial: u64) -> u16 {
    let scattered = serial.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    LOW + u16::try_from(scattered % u64::from(COUNT)).unwrap_or(0)
}

/// The next port from `*next` on that `is_free`; `None` if all are taken.
pub(crate) fn choose(next: &mut u16, mut is_free: impl FnMut(u16) -> bool) -> Option<u16> {
    for _ in 0..COUNT {
        let port = *next;
        *next = if port >= HIGH { LOW } else { port + 1 };
        if is_free(port) {
            return Some(port);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_in_range_and_wrap() {
        for serial in 0..1000 {
            assert!((LOW..=HIGH).contains(&first(serial)));
        }
        let mut next = HIGH;
        assert_eq!(choose(&mut next, |_| true), Some(HIGH));
        assert_eq!(choose(&mut next, |port| port != LOW), Some(LOW + 1));
        assert_eq!(choose(&mut next, |_| false), None);
    }
}
