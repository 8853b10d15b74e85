//! Parameters: `$name`, `$@`, and the operators of `${…}`.
//!
//! Models subst.c of bash.

use std::rc::Rc;

use super::field::Builder;
use super::{Expander, Failure, Place, Reach, Stop};
use crate::pattern::Pattern;
use crate::quote;
use crate::syntax::ir::{Index, Param, ParamOp, ReplaceAt, Word};
use crate::syntax::name_length;
use crate::vars::{self, Value};

/// What a parameter holds.
#[derive(Debug, Clone)]
enum Values {
    Unset,
    One(Rc<str>),
    /// `$@` and `${a[@]}`; joined by the first character of IFS if `star`.
    Many {
        all: Vec<Rc<str>>,
        star: bool,
    },
}

/// Whether a parameter gives a field for each of its values even in quotes.
pub(super) fn is_at(param: &Param) -> bool {
    match param.op {
        ParamOp::Length => false,
        ParamOp::Names | ParamOp::Keys => matches!(param.index, Some(Index::At)),
        _ => &*param.name == "@" || matches!(param.index, Some(Index::At)),
    }
}

impl Expander<'_, '_> {
    pub(super) fn parameter(
        &mut self,
        param: &Param,
        quoted: bool,
        out: &mut Builder,
        place: Place,
    ) -> Result<(), Stop> {
        if param.op == ParamOp::Bad {
            let message = format!("${{{}}}: bad substitution", param.name);
            return Err(Stop::Fail(Failure::new(message)));
        }
        let values = self.values(param)?;
        if let ParamOp::Test(op, colon, word) = &param.op {
            return self.test(param, &values, (*op, *colon, word), quoted, out, place);
        }
        let values = self.apply(param, values)?;
        self.emit(values, quoted, out);
        Ok(())
    }

    fn emit(&mut self, values: Values, quoted: bool, out: &mut Builder) {
        match values {
            Values::Unset => {}
            Values::One(text) if quoted => out.quoted(&text),
            Values::One(text) => out.expanded(&text),
            Values::Many { all, star } if star && (quoted || !out.splits()) => {
                let joined = join_star(&all, out.ifs());
                if quoted {
                    out.quoted(&joined);
                } else {
                    out.expanded(&joined);
                }
            }
            Values::Many { all, .. } => {
                // Between separators that are no blanks an empty value is a field.
                let hard = out.ifs().chars().next().is_some_and(|c| !c.is_whitespace());
                for (at, text) in all.iter().enumerate() {
                    if at > 0 {
                        out.next_field();
                    }
                    if quoted || (hard && text.is_empty() && at + 1 < all.len()) {
                        out.quoted(text);
                    } else {
                        out.expanded(text);
                    }
                }
            }
        }
    }

    /// The parameter's values before any operator but indirection.
    fn values(&mut self, param: &Param) -> Result<Values, Stop> {
        match (&param.op, &param.index) {
            (ParamOp::Names, index) => {
                let names = self.state.vars.iter().map(|(name, _)| name.clone());
                let all = names
                    .filter(|name| name.starts_with(&*param.name))
                    .collect();
                return Ok(Values::Many {
                    all,
                    star: matches!(index, Some(Index::Star)),
                });
            }
            (ParamOp::Keys, index) => {
                let value = self.variable(&param.name);
                let all = value.map(|value| vars::keys(&value)).unwrap_or_default();
                return Ok(Values::Many {
                    all,
                    star: matches!(index, Some(Index::Star)),
                });
            }
            _ => {}
        }
        let values = self.lookup(&param.name, param.index.as_ref())?;
        if !param.indirect {
            return Ok(values);
        }
        let Values::One(target) = values else {
            let message = format!("{}: invalid indirect expansion", param.name);
            return Err(Stop::Fail(Failure::new(message)));
        };
        let length = name_length(&target);
        let (name, index) = target.split_at(if length == 0 { target.len() } else { length });
        match index
            .strip_prefix('[')
            .and_then(|index| index.strip_suffix(']'))
        {
            None => self.lookup(name, None),
            Some("@") => self.lookup(name, Some(&Index::At)),
            Some("*") => self.lookup(name, Some(&Index::Star)),
            Some(index) => self.lookup(name, Some(&Index::Expr(Word::literal(index)))),
        }
    }

    fn variable(&mut self, name: &str) -> Option<Value> {
        if let Some(value) = self.state.dynamic(name, self.sys) {
            return Some(value);
        }
        self.state
            .vars
            .get(name)
            .map(|variable| variable.value.clone())
    }

    fn lookup(&mut self, name: &str, index: Option<&Index>) -> Result<Values, Stop> {
        let state = &self.state;
        let one = |text: String| Ok(Values::One(text.into()));
        match name {
            "@" | "*" => {
                let star = name == "*";
                return Ok(Values::Many {
                    all: state.params.to_vec(),
                    star,
                });
            }
            "#" => return one(state.params.len().to_string()),
            "?" => return one(state.status.to_string()),
            "$" => return one(state.pid.0.to_string()),
            "-" => return one(state.options.letters()),
            "0" => return Ok(Values::One(state.arg0.clone())),
            "_" if state.vars.get("_").is_none() => {
                return Ok(Values::One(state.last_argument.clone()));
            }
            "!" => {
                return Ok(match state.last_background {
                    Some(pid) => Values::One(pid.0.to_string().into()),
                    None => Values::Unset,
                });
            }
            _ => {}
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            let position = name.parse::<usize>().unwrap_or(usize::MAX);
            let found = state.params.get(position.wrapping_sub(1));
            return Ok(found.map_or(Values::Unset, |text| Values::One(text.clone())));
        }
        let Some(value) = self.variable(name) else {
            return Ok(Values::Unset);
        };
        let found = match index {
            Some(Index::At) => {
                return Ok(Values::Many {
                    all: vars::elements(&value),
                    star: false,
                });
            }
            Some(Index::Star) => {
                return Ok(Values::Many {
                    all: vars::elements(&value),
                    star: true,
                });
            }
            Some(Index::Expr(word)) => {
                let index = self.index(&value, word)?;
                vars::element(&value, &index)
            }
            None => vars::element(&value, "0"),
        };
        Ok(found.map_or(Values::Unset, Values::One))
    }

    /// An index as the value wants it: a number, or a key.
    fn index(&mut self, value: &Value, word: &Word) -> Result<Rc<str>, Stop> {
        let text = self.single(word)?;
        if matches!(value, Value::Keyed(_)) {
            return Ok(text);
        }
        Ok(self.evaluate(&text)?.to_string().into())
    }

    /// The index of an assignment to `name`.
    pub fn index_for(&mut self, name: &str, word: &Word) -> Result<Rc<str>, Stop> {
        let value = self
            .state
            .vars
            .get(name)
            .map_or(Value::Unset, |v| v.value.clone());
        self.index(&value, word)
    }

    /// `-`, `=`, `?`, `+`.
    fn test(
        &mut self,
        param: &Param,
        values: &Values,
        (op, colon, word): (char, bool, &Word),
        quoted: bool,
        out: &mut Builder,
        place: Place,
    ) -> Result<(), Stop> {
        let present = match values {
            Values::Unset => false,
            Values::One(text) => !(colon && text.is_empty()),
            Values::Many { all, .. } => {
                !(all.is_empty() || colon && all.iter().all(|text| text.is_empty()))
            }
        };
        if op == '+' {
            return if present {
                self.operand(word, quoted, out, place)
            } else {
                Ok(())
            };
        }
        if present {
            self.emit(values.clone(), quoted, out);
            return Ok(());
        }
        match op {
            '-' => self.operand(word, quoted, out, place),
            '=' => {
                let text = self.single(word)?;
                let index = match &param.index {
                    Some(Index::Expr(index)) => Some(self.index_for(&param.name, index)?),
                    _ => None,
                };
                if name_length(&param.name) == 0 {
                    let message = format!("${}: cannot assign in this way", param.name);
                    return Err(Stop::Fail(Failure::new(message)));
                }
                self.state
                    .vars
                    .set_element(&param.name, index.as_deref(), text.clone(), false)?;
                self.emit(Values::One(text), quoted, out);
                Ok(())
            }
            _ => {
                let text = self.single(word)?;
                let default = if colon {
                    "parameter null or not set"
                } else {
                    "parameter not set"
                };
                let said = if text.is_empty() { default } else { &text };
                let message = format!("{}: {said}", param.name);
                Err(Stop::Fail(Failure {
                    message,
                    status: 127,
                    reach: Reach::Shell,
                }))
            }
        }
    }

    fn operand(
        &mut self,
        word: &Word,
        quoted: bool,
        out: &mut Builder,
        place: Place,
    ) -> Result<(), Stop> {
        if quoted {
            return self.double_quoted(&word.parts, out);
        }
        let place = if place == Place::Argument {
            Place::Operand
        } else {
            place
        };
        self.parts(&word.parts, out, place)
    }

    fn apply(&mut self, param: &Param, values: Values) -> Result<Values, Stop> {
        if matches!(values, Values::Unset) {
            if self.state.options.nounset {
                let message = format!("{}: unbound variable", param.name);
                return Err(Stop::Fail(Failure {
                    message,
                    status: 127,
                    reach: Reach::Shell,
                }));
            }
            if param.op != ParamOp::Length {
                return Ok(Values::Unset);
            }
        }
        match &param.op {
            ParamOp::Length => {
                let length = match values {
                    Values::Unset => 0,
                    Values::One(text) => text.chars().count(),
                    Values::Many { all, .. } => all.len(),
                };
                Ok(Values::One(length.to_string().into()))
            }
            ParamOp::Substring(offset, length) => {
                let offset = self.arithmetic(offset)?;
                let length = length
                    .as_ref()
                    .map(|word| self.arithmetic(word))
                    .transpose()?;
                self.substring(param, values, offset, length)
            }
            ParamOp::TrimPrefix(longest, word) => {
                let pattern = Pattern::new(&self.pattern(word)?);
                Ok(values.map(|text| trim_prefix(text, &pattern, *longest)))
            }
            ParamOp::TrimSuffix(longest, word) => {
                let pattern = Pattern::new(&self.pattern(word)?);
                Ok(values.map(|text| trim_suffix(text, &pattern, *longest)))
            }
            ParamOp::Replace { at, pattern, with } => {
                let pattern = Pattern::new(&self.pattern(pattern)?);
                let with = self.single(with)?;
                Ok(values.map(|text| replace(text, &pattern, &with, *at)))
            }
            ParamOp::Case {
                upper,
                all,
                pattern,
            } => {
                let pattern = self.pattern(pattern)?;
                let pattern = (!pattern.is_empty()).then(|| Pattern::new(&pattern));
                Ok(values.map(|text| change_case(text, *upper, *all, pattern.as_ref())))
            }
            ParamOp::Transform(op) => Ok(self.transform(param, values, *op)),
            _ => Ok(values),
        }
    }

    fn substring(
        &mut self,
        param: &Param,
        values: Values,
        offset: i64,
        length: Option<i64>,
    ) -> Result<Values, Stop> {
        let bounds = |count: usize| -> Option<(usize, usize)> {
            let count = i64::try_from(count).ok()?;
            let start = if offset < 0 { count + offset } else { offset };
            if start < 0 || start > count {
                return None;
            }
            let end = match length {
                None => count,
                Some(length) if length < 0 => count + length,
                Some(length) => start.saturating_add(length).min(count),
            };
            Some((
                usize::try_from(start).ok()?,
                usize::try_from(end).ok().filter(|e| *e as i64 >= start)?,
            ))
        };
        if let (Some(length), Values::One(text)) = (length, &values)
            && length < 0
            && bounds(text.chars().count()).is_none()
        {
            let message = format!("{length}: substring expression < 0");
            return Err(Stop::Fail(Failure::new(message)));
        }
        Ok(match values {
            Values::Many { mut all, star } => {
                // Positions count from 1; 0 is the shell's name.
                if matches!(&*param.name, "@" | "*") {
                    all.insert(0, self.state.arg0.clone());
                }
                let (start, end) = bounds(all.len()).unwrap_or((0, 0));
                Values::Many {
                    all: all[start..end].to_vec(),
                    star,
                }
            }
            other => other.map(|text| {
                let chars: Vec<char> = text.chars().collect();
                let (start, end) = bounds(chars.len()).unwrap_or((0, 0));
                chars[start..end].iter().collect::<String>().into()
            }),
        })
    }

    fn transform(&mut self, param: &Param, values: Values, op: char) -> Values {
        match op {
            'Q' => values.map(|text| quote::shell(text).into()),
            'U' => values.map(|text| text.to_uppercase().into()),
            'L' => values.map(|text| text.to_lowercase().into()),
            'u' => values.map(|text| change_case(text, true, false, None)),
            'E' => values.map(|text| crate::syntax::unescape_ansi(text).into()),
            'P' => values.map(|text| crate::prompt::expand(text, self.state, self.sys).into()),
            'a' => {
                let variable = self.state.vars.get(&param.name);
                let letters = variable
                    .map(crate::vars::Variable::letters)
                    .unwrap_or_default();
                Values::One(letters.into())
            }
            'A' => {
                let variable = self.state.vars.get(&param.name);
                let text = variable.map(|v| crate::vars::declaration(&param.name, v));
                text.map_or(Values::Unset, |text| Values::One(text.into()))
            }
            _ => values,
        }
    }
}

impl Values {
    fn map(self, change: impl Fn(&str) -> Rc<str>) -> Values {
        match self {
            Values::Unset => Values::Unset,
            Values::One(text) => Values::One(change(&text)),
            Values::Many { all, star } => Values::Many {
                all: all.iter().map(|text| change(text)).collect(),
                star,
            },
        }
    }
}

fn join_star(all: &[Rc<str>], ifs: &str) -> String {
    let separator = ifs.chars().next().map(String::from).unwrap_or_default();
    all.join(&separator)
}

fn trim_prefix(text: &str, pattern: &Pattern, longest: bool) -> Rc<str> {
    let chars: Vec<char> = text.chars().collect();
    match pattern.match_at(&chars, 0, longest) {
        Some(end) => chars[end..].iter().collect::<String>().into(),
        None => text.into(),
    }
}

fn trim_suffix(text: &str, pattern: &Pattern, longest: bool) -> Rc<str> {
    let chars: Vec<char> = text.chars().collect();
    let fits = |start: &usize| pattern.match_at(&chars, *start, true) == Some(chars.len());
    let mut starts = 0..=chars.len();
    let start = if longest {
        starts.find(fits)
    } else {
        starts.rev().find(fits)
    };
    match start {
        Some(start) => chars[..start].iter().collect::<String>().into(),
        None => text.into(),
    }
}

fn replace(text: &str, pattern: &Pattern, with: &str, at: ReplaceAt) -> Rc<str> {
    let chars: Vec<char> = text.chars().collect();
    if at == ReplaceAt::End {
        let fits = |start: &usize| pattern.match_at(&chars, *start, true) == Some(chars.len());
        return match (0..=chars.len()).find(fits) {
            Some(start) => format!("{}{with}", chars[..start].iter().collect::<String>()).into(),
            None => text.into(),
        };
    }
    let mut out = String::new();
    let mut place = 0;
    while place <= chars.len() {
        let found = pattern.match_at(&chars, place, true);
        let anchored = at == ReplaceAt::Start;
        match found.filter(|end| *end > place || anchored) {
            Some(end) => {
                out.push_str(with);
                place = end;
                if at != ReplaceAt::All {
                    break;
                }
            }
            None if anchored => break,
            None => {
                out.extend(chars.get(place));
                place += 1;
            }
        }
    }
    out.extend(chars.get(place..).unwrap_or_default());
    out.into()
}

fn change_case(text: &str, upper: bool, all: bool, pattern: Option<&Pattern>) -> Rc<str> {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        let fits =
            (all || at == 0) && pattern.is_none_or(|p| p.matches(c.encode_utf8(&mut [0; 4])));
        match (fits, upper) {
            (false, _) => out.push(c),
            (true, true) => out.extend(c.to_uppercase()),
            (true, false) => out.extend(c.to_lowercase()),
        }
    }
    out.into()
}
