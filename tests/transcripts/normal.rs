//! What depends on the moment or on chance, taken out of what was printed, so that a story changes
//! only when the cluster acts differently. Columns are set anew afterwards.

use regex_lite::Regex;

/// What is replaced wherever it stands, in this order.
const RULES: [(&str, &str); 17] = [
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "<uid>",
    ),
    (r"containerd://[0-9a-f]{64}", "containerd://<id>"),
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (
        r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d \+0000",
        "<time>",
    ),
    // Times in names of directories, the numbers of temporary ones, and the head of a log's line.
    (r"20\d\d(-\d\d){5}", "<time>"),
    (r"(-manifests)\d+", "$1<number>"),
    (
        r"^([IWE])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ",
        "$1<time> <pid> ",
    ),
    // The five letters behind the name of a ReplicaSet, and behind other generated names.
    (
        r"(-[0-9a-f]{8,10})-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "$1-*****",
    ),
    (
        r"\b(kube-proxy)-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "$1-*****",
    ),
    (
        r"\b(kube-api-access)-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "$1-*****",
    ),
    // etcd's client names a place in its memory and says how long it waited.
    (
        r"etcd-endpoints://0x[0-9a-f]+",
        "etcd-endpoints://<address>",
    ),
    (r"took( = |\W+)\d+(\.\d+)?(ms|µs|s)\b", "took$1<span>"),
    // How large etcd's database is, and how much has happened in it, changes with whatever else does.
    (r"\| [0-9a-f]{8} \|", "| ******** |"),
    (r"\b\d{3} kB\b", "*** kB"),
    (r" \d{3} \|", " *** |"),
    (r"\b10\.244\.(\d+)\.\d+\b", "10.244.$1.*"),
    (r"\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b", "10.96.*.*"),
];

/// The services that always have the same address.
const FIXED: [&str; 2] = ["10.96.0.1", "10.96.0.10"];

/// Cells of these columns tell how long ago something was.
const AGES: [&str; 4] = ["AGE", "Age", "LAST SEEN", "DURATION"];

pub(crate) fn normalise(text: &str) -> String {
    let blocks: Vec<String> = text.split("\n\n").map(block).collect();
    blocks.join("\n\n")
}

/// Lines without an empty line between them: a table from the line on that looks like its head.
fn block(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let head = lines.iter().position(|line| is_head(line));
    let (before, table) = lines.split_at(head.unwrap_or(lines.len()));
    let mut found: Vec<String> = before.iter().map(|line| plain(line)).collect();
    if !table.is_empty() {
        found.extend(set(table));
    }
    found.join("\n")
}

fn plain(line: &str) -> String {
    let mut line = line.to_owned();
    for (index, fixed) in FIXED.iter().enumerate() {
        line = replace(
            &line,
            &format!(r"\b{}\b", fixed.replace('.', r"\.")),
            &format!("<{index}>"),
        );
    }
    for (pattern, replacement) in RULES {
        line = replace(&line, pattern, replacement);
    }
    for (index, fixed) in FIXED.iter().enumerate() {
        line = line.replace(&format!("<{index}>"), fixed);
    }
    replace(&line, r"\((\d+[smhd])+ ago\)", "(<age> ago)")
}

fn replace(line: &str, pattern: &str, replacement: &str) -> String {
    Regex::new(pattern)
        .expect("a pattern")
        .replace_all(line, replacement)
        .into_owned()
}

/// `NAME   READY   STATUS`, and the events of `kubectl describe`.
fn is_head(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && !word.contains(|c: char| c.is_ascii_lowercase())
    };
    (words.len() > 1 && words.iter().all(is_name) && line.contains("  "))
        || words.starts_with(&["Type", "Reason", "Age", "From", "Message"])
}

/// Where the columns begin, in characters: behind two blanks or more, and a tab.
fn columns(head: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut blanks = 2;
    for (at, c) in head.chars().enumerate() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        if blanks >= 2 {
            starts.push(at);
        }
        blanks = 0;
    }
    starts
}

/// A table whose cells are normalised, three blanks between its columns.
fn set(lines: &[&str]) -> Vec<String> {
    let starts = columns(lines[0]);
    let indent = starts.first().copied().unwrap_or(0);
    let cut = |line: &str| -> Vec<String> {
        let chars: Vec<char> = line.chars().collect();
        let cell = |index: usize| {
            let from = starts[index].min(chars.len());
            let to = starts
                .get(index + 1)
                .copied()
                .unwrap_or(chars.len())
                .min(chars.len());
            chars[from..to]
                .iter()
                .collect::<String>()
                .trim_end()
                .to_owned()
        };
        (0..starts.len()).map(cell).collect()
    };
    let head = cut(lines[0]);
    let normal = |(column, cell): (usize, &String)| {
        let is_age =
            AGES.contains(&&*head[column]) && cell.starts_with(|c: char| c.is_ascii_digit());
        if is_age {
            "<age>".to_owned()
        } else {
            plain(cell)
        }
    };
    // A line that is no row keeps its shape: the blanks of its cells are part of a sentence.
    let is_row = |line: &str| !line.is_empty() && line.len() > indent;
    let rows: Vec<Option<Vec<String>>> = lines
        .iter()
        .map(|line| is_row(line).then(|| cut(line).iter().enumerate().map(normal).collect()))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().flatten().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..starts.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!(
            "{}{}",
            " ".repeat(indent),
            cells.collect::<Vec<_>>().join("   ")
        )
        .trim_end()
        .to_owned()
    };
    let rows = rows.iter().zip(lines);
    rows.map(|(row, plain)| row.as_ref().map_or((*plain).to_owned(), line))
        .collect()
}

#[test]
fn chance_and_time_are_taken_out() {
    let cases = [
        (
            "pod/web-7b46c4b544-x2zcd created\n",
            "pod/web-7b46c4b544-***** created\n",
        ),
        (
            "pod/web-7b46c4b544 created\n",
            "pod/web-7b46c4b544 created\n",
        ),
        (
            "http://10.96.0.1:443 10.96.0.17 10.105.3.9\n",
            "http://10.96.0.1:443 10.96.*.* 10.96.*.*\n",
        ),
        ("back-off 10s restarting\n", "back-off 10s restarting\n"),
        (
            "NAME   READY   AGE    IP\na      1/1     5m1s   10.244.1.23\nbb     0/1     9s     <none>\n",
            "NAME   READY   AGE     IP\na      1/1     <age>   10.244.1.*\nbb     0/1     <age>   <none>\n",
        ),
        (
            "NAME   READY   STATUS    RESTARTS      AGE\na      1/1     Running   3 (12s ago)   60s\n",
            "NAME   READY   STATUS    RESTARTS        AGE\na      1/1     Running   3 (<age> ago)   <age>\n",
        ),
        (
            "Events:\n  Type    Reason   Age                From     Message\n  ----    ------   ----               ----     -------\n  Normal  Pulled   3s (x2 over 20s)   kubelet  Pulled\n",
            "Events:\n  Type     Reason   Age     From      Message\n  ----     ------   ----    ----      -------\n  Normal   Pulled   <age>   kubelet   Pulled\n",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(normalise(text), expected);
    }
}
