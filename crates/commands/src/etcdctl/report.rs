//! What etcd's tools print: tables, sizes, durations, lines of their log.
//!
//! Models github.com/olekukonko/tablewriter, github.com/dustin/go-humanize and go.uber.org/zap.

use api::Value;
use machine::Io;
use sim::Duration;

/// A table with a head in capitals; cells stand right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let bars: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let edge = format!("+{}+\n", bars.join("+"));
    let titles = head.iter().zip(&widths);
    let titles = titles.map(|(title, width)| format!(" {title:^width$} "));
    let titles: Vec<String> = titles.collect();
    let mut text = format!("{edge}|{}|\n{edge}", titles.join("|").to_uppercase());
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!(" {cell:>width$} "));
        text.push_str(&format!("|{}|\n", cells.collect::<Vec<_>>().join("|")));
    }
    if !rows.is_empty() {
        text.push_str(&edge);
    }
    text
}

/// A size as people read it: `25 kB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut unit, mut base) = (0, 1u64);
    while bytes / base >= 1000 && unit + 1 < units.len() {
        (unit, base) = (unit + 1, base * 1000);
    }
    let tenths = (bytes * 20 + base) / (2 * base);
    if tenths < 100 {
        return format!("{}.{} {}", tenths / 10, tenths % 10, units[unit]);
    }
    // A half goes to the even side, as Go rounds it.
    let whole = tenths / 10;
    let up = match tenths % 10 {
        5 => whole % 2,
        rest => u64::from(rest > 5),
    };
    format!("{} {}", whole + up, units[unit])
}

/// A duration as Go prints it: `12.827341ms`.
pub(crate) fn duration(span: Duration) -> String {
    let nanos = span.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let digits = match unit {
        1 => 0,
        1_000 => 3,
        1_000_000 => 6,
        _ => 9,
    };
    if digits == 0 {
        return format!("{nanos}ns");
    }
    let text = format!("{}.{:0digits$}", nanos / unit, nanos % unit);
    format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A text in quotation marks, as in JSON.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_json()
}

/// A line of the tool's log on standard error. `fields` are names and values that are JSON already.
pub(crate) async fn log(
    io: &Io,
    level: &str,
    place: &str,
    message: &str,
    fields: &[(&str, String)],
) {
    let at = io.now().await.rfc3339_micro();
    // Who speaks stands before the place, where it is not the command itself.
    let (logger, caller) = match place.split_once(' ') {
        Some((logger, caller)) => (format!("\"logger\":\"{logger}\","), caller),
        None => (String::new(), place),
    };
    let mut line = format!(
        "{{\"level\":\"{level}\",\"ts\":\"{at}\",{logger}\"caller\":\"{caller}\",\"msg\":{}",
        quoted(message)
    );
    for (name, value) in fields {
        line.push_str(&format!(",\"{name}\":{value}"));
    }
    io.eprint(&format!("{line}}}\n")).await;
}

/// Last words on standard error; gives the exit code back.
pub(crate) async fn fail(io: &Io, code: i32, why: &str) -> i32 {
    io.eprint(&format!("Error: {why}\n")).await;
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_gos() {
        let sizes = [
            (5, "5 B"),
            (20_480, "20 kB"),
            (24_576, "25 kB"),
            (5_300_000, "5.3 MB"),
            (2_147_483_648, "2.1 GB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
        let spans = [
            (12_827_341, "12.827341ms"),
            (250_000, "250µs"),
            (5_000_000_000, "5s"),
        ];
        for (nanos, text) in spans {
            assert_eq!(duration(Duration::from_nanos(nanos)), text);
        }
    }

    /// As etcdctl 3.5.1 printed them.
    #[test]
    fn tables_are_set_as_recorded() {
        let row = ["f4863646", "8", "16", "20 kB"].map(str::to_owned).to_vec();
        assert_eq!(
            table(&["hash", "revision", "total keys", "total size"], &[row]),
            "+----------+----------+------------+------------+\n\
             |   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |\n\
             +----------+----------+------------+------------+\n\
             | f4863646 |        8 |         16 |      20 kB |\n\
             +----------+----------+------------+------------+\n"
        );
        let row = ["https://127.0.0.1:2379", "true", "10.989443ms", ""];
        let row = row.map(str::to_owned).to_vec();
        assert_eq!(
            table(&["endpoint", "health", "took", "error"], &[row]),
            "+------------------------+--------+-------------+-------+\n\
             |        ENDPOINT        | HEALTH |    TOOK     | ERROR |\n\
             +------------------------+--------+-------------+-------+\n\
             | https://127.0.0.1:2379 |   true | 10.989443ms |       |\n\
             +------------------------+--------+-------------+-------+\n"
        );
    }
}
