//! Spans of time as people write them: `30s`, `1m30s`, `500ms`.

use sim::Duration;

/// Reads hours, minutes, seconds and milliseconds, each at most once, in this order.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let units = [("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1000)];
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, millis) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        if millis >= last {
            return None;
        }
        last = millis;
        rest = &rest[unit.len()..];
        total = total.checked_add(number.checked_mul(millis)?)?;
    }
    (last != u64::MAX).then(|| Duration::from_millis(total))
}

/// As people write it: `1m30s`.
pub(crate) fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s"), (millis, "ms")];
    let shown = parts.iter().filter(|(number, _)| *number > 0);
    let text: String = shown
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print() {
        let cases = [
            ("30s", Some(30_000), "30s"),
            ("1m30s", Some(90_000), "1m30s"),
            ("90s", Some(90_000), "1m30s"),
            ("500ms", Some(500), "500ms"),
            ("1h", Some(3_600_000), "1h"),
            ("0s", Some(0), "0s"),
            ("", None, ""),
            ("30", None, ""),
            ("s", None, ""),
            ("5s1m", None, ""),
            ("-5s", None, ""),
            ("99999999999999999999s", None, ""),
        ];
        for (text, millis, shown) in cases {
            let read = parse(text);
            assert_eq!(read, millis.map(Duration::from_millis), "{text}");
            if let Some(read) = read {
                assert_eq!(show(read), shown);
            }
        }
    }
}
