//! Which part of a file `head` and `tail` print: their options, read alike.

use std::rc::Rc;

use machine::{Errno, Io};

use crate::args::{self, Args, Flag};
use crate::facts::busybox;
use crate::io::{complain, inputs, size, usage_error};

/// What a command line asks for.
pub(crate) struct Part {
    pub(crate) args: Args,
    /// Bytes are counted, not lines.
    pub(crate) bytes: bool,
    /// The number had the sign that turns its meaning: `-n -3` for `head`, `-n +3` for `tail`.
    pub(crate) turned: bool,
    pub(crate) count: usize,
    pub(crate) paths: Vec<Rc<str>>,
    /// Whether each file has a title.
    pub(crate) titles: bool,
}

/// Reads the command line; `sign` turns the meaning of a number. An error is told, and its code
/// given.
pub(crate) async fn read(io: &Io, flags: &[Flag], sign: char) -> Result<Part, i32> {
    let args = match args::parse(flags, &modern(io.args())) {
        Ok(args) => args,
        Err(message) => return Err(usage_error(io, &message, 1).await),
    };
    let bytes = args.last_of("nc") == Some('c');
    let text = args
        .value(if bytes { 'c' } else { 'n' })
        .map_or("10", |text| text);
    let (turned, number) = match text.strip_prefix(sign) {
        Some(number) => (true, number),
        None => (false, text.strip_prefix(['-', '+']).unwrap_or(text)),
    };
    let Some(count) = size(number) else {
        let unit = if bytes { "bytes" } else { "lines" };
        complain(io, &format!("invalid number of {unit}: '{text}'")).await;
        return Err(1);
    };
    let paths = inputs(&args);
    let titles = args.has('v') || (paths.len() > 1 && !args.has('q'));
    Ok(Part {
        args,
        bytes,
        turned,
        count: usize::try_from(count).unwrap_or(usize::MAX),
        paths,
        titles,
    })
}

/// `-5` in the first place is `-n 5`, `-5f` is `-fn5`.
fn modern(words: &[Rc<str>]) -> Vec<Rc<str>> {
    let mut words = words.to_vec();
    if let Some(first) = words.get_mut(1)
        && let Some(digits) = first.strip_prefix('-')
        && digits.starts_with(|c: char| c.is_ascii_digit())
    {
        *first = match digits.strip_suffix('f') {
            Some(digits) => format!("-fn{digits}").into(),
            None => format!("-n{digits}").into(),
        };
    }
    words
}

/// Says that a file could not be read.
pub(crate) async fn unreadable(io: &Io, path: &str, errno: Errno) {
    let why = errno.message();
    let what = match errno {
        _ if busybox(io).await => format!("can't open '{path}': {why}"),
        Errno::EISDIR => format!("error reading '{path}': {why}"),
        _ => format!("cannot open '{path}' for reading: {why}"),
    };
    complain(io, &what).await;
}
