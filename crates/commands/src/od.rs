//! `od`. Models coreutils src/od.c: bytes as characters and as whole numbers; floating point is not
//! modelled.

use machine::Io;

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, size, slurp, usage_error};

tool!(
    "od",
    "Show bytes as numbers",
    "od [OPTION]... [FILE]...",
    main,
    [
        (
            "echo hello | od -c",
            "0000000   h   e   l   l   o  \\n\n0000006\n"
        ),
        ("echo hello | od", "0000000 062550 066154 005157\n0000006\n"),
        ("printf 'ab' | od -An -tx1", " 61 62\n"),
        ("printf 'ab' | od -An -td1 -tu2", "   97   98\n     25185\n"),
        (
            "echo abc | od -A x -t x1z",
            "000000 61 62 63 0a                                      >abc.<\n000004\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('A', "address-radix"),
    value('j', "skip-bytes"),
    value('N', "read-bytes"),
    value('t', "format"),
    flag('v', "output-duplicates"),
    value('w', "width"),
    flag('b', ""),
    flag('c', ""),
    flag('d', ""),
    flag('o', ""),
    flag('x', ""),
];

/// How bytes are shown: `a`, `c`, or a number's base, of so many bytes, with their characters behind.
#[derive(Clone, Copy)]
struct Format {
    kind: char,
    bytes: usize,
    trailer: bool,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let formats = match formats(&args) {
        Ok(formats) => formats,
        Err(why) => {
            complain(&io, &why).await;
            return 1;
        }
    };
    let number = |letter| {
        let told = args.value(letter).and_then(|text| size(text));
        told.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    let skip = number('j').unwrap_or(0);
    let most = number('N').map(|count| count.saturating_add(skip));
    let mut bytes = Vec::new();
    for path in inputs(&args) {
        match input(
            &io,
            &path,
            most.map(|most| most.saturating_sub(bytes.len())),
        )
        .await
        {
            Ok(more) => bytes.extend(more),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    bytes.truncate(most.unwrap_or(usize::MAX));
    if skip > bytes.len() {
        complain(&io, "cannot skip past end of combined input").await;
        return 1;
    }
    let width = number('w').filter(|width| *width > 0).unwrap_or(16);
    let radix = args.value('A').and_then(|text| text.chars().next());
    let text = dump(
        &bytes[skip..],
        skip,
        &formats,
        (width, radix, args.has('v')),
    );
    io.print(&text).await;
    0
}

/// A file, or as much as is asked for: what is read may have no end.
async fn input(io: &Io, path: &str, most: Option<usize>) -> Result<Vec<u8>, machine::Errno> {
    let Some(most) = most else {
        return slurp(io, path).await;
    };
    let fd = match path {
        "-" => machine::Fd::STDIN,
        path => io.open(path, machine::OpenMode::Read).await?,
    };
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < most {
        let part = io.read(fd).await?;
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    if fd != machine::Fd::STDIN {
        io.close(fd).await;
    }
    Ok(bytes)
}

fn formats(args: &Args) -> Result<Vec<Format>, String> {
    let mut formats = Vec::new();
    let plain = |kind, bytes| Format {
        kind,
        bytes,
        trailer: false,
    };
    for (letter, text) in &args.options {
        match letter {
            'b' => formats.push(plain('o', 1)),
            'c' => formats.push(plain('c', 1)),
            'd' => formats.push(plain('u', 2)),
            'o' => formats.push(plain('o', 2)),
            'x' => formats.push(plain('x', 2)),
            't' => types(text, &mut formats)?,
            _ => {}
        }
    }
    if formats.is_empty() {
        formats.push(plain('o', 2));
    }
    Ok(formats)
}

/// `x1`, `cx1z`, `dL`.
fn types(text: &str, formats: &mut Vec<Format>) -> Result<(), String> {
    let mut chars = text.chars().peekable();
    let wrong = || format!("invalid type string ‘{text}’");
    while let Some(kind) = chars.next() {
        if !matches!(kind, 'a' | 'c' | 'd' | 'o' | 'u' | 'x') {
            return match kind {
                'f' => Err(sim::unmodelled!("floating point in od").to_string()),
                _ => Err(wrong()),
            };
        }
        let mut bytes = if matches!(kind, 'a' | 'c') { 1 } else { 4 };
        if let Some(size) =
            chars.next_if(|c| matches!(c, '1' | '2' | '4' | '8' | 'C' | 'S' | 'I' | 'L'))
        {
            bytes = match size {
                '1' | 'C' => 1,
                '2' | 'S' => 2,
                '4' | 'I' => 4,
                _ => 8,
            };
        }
        let trailer = chars.next_if_eq(&'z').is_some();
        formats.push(Format {
            kind,
            bytes,
            trailer,
        });
    }
    Ok(())
}

impl Format {
    /// The width of a cell without the blank in front.
    fn width(self) -> usize {
        match (self.kind, self.bytes) {
            ('a' | 'c', _) => 3,
            ('o', bytes) => [3, 6, 11, 22][place(bytes)],
            ('x', bytes) => 2 * bytes,
            ('u', bytes) => [3, 5, 10, 20][place(bytes)],
            (_, bytes) => [4, 6, 11, 20][place(bytes)],
        }
    }

    fn cell(self, bytes: &[u8]) -> String {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let number = u64::from_le_bytes(wide);
        let width = self.width();
        match self.kind {
            'c' | 'a' => format!("{:>3}", character(bytes[0], self.kind)),
            'o' => format!("{number:0width$o}"),
            'x' => format!("{number:0width$x}"),
            'u' => format!("{number:>width$}"),
            _ => {
                let unused = 64 - 8 * self.bytes;
                let signed = (number << unused).cast_signed() >> unused;
                format!("{signed:>width$}")
            }
        }
    }
}

fn place(bytes: usize) -> usize {
    bytes.ilog2() as usize
}

const NAMES: [&str; 33] = [
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr",
    "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc",
    "fs", "gs", "rs", "us", "sp",
];

fn character(byte: u8, kind: char) -> String {
    if kind == 'a' {
        let byte = byte & 0x7f;
        return match NAMES.get(usize::from(byte)) {
            Some(name) => (*name).to_owned(),
            None if byte == 127 => "del".to_owned(),
            None => char::from(byte).to_string(),
        };
    }
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        32..127 => char::from(byte).to_string(),
        _ => format!("{byte:03o}"),
    }
}

type Layout = (usize, Option<char>, bool);

fn dump(bytes: &[u8], skip: usize, formats: &[Format], (width, radix, whole): Layout) -> String {
    let address = |at: usize| match radix {
        Some('n') => String::new(),
        Some('x') => format!("{at:06x}"),
        Some('d') => format!("{at:07}"),
        _ => format!("{at:07o}"),
    };
    // Cells under each other: each takes as much room as the widest for the same bytes.
    let room = |bytes: usize| {
        let wanted = formats
            .iter()
            .map(|f| (f.width() + 1) * bytes.div_ceil(f.bytes));
        wanted.max().unwrap_or(0)
    };
    let widest = formats.iter().map(|f| f.bytes).max().unwrap_or(1);
    let mut text = String::new();
    let (mut before, mut starred): (&[u8], bool) = (&[], false);
    for (row, line) in bytes.chunks(width).enumerate() {
        if line.len() == width && line == before && !whole {
            if !starred {
                text.push_str("*\n");
            }
            starred = true;
            continue;
        }
        (before, starred) = (line, false);
        for (at, format) in formats.iter().enumerate() {
            let margin = match at {
                0 => address(skip + row * width),
                _ => " ".repeat(address(0).len()),
            };
            text.push_str(&margin);
            let cell = room(widest) / (widest / format.bytes).max(1);
            let mut cells = String::new();
            for part in line.chunks(format.bytes) {
                cells.push_str(&format!("{:>cell$}", format.cell(part)));
            }
            if format.trailer {
                let all = cell * width / format.bytes;
                let shown: String = line.iter().map(|byte| printable(*byte)).collect();
                cells = format!("{cells:<all$}  >{shown}<");
            }
            text.push_str(&cells);
            text.push('\n');
        }
    }
    if radix != Some('n') {
        text.push_str(&format!("{}\n", address(skip + bytes.len())));
    }
    text
}

fn printable(byte: u8) -> char {
    match byte {
        32..127 => char::from(byte),
        _ => '.',
    }
}
