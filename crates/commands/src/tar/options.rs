//! What tar is asked to do. Its first word may be letters without a dash, whose values follow it.

use std::rc::Rc;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Create,
    Extract,
    List,
}

/// The command line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) mode: Mode,
    /// The archive; `-` is standard input or output.
    pub(super) archive: String,
    /// Where files are taken from or put.
    pub(super) directory: String,
    pub(super) exclude: Vec<String>,
    pub(super) verbose: u32,
    /// Leading parts of names that are dropped.
    pub(super) strip: usize,
    /// By gzip.
    pub(super) gzip: bool,
    /// As the archive's name says.
    pub(super) by_name: bool,
    /// By what is not modelled.
    pub(super) otherwise_packed: bool,
    pub(super) keep_owner: bool,
    pub(super) to_stdout: bool,
    pub(super) files: Vec<String>,
}

/// Reads the command line; the error stands behind the tool's name.
pub(super) fn read(args: &[Rc<str>]) -> Result<Options, String> {
    let mut options = Options {
        mode: Mode::List,
        archive: "-".to_owned(),
        directory: ".".to_owned(),
        exclude: Vec::new(),
        verbose: 0,
        strip: 0,
        gzip: false,
        by_name: false,
        otherwise_packed: false,
        keep_owner: true,
        to_stdout: false,
        files: Vec::new(),
    };
    let mut mode = None;
    let mut rest = args.iter().skip(1).map(|word| word.to_string());
    let mut first = true;
    let mut plain = false;
    while let Some(word) = rest.next() {
        let old_style = std::mem::take(&mut first) && !word.starts_with('-');
        if plain || (!old_style && (!word.starts_with('-') || word == "-")) {
            options.files.push(word);
        } else if word == "--" {
            plain = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, given) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let mut value = || given.clone().or_else(|| rest.next()).unwrap_or_default();
            match name {
                "create" => mode = Some(Mode::Create),
                "extract" | "get" => mode = Some(Mode::Extract),
                "list" => mode = Some(Mode::List),
                "file" => options.archive = value(),
                "directory" => options.directory = value(),
                "exclude" => options.exclude.push(value()),
                "strip-components" => options.strip = value().parse().unwrap_or(0),
                "verbose" => options.verbose += 1,
                "gzip" | "gunzip" | "ungzip" => options.gzip = true,
                "auto-compress" => options.by_name = true,
                "bzip2" | "xz" | "zstd" => options.otherwise_packed = true,
                "to-stdout" => options.to_stdout = true,
                "no-same-owner" => options.keep_owner = false,
                "no-same-permissions"
                | "touch"
                | "preserve-permissions"
                | "overwrite"
                | "same-owner" => {}
                _ => return Err(format!("unrecognized option '{word}'")),
            }
        } else {
            let letters = word.trim_start_matches('-').to_owned();
            for (at, letter) in letters.char_indices() {
                let behind = &letters[at + letter.len_utf8()..];
                let mut attached = false;
                let mut value = |rest: &mut dyn Iterator<Item = String>| {
                    if old_style || behind.is_empty() {
                        return rest
                            .next()
                            .ok_or_else(|| format!("option requires an argument -- '{letter}'"));
                    }
                    attached = true;
                    Ok(behind.to_owned())
                };
                match letter {
                    'c' => mode = Some(Mode::Create),
                    'x' => mode = Some(Mode::Extract),
                    't' => mode = Some(Mode::List),
                    'f' => options.archive = value(&mut rest)?,
                    'C' => options.directory = value(&mut rest)?,
                    'v' => options.verbose += 1,
                    'z' => options.gzip = true,
                    'a' => options.by_name = true,
                    'j' | 'J' => options.otherwise_packed = true,
                    'O' => options.to_stdout = true,
                    'o' => options.keep_owner = false,
                    'm' | 'p' | 'h' | 'P' | 'k' => {}
                    _ => return Err(format!("invalid option -- '{letter}'")),
                }
                if attached {
                    break;
                }
            }
        }
    }
    let asked = "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options";
    options.mode = mode.ok_or_else(|| asked.to_owned())?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let words: Vec<Rc<str>> = line.split_whitespace().map(Rc::from).collect();
        let got = match read(&words) {
            Ok(o) => format!(
                "{:?} {} in {} v{} {:?}",
                o.mode, o.archive, o.directory, o.verbose, o.files
            ),
            Err(why) => why,
        };
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn lines_are_read_in_both_styles() {
        check("tar cf - /x", "Create - in . v0 [\"/x\"]");
        check("tar cvf a.tar b c", "Create a.tar in . v1 [\"b\", \"c\"]");
        check("tar -xmf - -C /tmp", "Extract - in /tmp v0 []");
        check("tar cfC a.tar /d x", "Create a.tar in /d v0 [\"x\"]");
        check("tar -tfa.tar", "List a.tar in . v0 []");
        check("tar --extract --file=a.tar", "Extract a.tar in . v0 []");
        check("tar -y", "invalid option -- 'y'");
        check("tar -f", "option requires an argument -- 'f'");
        check(
            "tar -v",
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
        );
    }
}
