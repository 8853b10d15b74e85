//! What differs between two runs of the real system itself, replaced by a word for it. This list is
//! all that is forgiven:
//!
//! 1. uids, resource versions, container ids, digests of images and certificates, numbers of temporary
//!    files,
//! 2. times, ages where a table or a list of events has them, and the minute that is in the name of a
//!    CronJob's Job,
//! 3. generated names: hashes of templates and the five letters behind them,
//! 4. addresses that are given out, node ports, the address of the API server,
//! 5. progress lines of a rollout, the order of events, that of rows with generated names or
//!    addresses, and that of the endpoints of a slice,
//! 6. the width of columns whose contents vary so,
//! 7. how long a pull took and how large the image is,
//! 8. what nginx says when it starts: the runtime behind the recordings ran no nginx.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Letters of generated names: no vowels, nothing to be taken for another.
/// Source: k8s.io/apimachinery/pkg/util/rand.
macro_rules! letters {
    () => {
        "[bcdfghjklmnpqrstvwxz2456789]"
    };
}

/// An expression and what stands for whatever it finds.
type Rule = (&'static str, &'static str);

const RULES: &[Rule] = &[
    (
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "<uid>",
    ),
    ("(containerd://|start exec \")[0-9a-f]{64}", "${1}<id>"),
    // The head of a line of klog: time and process.
    (
        "\\b([IWEF])[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6} +[0-9]+ ",
        "${1}<time> <pid> ",
    ),
    ("\\bmilliseconds=[0-9]+", "milliseconds=<age>"),
    ("(sha256:|X509SHA256=)[0-9a-f]{64}", "${1}<digest>"),
    ("/tmp/(LIVE|MERGED)-[0-9]+", "/tmp/${1}-<number>"),
    (
        "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)? \\+0000( UTC)?",
        "<time>",
    ),
    (
        "(resourceVersion[\\\\]?\"?: ?[\\\\]?\"?|resource-version=)[0-9]+",
        "${1}<version>",
    ),
    (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|\\+00:00)",
        "<time>",
    ),
    (
        "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} \\+0000",
        "<time>",
    ),
    ("-29[0-9]{6}\\b", "-<minute>"),
    // A pod of a Deployment, its ReplicaSet, any other generated name.
    (
        concat!("-", letters!(), "{8,10}-", letters!(), "{5}\\b"),
        "-<hash>-<name>",
    ),
    (
        concat!("-(", letters!(), "{8,10}|", letters!(), "{5})\\b"),
        "-<name>",
    ),
    (
        concat!("(pod-template-hash\"?[=:] ?\"?)", letters!(), "{8,10}"),
        "${1}<hash>",
    ),
    (
        concat!(
            "(controller-revision-hash\"?[=:] ?\"?)([a-z0-9-]+-)?",
            letters!(),
            "{8,10}"
        ),
        "${1}${2}<hash>",
    ),
    (
        "https://(127\\.0\\.0\\.1|172\\.30\\.1\\.2):6443",
        "https://<server>",
    ),
    ("\\b(127\\.0\\.0\\.1|172\\.30\\.1\\.2):6443", "<server>"),
    ("\\b10\\.244\\.[0-9]+\\.[0-9]+\\b", "<pod-ip>"),
    (
        "\\b10\\.(9[7-9]|10[0-9]|11[01])\\.[0-9]+\\.[0-9]+\\b",
        "<service-ip>",
    ),
    (
        "\\b10\\.96\\.([1-9][0-9]*\\.[0-9]+|0\\.([2-9]|1[1-9]|[2-9][0-9]|[12][0-9][0-9]))\\b",
        "<service-ip>",
    ),
    (":3[0-2][0-9]{3}/(TCP|UDP|SCTP)", ":<node-port>/${1}"),
    (
        "([nN]odePort\"?: *)((<unset>|[a-z0-9-]+)  +)?3[0-2][0-9]{3}",
        "${1}${2}<node-port>",
    ),
    ("/tmp/kubectl-(edit-)?[0-9]+", "/tmp/kubectl-${1}<number>"),
    (
        "(Successfully pulled image \"[^\"]*\") in .*Image size: [0-9]+ bytes",
        "${1}",
    ),
];

static COMPILED: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let compile = |(expression, word): &Rule| {
        let expression = Regex::new(expression).expect("the rules are sound");
        (expression, *word)
    };
    RULES.iter().map(compile).collect()
});

/// An age: `5s`, `2m10s`, `3d4h`.
static AGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(<invalid>|([0-9]+(ms|[smhdy]))+|<unknown>)$").expect("it is sound")
});

/// The text without what varies.
#[must_use]
pub fn normal(text: &str) -> String {
    let mut text = text.to_owned();
    for (expression, word) in COMPILED.iter() {
        text = expression.replace_all(&text, *word).into_owned();
    }
    let lines = text
        .lines()
        .filter(|line| !is_progress(line) && !is_nginx(line));
    let mut columns: Option<Vec<usize>> = None;
    let mut events: Option<usize> = None;
    let mut done: Vec<String> = Vec::new();
    for line in lines {
        if let Some(start) = events.filter(|_| !line.starts_with("  ")) {
            done[start..].sort();
            events = None;
        }
        let cells: Vec<&str> = split(line);
        if is_heading(&cells) {
            columns = Some(ages(&cells));
        } else if cells.len() < 2 {
            columns = None;
        }
        done.push(match &columns {
            Some(ages) => aged(&cells, ages),
            None => cells.join("  "),
        });
        if line.trim_start().starts_with("Type  ") || line.contains("LAST SEEN") {
            events = Some(done.len());
        }
    }
    if let Some(start) = events {
        let end = done.len();
        done[start.min(end)..].sort();
    }
    sort_generated(&mut done);
    sort_endpoints(&mut done);
    let mut joined = done.join("\n");
    if text.ends_with('\n') && !joined.is_empty() {
        joined.push('\n');
    }
    joined
}

/// Neighbours whose names are generated, or addresses that were given out, stand in any order.
fn sort_generated(lines: &mut [String]) {
    let is_generated = |line: &String| {
        let first = line.split("  ").find(|cell| !cell.is_empty());
        first.is_some_and(|cell| {
            cell.ends_with("-<name>") || cell == "<service-ip>" || cell.starts_with("10.96.0.1")
        })
    };
    for run in lines.chunk_by_mut(|a, b| is_generated(a) && is_generated(b)) {
        run.sort();
    }
}

/// The endpoints of a slice stand in any order: upstream goes through a map.
fn sort_endpoints(lines: &mut [String]) {
    let is_head = |line: &String| line.trim_start().starts_with("- Addresses:");
    let depth = |line: &String| line.len() - line.trim_start().len();
    let Some(start) = lines.iter().position(is_head) else {
        return;
    };
    let outer = depth(&lines[start]);
    let within = |line: &&String| is_head(line) || depth(line) > outer;
    let count = lines[start..].iter().take_while(within).count();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    for line in &lines[start..start + count] {
        match blocks.last_mut() {
            Some(block) if !is_head(line) => block.push(line.clone()),
            _ => blocks.push(vec![line.clone()]),
        }
    }
    blocks.sort();
    for (line, sorted) in lines[start..].iter_mut().zip(blocks.into_iter().flatten()) {
        *line = sorted;
    }
}

fn is_progress(line: &str) -> bool {
    line.starts_with("Waiting for deployment ")
        || line.starts_with("Waiting for daemon set ")
        || line.starts_with("Waiting for rollout to finish")
        || line.starts_with("Waiting for ") && line.ends_with(" pods to be ready...")
        || line.starts_with("partitioned roll out complete")
}

/// What the image's entry point and nginx itself log, with the prefix of `logs --prefix` or without.
fn is_nginx(line: &str) -> bool {
    let line = match line.split_once("] ") {
        Some((prefix, line)) if prefix.starts_with("[pod/") => line,
        _ => line,
    };
    let entry = [
        "/docker-entrypoint.sh: ",
        "10-listen-on-ipv6-by-default.sh: ",
    ];
    let stamped = line.as_bytes().first().is_some_and(u8::is_ascii_digit);
    entry.iter().any(|start| line.starts_with(start))
        || stamped
            && line
                .get(19..)
                .is_some_and(|line| line.starts_with(" [notice] "))
}

/// A line's cells, with what it begins with; two spaces or more stand between them.
fn split(line: &str) -> Vec<&str> {
    let body = line.trim_start_matches(' ');
    let indent = line.len() - body.len();
    let mut cells = vec![&line[..indent]];
    cells.extend(
        body.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty()),
    );
    cells
}

/// A table's first line: words in capitals, or the dashes below them.
fn is_heading(cells: &[&str]) -> bool {
    let words = &cells[1..];
    let capitals = |cell: &&str| {
        cell.bytes().any(|byte| byte.is_ascii_uppercase())
            && !cell.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    words.len() > 1 && (words.iter().all(capitals) || words.starts_with(&["Type", "Reason", "Age"]))
}

const AGES: [&str; 7] = [
    "AGE",
    "Age",
    "LAST SEEN",
    "FIRST SEEN",
    "DURATION",
    "LAST SCHEDULE",
    "TIMESTAMP",
];

/// The columns that hold ages.
fn ages(heading: &[&str]) -> Vec<usize> {
    let is_age = |(_, cell): &(usize, &&str)| AGES.contains(*cell);
    let found = heading.iter().enumerate().filter(is_age);
    found.map(|(at, _)| at).collect()
}

/// A row with its ages replaced. Cells may be empty, so whatever looks like an age counts where the
/// table has ages at all.
fn aged(cells: &[&str], ages: &[usize]) -> String {
    let cell = |text: &&str| {
        if ages.is_empty() {
            return (*text).to_owned();
        }
        if AGE.is_match(text) {
            return "<age>".to_owned();
        }
        // 3s (x2 over 5s), 1 (4s ago)
        match text.split_once(" (") {
            Some((first, rest)) if AGE.is_match(first) || rest.ends_with(" ago)") => {
                let first = if AGE.is_match(first) { "<age>" } else { first };
                match rest.split_once(" over ") {
                    Some((times, _)) => format!("{first} ({times} over <age>)"),
                    None => format!("{first} (<age> ago)"),
                }
            }
            _ => (*text).to_owned(),
        }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, same: bool) {
        let (a, b) = (normal(a), normal(b));
        assert_eq!(a == b, same, "{a}\n{b}");
    }

    #[test]
    fn what_varies_is_forgiven() {
        check(
            "NAME              READY   AGE\nweb-5dcd9bdcdf-4jtx5   1/1   5s\n",
            "NAME   READY   AGE\nweb-7957885594-qnh82   1/1     2m10s\n",
            true,
        );
        check(
            "uid: 287951af-86e1-47d6-bb57-d8317751a4ad",
            "uid: 00000000-86e1-47d6-bb57-d8317751a4ad",
            true,
        );
        check(
            "at 2026-11-21T01:34:02Z\n",
            "at 2026-01-05T09:00:00Z\n",
            true,
        );
        check("podIP: 10.244.1.2\n", "podIP: 10.244.2.7\n", true);
    }

    #[test]
    fn whatever_else_differs_is_told() {
        check(
            "NAME   READY   AGE\nweb   1/1   5s\n",
            "NAME   READY   AGE\nweb   0/1   5s\n",
            false,
        );
        check(
            "deployment.apps/web created\n",
            "deployment.apps/web configured\n",
            false,
        );
        check("timeout: 5s\n", "timeout: 10s\n", false);
        check("10.96.0.1\n", "10.96.0.10\n", false);
        check("a\n", "a", false);
    }
}
