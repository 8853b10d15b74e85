//! Running an awk program's code on a stack of its own. Nothing here waits: what needs the outside
//! (another record, a command's output) stops with a request, and goes on once it is answered.

use std::collections::BTreeMap;
use std::rc::Rc;

use shell::printf;
use shell::regex::Regex;
use sim::Stream;

use super::ast::Redirect;
use super::compile::{Code, Op, Target};
use super::value::Value;

/// What the program needs from outside.
#[derive(Debug)]
pub(super) enum Request {
    /// It has ended this piece of code.
    Done,
    /// `getline`: the next record of the input, a file or a command.
    Line(Reading),
    /// `system(command)`
    System(Rc<str>),
    /// `close(name)`
    Close(Rc<str>),
    /// Output gathered must be written before the program goes on.
    Flush,
}

/// What `getline` reads from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    Input,
    File(Rc<str>),
    Command(Rc<str>),
}

/// Something printed.
#[derive(Debug, Clone)]
pub(super) struct Printed {
    pub(super) to: Option<(Redirect, Rc<str>)>,
    pub(super) text: String,
}

/// How a piece of code ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Normally,
    Next,
    Exit,
}

type Array = BTreeMap<Rc<str>, Value>;

/// A variable or an array, global or local.
#[derive(Debug, Clone)]
enum Cell {
    Value(Value),
    Array(usize),
}

#[derive(Debug)]
struct Frame {
    return_to: usize,
    stack: usize,
    locals: Vec<Cell>,
}

/// A program under way.
pub(super) struct Vm {
    code: Rc<Code>,
    at: usize,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    globals: Vec<Cell>,
    arrays: Vec<Array>,
    loops: Vec<(Vec<Rc<str>>, usize)>,
    record: Rc<str>,
    fields: Vec<Value>,
    split: bool,
    stale: bool,
    regexes: BTreeMap<Rc<str>, Regex>,
    random: Stream,
    seed: f64,
    ranges: Vec<bool>,
    pub(super) printed: Vec<Printed>,
    pub(super) exit: i32,
    pub(super) ended: Ended,
    pub(super) now: i64,
    steps: u64,
}

/// Instructions after which a program is taken to run for ever.
const MAX_STEPS: u64 = 200_000_000;
/// Calls inside each other.
const MAX_CALLS: usize = 2000;

impl Vm {
    pub(super) fn new(code: Rc<Code>, now: i64) -> Vm {
        let globals = vec![Cell::Value(Value::Nothing); code.globals.len()];
        let ranges = vec![false; code.ranges];
        let mut vm = Vm {
            code,
            at: 0,
            stack: Vec::new(),
            frames: Vec::new(),
            globals,
            arrays: Vec::new(),
            loops: Vec::new(),
            record: "".into(),
            fields: Vec::new(),
            split: true,
            stale: false,
            regexes: BTreeMap::new(),
            random: Stream::new(0, "awk"),
            seed: 0.0,
            ranges,
            printed: Vec::new(),
            exit: 0,
            ended: Ended::Normally,
            now,
            steps: 0,
        };
        for (name, text) in [
            ("FS", " "),
            ("OFS", " "),
            ("ORS", "\n"),
            ("RS", "\n"),
            ("SUBSEP", "\x1c"),
            ("CONVFMT", "%.6g"),
            ("OFMT", "%.6g"),
        ] {
            vm.set_global(name, Value::Text(text.into()));
        }
        vm.set_global("RSTART", Value::Number(0.0));
        vm.set_global("RLENGTH", Value::Number(-1.0));
        vm
    }

    fn global(&self, name: &str) -> Option<&Value> {
        let index = self.code.globals.iter().position(|own| &**own == name)?;
        match &self.globals[index] {
            Cell::Value(value) => Some(value),
            Cell::Array(_) => None,
        }
    }

    /// The text of a global variable, or a default where the program never names it.
    pub(super) fn text_of(&self, name: &str, default: &str) -> Rc<str> {
        self.global(name)
            .map_or_else(|| default.into(), |value| value.text("%.6g"))
    }

    pub(super) fn number_of(&self, name: &str) -> f64 {
        self.global(name).map_or(0.0, Value::number)
    }

    pub(super) fn set_global(&mut self, name: &str, value: Value) {
        if let Some(index) = self.code.globals.iter().position(|own| &**own == name) {
            self.globals[index] = Cell::Value(value);
        }
    }

    /// Fills a global array.
    pub(super) fn set_array(&mut self, name: &str, pairs: Vec<(String, Value)>) {
        if let Some(index) = self.code.globals.iter().position(|own| &**own == name) {
            let array = self.new_array();
            self.arrays[array] = pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect();
            self.globals[index] = Cell::Array(array);
        }
    }

    fn new_array(&mut self) -> usize {
        self.arrays.push(Array::new());
        self.arrays.len() - 1
    }

    /// Begins a piece of code.
    pub(super) fn begin(&mut self, at: usize) {
        self.at = at;
        self.stack.clear();
        self.frames.clear();
        self.loops.clear();
        self.ended = Ended::Normally;
    }

    /// A new record.
    pub(super) fn set_record(&mut self, text: &str) {
        self.record = text.into();
        self.split = false;
        self.stale = false;
    }

    /// Counts a record of the main input.
    pub(super) fn count_record(&mut self) {
        for name in ["NR", "FNR"] {
            let next = self.number_of(name) + 1.0;
            self.set_global(name, Value::Number(next));
        }
    }

    /// Answers `getline`: 1 and the line, 0 at the end, -1 on error.
    pub(super) fn answer_line(&mut self, line: Option<&str>, failed: bool) {
        let code = match (line, failed) {
            (_, true) => -1.0,
            (Some(_), _) => 1.0,
            (None, _) => 0.0,
        };
        self.stack.push(line.map_or(Value::Nothing, Value::input));
        self.stack.push(Value::Number(code));
    }

    pub(super) fn answer(&mut self, value: f64) {
        self.stack.push(Value::Number(value));
    }

    fn convfmt(&self) -> Rc<str> {
        self.text_of("CONVFMT", "%.6g")
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(Value::Nothing)
    }

    fn pop_text(&mut self) -> Rc<str> {
        let format = self.convfmt();
        self.pop().text(&format)
    }

    fn pop_number(&mut self) -> f64 {
        self.pop().number()
    }

    fn cell(&mut self, target: Target) -> &mut Cell {
        match target {
            Target::Global(index) => &mut self.globals[index],
            Target::Local(index) => {
                let frame = self.frames.last_mut().expect("a local lives in a function");
                &mut frame.locals[index]
            }
        }
    }

    fn array(&mut self, target: Target) -> Result<usize, String> {
        match self.cell(target) {
            Cell::Array(index) => Ok(*index),
            Cell::Value(Value::Nothing) => {
                let index = self.new_array();
                *self.cell(target) = Cell::Array(index);
                Ok(index)
            }
            Cell::Value(_) => Err("can't use a scalar as an array".to_owned()),
        }
    }

    fn load(&mut self, target: Target) -> Result<Value, String> {
        if let Target::Global(index) = target
            && index == self.code.nf
        {
            self.split_record()?;
            return Ok(Value::Number(self.fields.len() as f64));
        }
        match self.cell(target) {
            Cell::Value(value) => Ok(value.clone()),
            Cell::Array(_) => Err("can't use an array as a scalar".to_owned()),
        }
    }

    fn store(&mut self, target: Target, value: Value) -> Result<(), String> {
        if let Target::Global(index) = target
            && index == self.code.nf
        {
            self.split_record()?;
            let count = value.number().max(0.0) as usize;
            self.fields
                .resize(count.min(100_000), Value::Text("".into()));
            self.stale = true;
            return Ok(());
        }
        match self.cell(target) {
            Cell::Value(own) => {
                *own = value;
                Ok(())
            }
            Cell::Array(_) => Err("can't use an array as a scalar".to_owned()),
        }
    }

    fn regex(&mut self, text: &Rc<str>) -> Result<Regex, String> {
        if let Some(regex) = self.regexes.get(text) {
            return Ok(regex.clone());
        }
        let regex = Regex::extended(text, false)
            .map_err(|message| format!("regular expression compile failed ({message})\n{text}"))?;
        self.regexes.insert(text.clone(), regex.clone());
        Ok(regex)
    }

    /// Divides the record into fields, once they are needed.
    fn split_record(&mut self) -> Result<(), String> {
        if !self.split {
            let separator = self.text_of("FS", " ");
            let record = self.record.clone();
            self.fields = self
                .divide(&record, &separator)?
                .into_iter()
                .map(Value::input)
                .collect();
            self.split = true;
        }
        Ok(())
    }

    /// Text divided as `FS` and `split` do.
    fn divide(&mut self, text: &str, separator: &Rc<str>) -> Result<Vec<String>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut chars = separator.chars();
        Ok(match (chars.next(), chars.next()) {
            (None, _) => text.chars().map(String::from).collect(),
            (Some(' '), None) => text.split_whitespace().map(str::to_owned).collect(),
            (Some(c), None) if c != '\\' => text.split(c).map(str::to_owned).collect(),
            _ => {
                let regex = self.regex(separator)?;
                let mut parts = Vec::new();
                let mut at = 0;
                let mut from = 0;
                while let Some((start, end)) = regex.find(text, from) {
                    if end == start {
                        from = start + text[start..].chars().next().map_or(1, char::len_utf8);
                        if from > text.len() {
                            break;
                        }
                        continue;
                    }
                    parts.push(text[at..start].to_owned());
                    (at, from) = (end, end);
                }
                parts.push(text[at..].to_owned());
                parts
            }
        })
    }

    /// The record, joined again if a field was changed.
    fn record(&mut self) -> Rc<str> {
        if self.stale {
            let separator = self.text_of("OFS", " ");
            let format = self.convfmt();
            let all: Vec<Rc<str>> = self
                .fields
                .iter()
                .map(|field| field.text(&format))
                .collect();
            self.record = all.join(&separator).into();
            self.stale = false;
        }
        self.record.clone()
    }

    fn field(&mut self, index: f64) -> Result<Value, String> {
        if index < 0.0 {
            return Err(format!("attempt to access field {}", index as i64));
        }
        if index < 1.0 {
            return Ok(Value::input(self.record()));
        }
        self.split_record()?;
        Ok(self
            .fields
            .get(index as usize - 1)
            .cloned()
            .unwrap_or(Value::Nothing))
    }

    fn set_field(&mut self, index: f64, value: Value) -> Result<(), String> {
        if index < 1.0 {
            let format = self.convfmt();
            let text = value.text(&format);
            self.set_record(&text);
            return Ok(());
        }
        self.split_record()?;
        let at = index as usize;
        if at > 100_000 {
            return Err(format!("field index {at} is too large"));
        }
        if self.fields.len() < at {
            self.fields.resize(at, Value::Text("".into()));
        }
        self.fields[at - 1] = value;
        self.stale = true;
        Ok(())
    }

    /// Runs until something is needed from outside.
    pub(super) fn run(&mut self) -> Result<Request, String> {
        let code = self.code.clone();
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err("the program does not end".to_owned());
            }
            let op = &code.ops[self.at];
            self.at += 1;
            match op {
                Op::Number(number) => self.stack.push(Value::Number(*number)),
                Op::Text(text) => self.stack.push(Value::Text(text.clone())),
                Op::Load(target) => {
                    let value = self.load(*target)?;
                    self.stack.push(value);
                }
                Op::Store(target) => {
                    let value = self.stack.last().cloned().unwrap_or(Value::Nothing);
                    self.store(*target, value)?;
                }
                Op::Field => {
                    let index = self.pop_number();
                    let value = self.field(index)?;
                    self.stack.push(value);
                }
                Op::SetField => {
                    let value = self.pop();
                    let index = self.pop_number();
                    self.set_field(index, value.clone())?;
                    self.stack.push(value);
                }
                Op::Element(target) => {
                    let key = self.pop_text();
                    let array = self.array(*target)?;
                    // Looking makes an element, as in awk.
                    let value = self.arrays[array]
                        .entry(key)
                        .or_insert(Value::Nothing)
                        .clone();
                    self.stack.push(value);
                }
                Op::SetElement(target) => {
                    let value = self.pop();
                    let key = self.pop_text();
                    let array = self.array(*target)?;
                    self.arrays[array].insert(key, value.clone());
                    self.stack.push(value);
                }
                Op::Key(count) => {
                    let separator = self.text_of("SUBSEP", "\x1c");
                    let mut parts: Vec<Rc<str>> = (0..*count).map(|_| self.pop_text()).collect();
                    parts.reverse();
                    self.stack.push(Value::Text(parts.join(&separator).into()));
                }
                Op::In(target) => {
                    let key = self.pop_text();
                    let array = self.array(*target)?;
                    let found = self.arrays[array].contains_key(&key);
                    self.answer(f64::from(u8::from(found)));
                }
                Op::Delete(target) => {
                    let key = self.pop_text();
                    let array = self.array(*target)?;
                    self.arrays[array].remove(&key);
                }
                Op::Clear(target) => {
                    let array = self.array(*target)?;
                    self.arrays[array].clear();
                }
                Op::Duplicate => {
                    let top = self.stack.last().cloned().unwrap_or(Value::Nothing);
                    self.stack.push(top);
                }
                Op::Swap => {
                    let length = self.stack.len();
                    self.stack.swap(length - 1, length - 2);
                }
                Op::Pop => {
                    self.pop();
                }
                Op::ToNumber => {
                    let number = self.pop_number();
                    self.answer(number);
                }
                Op::Unary(letter) => {
                    let value = self.pop();
                    self.answer(match letter {
                        '!' => f64::from(u8::from(!value.is_true())),
                        '-' => -value.number(),
                        _ => value.number(),
                    });
                }
                Op::Binary(letter) => self.binary(*letter)?,
                Op::Match(negated) => {
                    let pattern = self.pop_text();
                    let text = self.pop_text();
                    let found = self.regex(&pattern)?.is_match(&text);
                    self.answer(f64::from(u8::from(found != *negated)));
                }
                Op::Jump(to) => self.at = *to,
                Op::JumpIf(to, wanted) => {
                    if self.pop().is_true() == *wanted {
                        self.at = *to;
                    }
                }
                Op::Truth => {
                    let held = self.pop().is_true();
                    self.answer(f64::from(u8::from(held)));
                }
                Op::Range(index, begins) => {
                    let open = self.ranges[*index];
                    if *begins {
                        self.answer(f64::from(u8::from(open)));
                    } else {
                        self.ranges[*index] = self.pop().is_true();
                    }
                }
                Op::Print(count, redirect) => self.print(*count, *redirect),
                Op::Printf(count, redirect) => self.print_formatted(*count, *redirect),
                Op::Call(index, count) => self.call(&code, *index, *count)?,
                Op::PushArray(target) => {
                    // An array given to a function: its number travels on the stack.
                    let array = self.array(*target)?;
                    self.stack.push(Value::Number(array as f64));
                }
                Op::Return => {
                    let value = self.pop();
                    let Some(frame) = self.frames.pop() else {
                        return Ok(Request::Done);
                    };
                    self.stack.truncate(frame.stack);
                    self.at = frame.return_to;
                    self.stack.push(value);
                }
                Op::Builtin(name, count) => {
                    if let Some(request) = self.builtin(name, *count)? {
                        return Ok(request);
                    }
                }
                Op::Split(target, count) => {
                    let separator = if *count > 2 {
                        self.pop_text()
                    } else {
                        self.text_of("FS", " ")
                    };
                    let text = self.pop_text();
                    let parts = self.divide(&text, &separator)?;
                    let array = self.array(*target)?;
                    self.arrays[array] = parts
                        .iter()
                        .enumerate()
                        .map(|(at, part)| {
                            ((at + 1).to_string().into(), Value::input(part.as_str()))
                        })
                        .collect();
                    self.answer(parts.len() as f64);
                }
                Op::ArrayLength(target) => {
                    let array = self.array(*target)?;
                    let length = self.arrays[array].len() as f64;
                    self.answer(length);
                }
                Op::Substitute(all) => self.substitute(*all)?,
                Op::LoopBegin(target) => {
                    let array = self.array(*target)?;
                    let mut keys: Vec<Rc<str>> = self.arrays[array].keys().cloned().collect();
                    keys.sort_by(|a, b| in_order(a, b));
                    keys.reverse();
                    self.loops.push((keys, array));
                }
                Op::LoopNext(target, out) => {
                    let (keys, array) = self.loops.last_mut().expect("a loop has begun");
                    let array = *array;
                    let key = loop {
                        match keys.pop() {
                            Some(key) if !self.arrays[array].contains_key(&key) => {}
                            found => break found,
                        }
                    };
                    match key {
                        Some(key) => self.store(*target, Value::input(key))?,
                        None => self.at = *out,
                    }
                }
                Op::LoopEnd => {
                    self.loops.pop();
                }
                Op::GetLine(kind) => {
                    let reading = match kind {
                        0 => Reading::Input,
                        1 => Reading::File(self.pop_text()),
                        _ => Reading::Command(self.pop_text()),
                    };
                    return Ok(Request::Line(reading));
                }
                Op::TakeRecord => {
                    // Below the answer is the line that was read.
                    let code = self.pop();
                    let line = self.pop();
                    if code.number() > 0.0 {
                        let text = line.text("%.6g");
                        self.set_record(&text);
                    }
                    self.stack.push(code);
                }
                Op::Next => {
                    self.ended = Ended::Next;
                    return Ok(Request::Done);
                }
                Op::Exit(with) => {
                    if *with {
                        self.exit = self.pop_number() as i32;
                    }
                    self.ended = Ended::Exit;
                    return Ok(Request::Done);
                }
                Op::End => return Ok(Request::Done),
            }
        }
    }

    fn binary(&mut self, letter: char) -> Result<(), String> {
        let right = self.pop();
        let left = self.pop();
        let format = self.convfmt();
        if letter == ' ' {
            let joined = format!("{}{}", left.text(&format), right.text(&format));
            self.stack.push(Value::Text(joined.into()));
            return Ok(());
        }
        if "<le>ng".contains(letter) {
            let order = left.compare(&right, &format);
            let held = match letter {
                '<' => order.is_lt(),
                'l' => order.is_le(),
                'e' => order.is_eq(),
                'n' => order.is_ne(),
                'g' => order.is_ge(),
                _ => order.is_gt(),
            };
            self.answer(f64::from(u8::from(held)));
            return Ok(());
        }
        let (a, b) = (left.number(), right.number());
        let value = match letter {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' if b == 0.0 => return Err("division by zero".to_owned()),
            '/' => a / b,
            '%' if b == 0.0 => return Err("division by zero in %".to_owned()),
            '%' => a % b,
            _ => power(a, b)?,
        };
        self.answer(value);
        Ok(())
    }

    fn take(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - count)
    }

    fn target_of(&mut self, redirect: Option<Redirect>) -> Option<(Redirect, Rc<str>)> {
        redirect.map(|kind| (kind, self.pop_text()))
    }

    fn print(&mut self, count: usize, redirect: Option<Redirect>) {
        let to = self.target_of(redirect);
        let values = self.take(count);
        let format = self.text_of("OFMT", "%.6g");
        let separator = self.text_of("OFS", " ");
        let end = self.text_of("ORS", "\n");
        let text = if values.is_empty() {
            self.record().to_string()
        } else {
            let all: Vec<Rc<str>> = values.iter().map(|value| value.text(&format)).collect();
            all.join(&separator)
        };
        self.write(to, format!("{text}{end}"));
    }

    fn print_formatted(&mut self, count: usize, redirect: Option<Redirect>) {
        let to = self.target_of(redirect);
        let values = self.take(count);
        let text = self.sprintf(&values);
        self.write(to, text);
    }

    fn write(&mut self, to: Option<(Redirect, Rc<str>)>, text: String) {
        match self.printed.last_mut() {
            Some(last) if last.to == to => last.text.push_str(&text),
            _ => self.printed.push(Printed { to, text }),
        }
    }

    fn sprintf(&self, values: &[Value]) -> String {
        let convfmt = self.convfmt();
        let Some(format) = values.first().map(|value| value.text(&convfmt)) else {
            return String::new();
        };
        let mut args = values[1..].iter();
        let mut out = String::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            if chars.next_if_eq(&'%').is_some() {
                out.push('%');
                continue;
            }
            let mut star = || args.next().map_or(0, |value| value.number() as i64);
            let directive = printf::directive(&mut chars, &mut star);
            let mut next = || args.next().cloned().unwrap_or(Value::Nothing);
            out.push_str(&match directive.conversion {
                'd' | 'i' | 'o' | 'x' | 'X' | 'u' => directive.integer(next().number() as i64),
                'e' | 'E' | 'f' | 'F' | 'g' | 'G' => directive.float(next().number()),
                'c' => match next() {
                    Value::Number(code) => {
                        let c = char::from_u32(code as u32).unwrap_or(' ');
                        directive.pad(&c.to_string())
                    }
                    other => {
                        let text: String = other.text(&convfmt).chars().take(1).collect();
                        directive.pad(&text)
                    }
                },
                's' => directive.string(&next().text(&convfmt)),
                other => format!("%{other}"),
            });
        }
        out
    }

    fn call(&mut self, code: &Rc<Code>, index: usize, count: usize) -> Result<(), String> {
        if self.frames.len() >= MAX_CALLS {
            return Err(format!(
                "function call nesting too deep in {}",
                code.functions[index].name
            ));
        }
        let function = &code.functions[index];
        let args = self.take(count);
        let mut locals: Vec<Cell> = Vec::new();
        for (at, arg) in args.into_iter().enumerate() {
            // The compiler knows which parameters are arrays.
            match function.arrays.get(at) {
                Some(true) => locals.push(Cell::Array(arg.number() as usize)),
                _ => locals.push(Cell::Value(arg)),
            }
        }
        locals.resize(
            function.params.max(locals.len()),
            Cell::Value(Value::Nothing),
        );
        self.frames.push(Frame {
            return_to: self.at,
            stack: self.stack.len(),
            locals,
        });
        self.at = function.at;
        Ok(())
    }

    fn builtin(&mut self, name: &str, count: usize) -> Result<Option<Request>, String> {
        let format = self.convfmt();
        let args = self.take(count);
        let text = |at: usize| {
            args.get(at)
                .map_or_else(|| Rc::from(""), |value| value.text(&format))
        };
        let number = |at: usize| args.get(at).map_or(0.0, Value::number);
        let value = match name {
            "length" if args.is_empty() => Value::Number(self.record().chars().count() as f64),
            "length" => Value::Number(text(0).chars().count() as f64),
            "substr" => {
                Value::Text(substr(&text(0), number(1), (count > 2).then(|| number(2))).into())
            }
            "index" => {
                let (whole, part) = (text(0), text(1));
                let found = whole
                    .find(&*part)
                    .map_or(0, |byte| whole[..byte].chars().count() + 1);
                Value::Number(found as f64)
            }
            "match" => {
                let (whole, pattern) = (text(0), text(1));
                let found = self.regex(&pattern)?.find(&whole, 0);
                let (start, length) = match found {
                    Some((from, to)) => {
                        let start = whole[..from].chars().count() + 1;
                        (start as f64, whole[from..to].chars().count() as f64)
                    }
                    None => (0.0, -1.0),
                };
                self.set_global("RSTART", Value::Number(start));
                self.set_global("RLENGTH", Value::Number(length));
                Value::Number(start)
            }
            "sprintf" => Value::Text(self.sprintf(&args).into()),
            "tolower" => Value::Text(text(0).to_lowercase().into()),
            "toupper" => Value::Text(text(0).to_uppercase().into()),
            "int" => Value::Number(number(0).trunc()),
            "sqrt" => Value::Number(number(0).sqrt()),
            "rand" => Value::Number(self.random.below(1 << 31) as f64 / f64::from(1u32 << 31)),
            "srand" => {
                let before = self.seed;
                self.seed = if args.is_empty() {
                    self.now as f64
                } else {
                    number(0)
                };
                self.random = Stream::new(self.seed as u64, "awk");
                Value::Number(before)
            }
            "systime" => Value::Number(self.now as f64),
            "strftime" => {
                let pattern = text(0);
                let at = if count > 1 {
                    number(1) as i64
                } else {
                    self.now
                };
                Value::Text(shell::date::format(&pattern, at, 0).into())
            }
            "gensub" => {
                let target = if count > 3 { text(3) } else { self.record() };
                let regex = self.regex(&text(0))?;
                let which = text(2);
                let nth = if which.starts_with(['g', 'G']) {
                    0
                } else {
                    number(2).max(1.0) as usize
                };
                Value::Text(replaced(&regex, &target, &text(1), nth, true).0.into())
            }
            "fflush" => {
                self.stack.push(Value::Number(0.0));
                return Ok(Some(Request::Flush));
            }
            "system" => return Ok(Some(Request::System(text(0)))),
            "close" => return Ok(Some(Request::Close(text(0)))),
            other => return Err(format!("not modelled: {other}()")),
        };
        self.stack.push(value);
        Ok(None)
    }

    /// `sub` and `gsub`: pattern, replacement and target are on the stack; leaves the new target
    /// and above it the number of replacements.
    fn substitute(&mut self, all: bool) -> Result<(), String> {
        let target = self.pop_text();
        let with = self.pop_text();
        let pattern = self.pop_text();
        let regex = self.regex(&pattern)?;
        let (text, count) = replaced(&regex, &target, &with, usize::from(!all), false);
        self.stack.push(Value::Text(text.into()));
        self.answer(count as f64);
        Ok(())
    }
}

/// A text with the `nth` match replaced, or all of them for 0; and how many were.
fn replaced(regex: &Regex, text: &str, with: &str, nth: usize, groups: bool) -> (String, usize) {
    let mut out = String::new();
    let (mut at, mut copied, mut seen, mut count) = (0, 0, 0, 0);
    let mut last_end = None;
    while at <= text.len() {
        let Some(found) = regex.captures(text, at) else {
            break;
        };
        let Some((from, to)) = found[0] else { break };
        if !(from == to && last_end == Some(from)) {
            seen += 1;
            if nth == 0 || seen == nth {
                out.push_str(&text[copied..from]);
                let mut chars = with.chars();
                while let Some(c) = chars.next() {
                    match c {
                        '&' => out.push_str(&text[from..to]),
                        '\\' => match chars.next() {
                            Some('&') => out.push('&'),
                            Some(digit @ '0'..='9') if groups => {
                                let group =
                                    found.get(digit as usize - '0' as usize).copied().flatten();
                                out.push_str(group.map_or("", |(from, to)| &text[from..to]));
                            }
                            Some('\\') => out.push('\\'),
                            Some(other) => out.extend(['\\', other]),
                            None => out.push('\\'),
                        },
                        c => out.push(c),
                    }
                }
                copied = to;
                count += 1;
                if nth > 0 {
                    break;
                }
            }
            last_end = Some(to);
        }
        at = if to > from {
            to
        } else {
            to + text[to..].chars().next().map_or(1, char::len_utf8)
        };
    }
    out.push_str(&text[copied..]);
    (out, count)
}

/// `substr` counts from 1 and rounds.
fn substr(text: &str, from: f64, length: Option<f64>) -> String {
    let start = round(from);
    let end = length.map_or(f64::INFINITY, |length| start + round(length));
    let chars = text.chars().enumerate();
    chars
        .filter(|(at, _)| (*at as f64 + 1.0) >= start && (*at as f64 + 1.0) < end)
        .map(|(_, c)| c)
        .collect()
}

fn round(value: f64) -> f64 {
    let down = value.floor();
    if value - down > 0.5 || (value - down == 0.5 && down % 2.0 != 0.0) {
        down + 1.0
    } else {
        down
    }
}

/// Only whole exponents: powers of fractions differ between machines.
fn power(base: f64, exponent: f64) -> Result<f64, String> {
    if exponent == 0.5 {
        return Ok(base.sqrt());
    }
    if exponent != exponent.trunc() || exponent.abs() > 1024.0 {
        return Err("not modelled: powers that are no whole number".to_owned());
    }
    let mut result = 1.0;
    for _ in 0..exponent.abs() as u32 {
        result *= base;
    }
    Ok(if exponent < 0.0 { 1.0 / result } else { result })
}

/// Keys of an array: numbers in their order, then text.
fn in_order(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}
