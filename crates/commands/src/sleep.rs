//! `sleep`. Models coreutils src/sleep.c.

use machine::Io;
use sim::Duration;

use crate::help::tool;
use crate::io::{missing_operand, usage_error};

tool!(
    "sleep",
    "Delay for a specified amount of time",
    "sleep NUMBER[SUFFIX]...",
    main,
    [
        ("sleep 0.1; echo done", "done\n"),
        (
            "sleep x",
            "sleep: invalid time interval ‘x’\nTry 'sleep --help' for more information.\n"
        ),
    ]
);

async fn main(io: Io) -> i32 {
    let words = &io.args()[1..];
    if words.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mut total = Some(Duration::ZERO);
    for word in words {
        match interval(word) {
            Some(Span::Finite(span)) => total = total.map(|total| total.saturating_add(span)),
            Some(Span::Forever) => total = None,
            None => return usage_error(&io, &format!("invalid time interval ‘{word}’"), 1).await,
        }
    }
    match total {
        Some(total) => io.sleep(total).await,
        None => io.until(|_| None::<()>).await,
    }
    0
}

/// How long to wait.
pub(crate) enum Span {
    /// So long.
    Finite(Duration),
    /// `infinity`, or longer than a clock counts.
    Forever,
}

/// `5`, `0.5`, `2m`, `1h`, `1d`, `infinity`.
pub(crate) fn interval(text: &str) -> Option<Span> {
    if matches!(text, "infinity" | "inf") {
        return Some(Span::Forever);
    }
    let (number, unit) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1),
        'm' => (&text[..text.len() - 1], 60),
        'h' => (&text[..text.len() - 1], 3600),
        'd' => (&text[..text.len() - 1], 86_400),
        _ => (text, 1u64),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: String = part.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u64 = part.parse().ok()?;
    let all = u128::from(whole) * 1_000_000_000 + u128::from(nanos);
    let Ok(all) = u64::try_from(all * u128::from(unit)) else {
        return Some(Span::Forever);
    };
    // A year is longer than any world.
    let span = Duration::from_nanos(all);
    Some(if span.as_secs() > 31_536_000 * 10 {
        Span::Forever
    } else {
        Span::Finite(span)
    })
}
