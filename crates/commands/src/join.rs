//! `join`: lines of two sorted files that agree in a field. Models coreutils src/join.c.

use std::cmp::Ordering;

use machine::Io;

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, missing_operand, slurp_text, usage_error};

tool!(
    "join",
    "Join lines of two files on a common field",
    "join [OPTION]... FILE1 FILE2",
    main,
    [
        (
            "printf '1 a\\n2 b\\n' > x; printf '1 c\\n3 d\\n' > y; join x y",
            "1 a c\n"
        ),
        (
            "printf '1 a\\n2 b\\n' > x; printf '1 c\\n3 d\\n' > y; join -a1 -a2 -e - -o 0,1.2,2.2 x y",
            "1 a c\n2 b -\n3 - d\n"
        ),
        (
            "printf 'a,1\\n' > x; printf '1,z\\n' > y; join -t, -1 2 -2 1 x y",
            "1,a,z\n"
        ),
        (
            "printf '1 a\\n2 b\\n' > x; printf '1 c\\n' > y; join -v1 x y",
            "2 b\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('1', ""),
    value('2', ""),
    value('j', ""),
    value('a', ""),
    value('v', ""),
    value('e', ""),
    value('o', ""),
    value('t', ""),
    flag('i', "ignore-case"),
    flag('\u{1}', "nocheck-order"),
    flag('\u{2}', "header"),
];

/// How lines are taken apart and put together.
struct Plan {
    separator: Option<char>,
    keys: [usize; 2],
    empty: String,
    fold: bool,
    /// The file and field of each column, file 0 for the common field.
    columns: Option<Vec<(usize, usize)>>,
}

type Row = Vec<String>;

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let [left, right] = &args.operands[..] else {
        return missing_operand(&io, 1).await;
    };
    let plan = match Plan::read(&args) {
        Ok(plan) => plan,
        Err(message) => {
            complain(&io, &message).await;
            return 1;
        }
    };
    let mut sides = Vec::new();
    for path in [left, right] {
        match slurp_text(&io, path).await {
            Ok(text) => sides.push(text.lines().map(|line| plan.split(line)).collect()),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let told = |letter, side: &str| args.values(letter).any(|value| &**value == side);
    let alone = ["1", "2"].map(|side| told('a', side) || told('v', side));
    let (right, left): (Vec<Row>, Vec<Row>) = (
        sides.pop().unwrap_or_default(),
        sides.pop().unwrap_or_default(),
    );
    let text = plan.joined(&left, &right, alone, args.has('v'));
    io.print(&text).await;
    0
}

impl Plan {
    fn read(args: &Args) -> Result<Plan, String> {
        let field = |letter| match args.value(letter).or_else(|| args.value('j')) {
            None => Ok(1),
            Some(text) => match text.parse() {
                Ok(number) if number > 0usize => Ok(number),
                _ => Err(format!("invalid field number: ‘{text}’")),
            },
        };
        let columns = args.value('o').filter(|format| &***format != "auto");
        let column = |text: &str| match text.split_once('.') {
            None if text == "0" => Ok((0, 0)),
            Some((file @ ("1" | "2"), field)) => {
                let file = if file == "1" { 1 } else { 2 };
                let field = field.parse().ok().filter(|field| *field > 0usize);
                Ok((
                    file,
                    field.ok_or(format!("invalid field number: ‘{text}’"))?,
                ))
            }
            _ => Err(format!("invalid file number in field spec: ‘{text}’")),
        };
        let words = |format: &std::rc::Rc<str>| -> Result<Vec<_>, String> {
            format.split([',', ' ']).map(column).collect()
        };
        Ok(Plan {
            separator: args.value('t').and_then(|text| text.chars().next()),
            keys: [field('1')?, field('2')?],
            empty: args
                .value('e')
                .map_or_else(String::new, |text| text.to_string()),
            fold: args.has('i'),
            columns: columns.map(words).transpose()?,
        })
    }

    fn split(&self, line: &str) -> Row {
        match self.separator {
            Some(separator) => line.split(separator).map(str::to_owned).collect(),
            None => line.split_whitespace().map(str::to_owned).collect(),
        }
    }

    fn key(&self, row: &Row, side: usize) -> String {
        let key = row.get(self.keys[side] - 1).cloned().unwrap_or_default();
        if self.fold { key.to_lowercase() } else { key }
    }

    /// Walks both sides in step; of equal keys each line of one meets each of the other.
    fn joined(&self, left: &[Row], right: &[Row], alone: [bool; 2], only: bool) -> String {
        let mut out = String::new();
        let (mut a, mut b) = (0, 0);
        while a < left.len() || b < right.len() {
            let order = match (left.get(a), right.get(b)) {
                (Some(one), Some(other)) => self.key(one, 0).cmp(&self.key(other, 1)),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            match order {
                Ordering::Less => {
                    if alone[0] {
                        self.line(&mut out, Some(&left[a]), None);
                    }
                    a += 1;
                }
                Ordering::Greater => {
                    if alone[1] {
                        self.line(&mut out, None, Some(&right[b]));
                    }
                    b += 1;
                }
                Ordering::Equal => {
                    let key = self.key(&left[a], 0);
                    let same = |rows: &[Row], side: usize| {
                        let same = rows.iter().take_while(|row| self.key(row, side) == key);
                        same.count()
                    };
                    let (ones, others) = (same(&left[a..], 0), same(&right[b..], 1));
                    for one in &left[a..a + ones] {
                        for other in &right[b..b + others] {
                            if !only {
                                self.line(&mut out, Some(one), Some(other));
                            }
                        }
                    }
                    (a, b) = (a + ones, b + others);
                }
            }
        }
        out
    }

    fn line(&self, out: &mut String, one: Option<&Row>, other: Option<&Row>) {
        let sides = [one, other];
        let cell = |side: usize, field: usize| {
            let cell = sides[side].and_then(|row| row.get(field - 1));
            cell.filter(|text| !text.is_empty()).unwrap_or(&self.empty)
        };
        let common = || {
            let side = usize::from(one.is_none());
            cell(side, self.keys[side])
        };
        let cells: Vec<&String> = match &self.columns {
            Some(columns) => {
                let cell = |(file, field): &(usize, usize)| match file {
                    0 => common(),
                    file => cell(file - 1, *field),
                };
                columns.iter().map(cell).collect()
            }
            None => {
                let rest = (0..2).flat_map(|side| {
                    let fields = sides[side].into_iter().flatten().enumerate();
                    let others = fields.filter(move |(at, _)| at + 1 != self.keys[side]);
                    others.map(|(_, text)| text)
                });
                std::iter::once(common()).chain(rest).collect()
            }
        };
        let separator = self.separator.unwrap_or(' ').to_string();
        let cells: Vec<&str> = cells.into_iter().map(String::as_str).collect();
        out.push_str(&cells.join(&separator));
        out.push('\n');
    }
}
