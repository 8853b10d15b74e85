//! What curl tells of a transfer: the progress table and the format of `-w`.
//! Models lib/progress.c and src/tool_writeout.c.

use std::rc::Rc;

use machine::{Fd, Io};
use sim::Duration;

/// Facts of a transfer. Times count from its start.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// The last status; 0 before there was one.
    pub(super) code: u16,
    /// The address of the last request.
    pub(super) url: Rc<str>,
    /// Where a redirect that was not followed leads.
    pub(super) redirect: Rc<str>,
    /// Redirects followed.
    pub(super) redirects: u32,
    /// `Content-Type`.
    pub(super) content_type: Rc<str>,
    /// The method of the last request.
    pub(super) method: Rc<str>,
    /// `HTTP`, `HTTPS`.
    pub(super) scheme: Rc<str>,
    /// `1.1` or `2`; `0` before there was an answer.
    pub(super) version: Rc<str>,
    /// The other side.
    pub(super) remote: Option<std::net::SocketAddrV4>,
    /// This side.
    pub(super) local: Option<std::net::SocketAddrV4>,
    /// Connections made.
    pub(super) connects: u32,
    /// Bytes of body received.
    pub(super) received: u64,
    /// Bytes of body announced.
    pub(super) expected: Option<u64>,
    /// Bytes of body sent.
    pub(super) sent: u64,
    /// Bytes of heads received and sent.
    pub(super) head: u64,
    /// Bytes of the request.
    pub(super) request: u64,
    /// When the name was resolved.
    pub(super) lookup: Duration,
    /// When the connection stood.
    pub(super) connect: Duration,
    /// When it was secured.
    pub(super) secured: Duration,
    /// When the request went out.
    pub(super) pretransfer: Duration,
    /// When the first byte came.
    pub(super) first: Duration,
    /// When it was over.
    pub(super) total: Duration,
    /// What redirects took.
    pub(super) redirecting: Duration,
}

/// The title of the progress table.
pub(super) const TITLE: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n";

/// A line of the progress table, from the carriage return on.
pub(super) fn line(report: &Report) -> String {
    let Report { received, sent, .. } = *report;
    let download = report.expected.unwrap_or(received);
    let total = download + sent;
    let percent = |part: u64, whole: u64| (part * 100).checked_div(whole).unwrap_or(0);
    let micros = u64::try_from(report.total.as_micros())
        .unwrap_or(u64::MAX)
        .max(1);
    let speed = |bytes: u64| bytes.saturating_mul(1_000_000) / micros;
    let seconds = report.total.as_secs();
    let whole = match total {
        0 => 0,
        total => total * seconds / (received + sent).max(1),
    };
    format!(
        "\r{:3} {}  {:3} {}  {:3} {}  {}  {} {} {} {} {}",
        percent(received + sent, total),
        amount(total),
        report
            .expected
            .map_or(0, |expected| percent(received, expected)),
        amount(received),
        percent(sent, sent),
        amount(sent),
        amount(speed(received)),
        amount(speed(sent)),
        clock(whole),
        clock(seconds),
        clock(whole.saturating_sub(seconds)),
        amount(speed(received + sent)),
    )
}

/// Five characters for a number of bytes.
fn amount(bytes: u64) -> String {
    const K: u64 = 1024;
    const M: u64 = K * K;
    match bytes {
        0..100_000 => format!("{bytes:5}"),
        _ if bytes < 10_000 * K => format!("{:4}k", bytes / K),
        _ if bytes < 100 * M => format!("{:2}.{}M", bytes / M, bytes % M / (M / 10)),
        _ if bytes < 10_000 * M => format!("{:4}M", bytes / M),
        _ => format!("{:4}G", bytes / (K * M)),
    }
}

fn clock(seconds: u64) -> String {
    match seconds {
        0 => "--:--:--".to_owned(),
        _ => format!(
            "{:2}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

/// Prints what `-w` asks for.
pub(super) async fn write_out(io: &Io, format: &str, report: &Report, code: i32, message: &str) {
    let mut out = Fd::STDOUT;
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        text.push_str(&rest[..at]);
        let here = &rest[at..];
        if let Some((name, after)) = here
            .strip_prefix("%{")
            .and_then(|rest| rest.split_once('}'))
        {
            match name {
                "stderr" | "stdout" => {
                    io.write_all(out, text.as_bytes()).await;
                    text.clear();
                    out = if name == "stderr" {
                        Fd::STDERR
                    } else {
                        Fd::STDOUT
                    };
                }
                "onerror" if code == 0 => {
                    rest = "";
                    break;
                }
                "onerror" => {}
                name => match variable(name, report, code, message) {
                    Some(value) => text.push_str(&value),
                    None => {
                        let why = format!("curl: unknown --write-out variable: '{name}'\n");
                        io.eprint(&why).await;
                    }
                },
            }
            rest = after;
            continue;
        }
        let mut chars = here.chars();
        match (chars.next(), chars.next()) {
            (Some('%'), Some('%')) => text.push('%'),
            (Some('\\'), Some('n')) => text.push('\n'),
            (Some('\\'), Some('t')) => text.push('\t'),
            (Some('\\'), Some('r')) => text.push('\r'),
            (first, second) => text.extend(first.into_iter().chain(second)),
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    io.write_all(out, text.as_bytes()).await;
}

fn variable(name: &str, report: &Report, code: i32, message: &str) -> Option<String> {
    let seconds = |span: Duration| Some(format!("{}.{:06}", span.as_secs(), span.subsec_micros()));
    let micros = u64::try_from(report.total.as_micros())
        .unwrap_or(u64::MAX)
        .max(1);
    match name {
        "http_code" | "response_code" => Some(format!("{:03}", report.code)),
        "http_connect" => Some("000".to_owned()),
        "http_version" => Some(report.version.to_string()),
        "url" | "url_effective" => Some(report.url.to_string()),
        "redirect_url" => Some(report.redirect.to_string()),
        "num_redirects" => Some(report.redirects.to_string()),
        "num_connects" => Some(report.connects.to_string()),
        "num_headers" => Some("0".to_owned()),
        "content_type" => Some(report.content_type.to_string()),
        "method" => Some(report.method.to_string()),
        "scheme" => Some(report.scheme.to_string()),
        "remote_ip" => Some(
            report
                .remote
                .map_or(String::new(), |addr| addr.ip().to_string()),
        ),
        "remote_port" => Some(report.remote.map_or(0, |addr| addr.port()).to_string()),
        "local_ip" => Some(
            report
                .local
                .map_or(String::new(), |addr| addr.ip().to_string()),
        ),
        "local_port" => Some(report.local.map_or(0, |addr| addr.port()).to_string()),
        "size_download" => Some(report.received.to_string()),
        "size_upload" => Some(report.sent.to_string()),
        "size_header" => Some(report.head.to_string()),
        "size_request" => Some(report.request.to_string()),
        "speed_download" => Some((report.received.saturating_mul(1_000_000) / micros).to_string()),
        "speed_upload" => Some((report.sent.saturating_mul(1_000_000) / micros).to_string()),
        "ssl_verify_result" => Some("0".to_owned()),
        "time_namelookup" => seconds(report.lookup),
        "time_connect" => seconds(report.connect),
        "time_appconnect" => seconds(report.secured),
        "time_pretransfer" => seconds(report.pretransfer),
        "time_starttransfer" => seconds(report.first),
        "time_redirect" => seconds(report.redirecting),
        "time_total" => seconds(report.total),
        "exitcode" => Some(code.to_string()),
        "errormsg" => Some(message.to_owned()),
        "filename_effective" => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_its_columns() {
        let mut report = Report::default();
        let nothing =
            "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
        assert_eq!(line(&report), nothing);
        report.received = 615;
        report.expected = Some(615);
        report.total = Duration::from_millis(2);
        let all =
            "\r100   615  100   615    0     0   300k      0 --:--:-- --:--:-- --:--:--  300k";
        assert_eq!(line(&report), all);
    }

    #[test]
    fn amounts_have_five_characters() {
        for bytes in [0, 99_999, 100_000, 10_240_000, 104_857_600, 20_000_000_000] {
            assert_eq!(amount(bytes).len(), 5, "{bytes}");
        }
    }
}
