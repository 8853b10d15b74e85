//! Types that read themselves: quantities, times, numbers that may be strings.
//! Models the UnmarshalJSON methods of apimachinery.

use super::{Decoder, Out};
use crate::quantity::{Quantity, QuantityError};
use crate::schema::Special;
use crate::{Value, go};

const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
const RFC3339_MICRO: &str = "2006-01-02T15:04:05.000000Z07:00";

impl Decoder<'_> {
    pub(super) fn special(&mut self, special: Special, value: &Value) -> Out {
        match special {
            Special::Quantity => self.quantity(value),
            Special::Time => self.time(value, RFC3339),
            Special::MicroTime => self.time(value, RFC3339_MICRO),
            Special::IntOrString => self.int_or_string(value),
            Special::Struct | Special::Raw => Out::Same,
        }
    }

    fn quantity(&mut self, value: &Value) -> Out {
        let read = match value {
            Value::Str(text) => Quantity::parse(text.trim()),
            other => Quantity::of(other).ok_or(QuantityError::Format),
        };
        match read {
            // Amounts are kept to the thousandth, as the defaulting of resource lists has it.
            Ok(quantity) => match quantity.round_up_milli().to_string() {
                text if text == value.as_str() => Out::Same,
                text => Out::New(Value::from(text)),
            },
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn fail(&mut self, error: String) -> Out {
        self.fatal.get_or_insert(error);
        Out::Same
    }

    fn int_or_string(&mut self, value: &Value) -> Out {
        match value {
            Value::Str(_) => Out::Same,
            Value::Int(n) if i32::try_from(*n).is_ok() => Out::Same,
            Value::Int(_) | Value::Float(_) => {
                let error = self.type_error(&format!("number {value}"), "int32");
                self.fail(error)
            }
            other => {
                let error = self.type_error(other.type_name(), "int32");
                self.fail(error)
            }
        }
    }

    fn time(&mut self, value: &Value, layout: &str) -> Out {
        let Value::Str(text) = value else {
            let error = self.type_error(value.type_name(), "string");
            return self.fail(error);
        };
        let Some((secs, nanos)) = sim::parse_unix(text) else {
            return self.fail(time_error(text, layout));
        };
        if is_canonical(text, layout) {
            return Out::Same;
        }
        let mut canonical = sim::Civil::from_unix(secs).rfc3339();
        if layout == RFC3339_MICRO {
            canonical.pop();
            canonical.push_str(&format!(".{:06}Z", nanos / 1000));
        }
        if canonical == text.as_str() {
            Out::Same
        } else {
            Out::New(Value::from(canonical))
        }
    }
}

/// Whether a time that could be read is written as it would be written back: in UTC, with as many
/// decimals as the layout has.
fn is_canonical(text: &str, layout: &str) -> bool {
    let length = if layout == RFC3339_MICRO { 27 } else { 20 };
    text.len() == length && text.as_bytes()[10] == b'T' && text.ends_with('Z')
}

/// Go's sentence for a text that is no time: where it stops to fit the layout, or what is out of
/// range.
fn time_error(text: &str, layout: &str) -> String {
    let quoted = go::quote(text);
    let elements = [
        ("2006", 4),
        ("-", 0),
        ("01", 2),
        ("-", 0),
        ("02", 2),
        ("T", 0),
        ("15", 2),
        (":", 0),
    ];
    let elements = elements.into_iter().chain([("04", 2), (":", 0), ("05", 2)]);
    let mut rest = text;
    for (element, digits) in elements {
        let fits = match digits {
            0 => rest.starts_with(element),
            n => rest.len() >= n && rest.bytes().take(n).all(|b| b.is_ascii_digit()),
        };
        if !fits {
            let rest = go::quote(rest);
            let layout = go::quote(layout);
            return format!(
                "parsing time {quoted} as {layout}: cannot parse {rest} as \"{element}\""
            );
        }
        let (found, after) = rest.split_at(digits.max(1));
        let number: u32 = found.parse().unwrap_or(1);
        let range = match element {
            "01" if !(1..=12).contains(&number) => "month",
            "02" if !(1..=31).contains(&number) => "day",
            "15" if number > 23 => "hour",
            "04" if number > 59 => "minute",
            "05" if number > 59 => "second",
            _ => "",
        };
        if !range.is_empty() {
            return format!("parsing time {quoted}: {range} out of range");
        }
        rest = after;
    }
    let digits = rest.strip_prefix('.').map_or(0, |part| {
        1 + part.bytes().take_while(u8::is_ascii_digit).count()
    });
    let rest = go::quote(&rest[digits..]);
    format!(
        "parsing time {quoted} as {}: cannot parse {rest} as \"Z07:00\"",
        go::quote(layout)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_none() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            assert_eq!(time_error(text, RFC3339), want);
        }
        let layout = "\"2006-01-02T15:04:05Z07:00\"";
        check(
            "x",
            &format!("parsing time \"x\" as {layout}: cannot parse \"x\" as \"2006\""),
        );
        check(
            "2026-01-05",
            &format!("parsing time \"2026-01-05\" as {layout}: cannot parse \"\" as \"T\""),
        );
        check(
            "2026-01-05T09:00:00",
            &format!(
                "parsing time \"2026-01-05T09:00:00\" as {layout}: cannot parse \"\" as \"Z07:00\""
            ),
        );
        check(
            "2026-13-05T09:00:00Z",
            "parsing time \"2026-13-05T09:00:00Z\": month out of range",
        );
    }
}
