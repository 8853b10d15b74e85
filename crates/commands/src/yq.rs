//! `yq`: jq's filters over YAML. Models mikefarah's yq 4 as far as its expressions are those of jq.
//! Comments and the order of keys are not kept.

use std::rc::Rc;

use api::{Value, yaml};
use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{slurp_text, usage_error};
use crate::jq::apply;

tool!(
    "yq",
    "Process YAML documents",
    "yq [eval|eval-all] [-i] [-r] [-o FORMAT] EXPRESSION [FILE]...",
    main,
    [
        ("printf 'a: 1\\nb: [v, w]\\n' | yq .b", "- v\n- w\n"),
        (
            "printf 'a: 1\\n' | yq '.a = 2 | .c = \"z\"'",
            "a: 2\nc: z\n"
        ),
        (
            "printf 'a: {b: 1}\\n' > f; yq -i '.a.b = 5' f; cat f",
            "a:\n  b: 5\n"
        ),
        ("printf 'a: 1\\n---\\na: x\\n' | yq .a", "1\n---\nx\n"),
        ("printf 'a: 1\\n' | yq -o json", "{\n  \"a\": 1\n}\n"),
        ("echo '{\"a\": [1]}' | yq -P", "a:\n- 1\n"),
        (
            "yq .a nope",
            "Error: open nope: no such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('i', "inplace"),
    flag('r', "unwrapScalar"),
    flag('P', "prettyPrint"),
    flag('e', "exit-status"),
    flag('n', "null-input"),
    flag('N', "no-doc"),
    flag('C', "colors"),
    flag('M', "no-colors"),
    flag('y', "yaml-output"),
    flag('V', "version"),
    value('o', "output-format"),
    value('p', "input-format"),
    value('I', "indent"),
    flag('j', "tojson"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('V') {
        io.print("yq (https://github.com/mikefarah/yq/) version v4.44.3\n")
            .await;
        return 0;
    }
    let mut operands = args.operands.clone();
    if operands
        .first()
        .is_some_and(|word| matches!(&**word, "e" | "eval" | "ea" | "eval-all"))
    {
        operands.remove(0);
    }
    let is_file = |word: &Rc<str>| {
        word.ends_with(".yaml") || word.ends_with(".yml") || word.ends_with(".json")
    };
    let expression: Rc<str> = match operands.first() {
        Some(word) if !is_file(word) => operands.remove(0),
        _ => ".".into(),
    };
    let paths = match operands.is_empty() {
        true => vec!["-".into()],
        false => operands,
    };
    let format = match args.has('j') {
        true => "json",
        false => args.value('o').map_or("yaml", |format| format),
    };
    let mut all = Vec::new();
    for path in paths {
        let shown = match worked(&io, &path, &expression, args.has('n')).await {
            Ok(values) => values,
            Err(why) => {
                io.eprint(&format!("Error: {why}\n")).await;
                return 1;
            }
        };
        if args.has('i') {
            let text = written(&shown, format);
            if let Err(errno) = io.write_file(&path, text.as_bytes()).await {
                io.eprint(&format!(
                    "Error: open {path}: {}\n",
                    errno.message().to_lowercase()
                ))
                .await;
                return 1;
            }
            continue;
        }
        all.extend(shown);
    }
    if !args.has('i') {
        io.print(&written(&all, format)).await;
    }
    let nothing = all
        .iter()
        .all(|(_, value)| value.is_null() || *value == Value::Bool(false));
    i32::from(args.has('e') && nothing)
}

/// What a filter gives for each document of a file, with the document's number.
async fn worked(
    io: &Io,
    path: &str,
    filter: &str,
    alone: bool,
) -> Result<Vec<(usize, Value)>, String> {
    let mut documents = vec![Value::default()];
    if !alone {
        let text = slurp_text(io, path).await;
        let text =
            text.map_err(|errno| format!("open {path}: {}", errno.message().to_lowercase()))?;
        let parsed = yaml::parse_all_v3(&text);
        let parsed = parsed.map_err(|error| format!("bad file '{path}': yaml: {error}"))?;
        documents = parsed.into_iter().map(|document| document.value).collect();
    }
    let mut out = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        for text in apply(io, filter, &document.to_json()).await? {
            let value = Value::from_json(text.as_bytes()).map_err(|error| error.to_string())?;
            out.push((number, value));
        }
    }
    Ok(out)
}

fn written(values: &[(usize, Value)], format: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for (number, value) in values {
        if before.is_some_and(|before| before != *number) && format != "json" {
            out.push_str("---\n");
        }
        before = Some(*number);
        let text = match (format, value) {
            ("json" | "j", value) => value.to_json_indented("  "),
            (_, Value::Str(text)) => text.to_string(),
            (_, Value::Null) => "null".to_owned(),
            (_, value) => yaml::to_string(value),
        };
        out.push_str(text.trim_end_matches('\n'));
        out.push('\n');
    }
    out
}
