//! `expr`: evaluates an expression of words. Models coreutils src/expr.c, without `:` and the
//! functions of strings beyond `length`.

use std::rc::Rc;

use machine::Io;

use crate::help::tool;
use crate::io::complain;

tool!(
    "expr",
    "Evaluate expressions",
    "expr EXPRESSION",
    main,
    [
        ("expr 1 + 2", "3\n"),
        ("expr 2 \\* \\( 3 + 4 \\)", "14\n"),
        ("expr 7 % 3 = 1", "1\n"),
        ("expr length abc", "3\n"),
        ("expr 0; echo $?", "0\n1\n"),
        ("expr 1 / 0; echo $?", "expr: division by zero\n2\n"),
    ]
);

/// Operators by how tightly they bind, loosest first.
const LEVELS: [&[&str]; 5] = [
    &["|"],
    &["&"],
    &["<", "<=", "=", "==", "!=", ">=", ">"],
    &["+", "-"],
    &["*", "/", "%"],
];

async fn main(io: Io) -> i32 {
    let words = io.args()[1..].to_vec();
    if words.is_empty() {
        return crate::io::missing_operand(&io, 2).await;
    }
    let mut reader = Reader { words, at: 0 };
    let value = match reader.level(0) {
        Ok(_) if reader.at < reader.words.len() => Err(format!(
            "syntax error: unexpected argument ‘{}’",
            reader.words[reader.at]
        )),
        result => result,
    };
    match value {
        Ok(value) => {
            io.print(&format!("{value}\n")).await;
            i32::from(is_null(&value))
        }
        Err(why) => {
            complain(&io, &why).await;
            2
        }
    }
}

fn is_null(value: &str) -> bool {
    value.is_empty() || value.parse() == Ok(0i64)
}

struct Reader {
    words: Vec<Rc<str>>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Rc<str>> {
        let word = self.words.get(self.at).cloned();
        self.at += usize::from(word.is_some());
        word
    }

    fn level(&mut self, level: usize) -> Result<String, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.single();
        };
        let mut left = self.level(level + 1)?;
        while let Some(word) = self.words.get(self.at).cloned() {
            if !operators.contains(&&*word) {
                break;
            }
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(&left, &word, &right)?;
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<String, String> {
        let missing = || "syntax error: missing argument".to_owned();
        let word = self.next().ok_or_else(missing)?;
        match &*word {
            "(" => {
                let value = self.level(0)?;
                match self.next().as_deref() {
                    Some(")") => Ok(value),
                    _ => Err("syntax error: expecting ')'".to_owned()),
                }
            }
            "length" => Ok(self.single()?.chars().count().to_string()),
            _ => Ok(word.to_string()),
        }
    }
}

fn apply(left: &str, operator: &str, right: &str) -> Result<String, String> {
    let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
    let order = match numbers {
        Some((a, b)) => a.cmp(&b),
        None => left.cmp(right),
    };
    let truth = match operator {
        "|" if !is_null(left) => return Ok(left.to_owned()),
        "|" if !is_null(right) => return Ok(right.to_owned()),
        "&" if !is_null(left) && !is_null(right) => return Ok(left.to_owned()),
        "|" | "&" => false,
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        "=" | "==" => order.is_eq(),
        "!=" => order.is_ne(),
        ">=" => order.is_ge(),
        ">" => order.is_gt(),
        _ => return calculate(numbers, operator),
    };
    Ok(i32::from(truth).to_string())
}

fn calculate(numbers: Option<(i64, i64)>, operator: &str) -> Result<String, String> {
    let (a, b) = numbers.ok_or("non-integer argument")?;
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        _ if b == 0 => return Err("division by zero".to_owned()),
        "/" => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    let result = result.ok_or("Numerical result out of range")?;
    Ok(result.to_string())
}
