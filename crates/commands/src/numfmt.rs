//! `numfmt`: numbers to and from what people read. Models coreutils src/numfmt.c.

use machine::Io;

use crate::args::{self, Args, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

tool!(
    "numfmt",
    "Convert numbers from/to human-readable strings",
    "numfmt [OPTION]... [NUMBER]...",
    main,
    [
        ("numfmt --to=iec 1048576", "1.0M\n"),
        ("numfmt --to=iec-i --suffix=B 2048", "2.0KiB\n"),
        ("numfmt --from=iec 4K", "4096\n"),
        ("numfmt --from=iec-i 2Gi", "2147483648\n"),
        ("numfmt --to=si 123456", "124K\n"),
        ("echo 'x 2048 y' | numfmt --field=2 --to=iec", "x 2.0K y\n"),
        ("numfmt abc", "numfmt: invalid number: ‘abc’\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('d', "delimiter"),
    value('\u{1}', "from"),
    value('\u{2}', "to"),
    value('\u{3}', "suffix"),
    value('\u{4}', "field"),
    value('\u{5}', "padding"),
    value('\u{6}', "header"),
];

const UNITS: &str = "KMGTPEZY";

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut lines: Vec<String> = args.operands.iter().map(|text| text.to_string()).collect();
    if lines.is_empty() {
        let text = slurp_text(&io, "-").await.unwrap_or_default();
        lines.extend(text.lines().map(str::to_owned));
    }
    let mut status = 0;
    for line in lines {
        match converted(&line, &args) {
            Ok(line) => io.print(&format!("{line}\n")).await,
            Err(why) => {
                complain(&io, &why).await;
                status = 2;
            }
        }
    }
    status
}

fn converted(line: &str, args: &Args) -> Result<String, String> {
    let field = args.value('\u{4}').map_or("1", |field| field);
    let field: usize = field
        .parse()
        .map_err(|_| format!("invalid field value ‘{field}’"))?;
    let delimiter = args.value('d').and_then(|text| text.chars().next());
    // Blanks before a field belong to it, so that columns stay where they are.
    let (mut at, mut start) = (1, 0);
    let mut in_word = false;
    let mut range = None;
    for (place, letter) in line.char_indices() {
        let ends = match delimiter {
            Some(own) => letter == own,
            None => letter == ' ' && in_word,
        };
        if ends {
            if at == field {
                range = Some((start, place));
                break;
            }
            at += 1;
            start = if delimiter.is_some() {
                place + 1
            } else {
                place
            };
            in_word = false;
        } else if letter != ' ' {
            in_word = true;
        }
    }
    if range.is_none() && at == field {
        range = Some((start, line.len()));
    }
    let Some((from, to)) = range else {
        return Ok(line.to_owned());
    };
    let text = line[from..to].trim();
    let blanks = &line[from..to][..line[from..to].len() - line[from..to].trim_start().len()];
    let shown = written(read(text, args)?, args);
    let width = args
        .value('\u{5}')
        .and_then(|width| width.parse::<i64>().ok());
    let shown = match width {
        Some(width) if width < 0 => format!("{shown:<0$}", width.unsigned_abs() as usize),
        Some(width) => format!("{shown:>0$}", width.unsigned_abs() as usize),
        None => shown,
    };
    Ok(format!("{}{blanks}{shown}{}", &line[..from], &line[to..]))
}

/// A number in thousandths.
fn read(text: &str, args: &Args) -> Result<i128, String> {
    let own = args.value('\u{3}').map_or("", |suffix| suffix);
    let text = text.strip_suffix(own).unwrap_or(text);
    let invalid = || format!("invalid number: ‘{text}’");
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !"-.".contains(c))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let thousandths = crate::bc::thousandths(digits).ok_or_else(invalid)?;
    let from = args.value('\u{1}').map_or("none", |from| from);
    let letter = unit.chars().next();
    let power = match letter {
        None => 0,
        Some(letter) => match UNITS.find(letter.to_ascii_uppercase()) {
            Some(at) if from != "none" => u32::try_from(at + 1).unwrap_or(0),
            Some(_) => {
                return Err(format!(
                    "rejecting suffix in input: ‘{text}’ (consider using --from)"
                ));
            }
            None => return Err(invalid()),
        },
    };
    let base: i128 = match (from, &unit[letter.map_or(0, char::len_utf8)..]) {
        ("si", "") => 1000,
        ("iec", "") | ("iec-i" | "auto", "i") => 1024,
        ("auto", "") => 1000,
        ("iec-i", "") if power == 0 => 1,
        ("none", "") => 1,
        ("iec-i", "") => {
            return Err(format!(
                "missing 'i' suffix in input: ‘{text}’ (e.g Ki/Mi/Gi)"
            ));
        }
        _ => return Err(format!("invalid suffix in input: ‘{text}’")),
    };
    thousandths.checked_mul(base.pow(power)).ok_or_else(invalid)
}

fn written(thousandths: i128, args: &Args) -> String {
    let suffix = args.value('\u{3}').map_or("", |suffix| suffix);
    let to = args.value('\u{2}').map_or("none", |to| to);
    let base: i128 = match to {
        "si" => 1000,
        "iec" | "iec-i" => 1024,
        _ => {
            let (whole, part) = (thousandths / 1000, thousandths % 1000);
            let digits = format!("{whole}.{:03}", part.abs());
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            return format!("{digits}{suffix}");
        }
    };
    let sign = if thousandths < 0 { "-" } else { "" };
    let value = thousandths.abs();
    let (mut power, mut scale) = (0, 1000);
    while value >= scale * base && power < UNITS.len() {
        scale *= base;
        power += 1;
    }
    // Away from zero; a decimal below ten.
    let up = |value: i128, scale: i128| (value + scale - 1) / scale;
    let tenths = up(value * 10, scale);
    let mut digits = match tenths < 100 && power > 0 {
        true => format!("{}.{}", tenths / 10, tenths % 10),
        false => up(value, scale).to_string(),
    };
    if up(value, scale) >= base && power < UNITS.len() {
        digits = "1.0".to_owned();
        power += 1;
    }
    let unit = match power {
        0 => "",
        power => &UNITS[power - 1..power],
    };
    let i = if to == "iec-i" && power > 0 { "i" } else { "" };
    format!("{sign}{digits}{unit}{i}{suffix}")
}
