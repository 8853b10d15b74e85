//! Command-line flags as kubectl's library reads them: `--name value`, `--name=value`, `-n value`,
//! `-nvalue`, `-n=value`, bundles of short switches, everything after `--` left alone.
//!
//! Models spf13/pflag and spf13/cobra's error sentences.

use std::collections::BTreeMap;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: present is `true`; `--name=false` is possible.
    Switch,
    /// A value; given twice, the last one counts.
    Value,
    /// Values; given twice, all count.
    Values,
    /// A value, or none for the one named here: `--dry-run`, `--cascade`.
    Optional(&'static str),
}

/// A flag a command knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) takes: Takes,
}

/// A switch.
pub(crate) const fn switch(name: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes: Takes::Switch,
    }
}

/// A flag with a value.
pub(crate) const fn value(name: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes: Takes::Value,
    }
}

/// A flag with a value, which may be given more than once.
pub(crate) const fn values(name: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes: Takes::Values,
    }
}

/// A flag whose value may be left out.
pub(crate) const fn optional(name: &'static str, default: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes: Takes::Optional(default),
    }
}

impl Flag {
    /// The same with a short form.
    pub(crate) const fn short(self, short: char) -> Flag {
        Flag {
            short: Some(short),
            ..self
        }
    }
}

/// Flags every command has.
pub(crate) const GLOBAL: &[Flag] = &[
    value("namespace").short('n'),
    value("kubeconfig"),
    value("context"),
    value("cluster"),
    value("user"),
    value("server").short('s'),
    value("token"),
    value("as"),
    values("as-group"),
    value("as-uid"),
    values("as-user-extra"),
    value("kuberc"),
    value("password"),
    value("username"),
    value("certificate-authority"),
    value("client-certificate"),
    value("client-key"),
    value("request-timeout"),
    value("tls-server-name"),
    value("cache-dir"),
    value("log-flush-frequency"),
    value("profile"),
    value("profile-output"),
    value("v").short('v'),
    value("vmodule"),
    switch("insecure-skip-tls-verify"),
    switch("disable-compression"),
    switch("match-server-version"),
    switch("warnings-as-errors"),
    switch("help").short('h'),
];

/// Whether a global flag in front of the verb takes the word after it.
pub(crate) fn takes_next(word: &str) -> bool {
    if let Some(name) = word.strip_prefix("--") {
        return GLOBAL
            .iter()
            .any(|flag| flag.name == name && flag.takes != Takes::Switch);
    }
    let mut letters = word[1..].chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => GLOBAL
            .iter()
            .any(|flag| flag.short == Some(letter) && flag.takes != Takes::Switch),
        _ => false,
    }
}

/// The same of one that is not known: it takes the word after it, too, unless it has its value.
pub(crate) fn may_take_next(word: &str) -> bool {
    let known = match word.strip_prefix("--") {
        Some(name) => GLOBAL.iter().any(|flag| flag.name == name),
        None => GLOBAL
            .iter()
            .any(|flag| flag.short.is_some() && flag.short == word.chars().nth(1)),
    };
    takes_next(word) || !(known || word.contains('='))
}

/// A command line, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    flags: BTreeMap<&'static str, Vec<String>>,
    /// Flags of the command itself that have the name of one every command has.
    own: Vec<&'static str>,
    /// The command's own name: `kubectl create configmap`.
    pub(crate) command: String,
    /// Arguments that are no flags, in order; those after `--` included.
    pub(crate) args: Vec<String>,
    /// What `--record` writes down: the command as it was given.
    pub(crate) cause: Option<String>,
    /// How many of `args` stood before `--`, if there was one.
    pub(crate) dash: Option<usize>,
}

impl Line {
    /// Reads words with the flags of a command and the global ones. With `interspersed` off, the
    /// first argument ends the flags.
    pub(crate) fn parse(
        words: &[String],
        known: &[Flag],
        interspersed: bool,
    ) -> Result<Line, String> {
        let mut line = Line::default();
        let all = || known.iter().chain(GLOBAL);
        let find = |name: &str| all().find(|flag| flag.name == name);
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                line.dash = Some(line.args.len());
                line.args.extend(rest.cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, given) = match long.split_once('=') {
                    Some((name, given)) => (name, Some(given.to_owned())),
                    None => (long, None),
                };
                let flag = find(name).ok_or_else(|| format!("unknown flag: --{name}"))?;
                let text = match (flag.takes, given) {
                    (_, Some(given)) => given,
                    (Takes::Switch, None) => "true".to_owned(),
                    (Takes::Optional(default), None) => default.to_owned(),
                    (Takes::Value | Takes::Values, None) => rest
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("flag needs an argument: --{name}"))?,
                };
                line.set(flag, text)?;
            } else if word.len() > 1 && word.starts_with('-') {
                line.shorts(word, known, &mut rest)?;
            } else {
                line.args.push(word.clone());
                if !interspersed {
                    line.args.extend(rest.cloned());
                    break;
                }
            }
        }
        Ok(line)
    }

    fn shorts<'a>(
        &mut self,
        word: &str,
        known: &[Flag],
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        for (at, letter) in word[1..].char_indices() {
            let after = &word[1 + at + letter.len_utf8()..];
            let flag = known
                .iter()
                .chain(GLOBAL)
                .find(|flag| flag.short == Some(letter))
                .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {word}"))?;
            match flag.takes {
                Takes::Switch if !after.starts_with('=') => self.set(flag, "true".to_owned())?,
                Takes::Optional(default) if after.is_empty() => {
                    self.set(flag, default.to_owned())?;
                }
                _ if !after.is_empty() => {
                    let given = after.strip_prefix('=').unwrap_or(after).to_owned();
                    return self.set(flag, given);
                }
                _ => {
                    let given = rest
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("flag needs an argument: '{letter}' in {word}"))?;
                    return self.set(flag, given);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, flag: &Flag, text: String) -> Result<(), String> {
        if flag.takes == Takes::Switch && parse_bool(&text).is_none() {
            let shown = match flag.short {
                Some(short) => format!("-{short}, --{}", flag.name),
                None => format!("--{}", flag.name),
            };
            return Err(format!(
                "invalid argument \"{text}\" for \"{shown}\" flag: strconv.ParseBool: parsing \
                 \"{text}\": invalid syntax"
            ));
        }
        let global = GLOBAL.iter().find(|global| global.name == flag.name);
        if global.is_some_and(|global| global.takes != flag.takes) {
            self.own.push(flag.name);
        }
        let values = self.flags.entry(flag.name).or_default();
        if flag.takes != Takes::Values {
            values.clear();
        }
        values.push(text);
        Ok(())
    }

    /// The command as `--record` writes it down: arguments first, then what was given of flags.
    pub(crate) fn recorded(&self, known: &[Flag]) -> String {
        let mut words = vec![self.command.clone()];
        words.extend(self.args.iter().cloned());
        for (name, values) in &self.flags {
            let flag = known.iter().chain(GLOBAL).find(|flag| flag.name == *name);
            let text = match flag.is_some_and(|flag| flag.takes == Takes::Values) {
                true => format!("[{}]", values.join(",")),
                false => values.join(","),
            };
            words.push(format!("--{name}={text}"));
        }
        words.join(" ")
    }

    /// Gives a flag another value, as if it had been given so.
    pub(crate) fn replace(&mut self, name: &'static str, text: String) {
        self.flags.insert(name, vec![text]);
    }

    /// Whether a flag was given at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.flags.contains_key(name)
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, name: &str) -> bool {
        self.get(name).and_then(parse_bool).unwrap_or(false)
    }

    /// Whether a switch that is on by default was left on.
    pub(crate) fn on_unless_off(&self, name: &str) -> bool {
        self.get(name).and_then(parse_bool).unwrap_or(true)
    }

    /// A flag's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.flags
            .get(name)
            .and_then(|values| values.last())
            .map(String::as_str)
    }

    /// The value of a flag that every command has, unless the command has one of its own by that name.
    pub(crate) fn global(&self, name: &str) -> Option<&str> {
        let own = self.own.contains(&name);
        self.get(name).filter(|_| !own)
    }

    /// A flag's value, empty if it was not given.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All values of a flag.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.flags.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// All values of a flag, each split at commas (`--from-literal` is not read this way).
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .iter()
            .filter(|text| !text.is_empty())
            .flat_map(|text| text.split(','))
            .map(str::to_owned)
            .collect()
    }

    /// A flag's whole number.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<i64>, String> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            format!(
                "invalid argument \"{text}\" for \"--{name}\" flag: strconv.ParseInt: parsing \
                 \"{text}\": invalid syntax"
            )
        })
    }

    /// A flag's duration in Go's form: `30s`, `1m30s`; a plain `0` is allowed.
    pub(crate) fn duration(&self, name: &'static str) -> Result<Option<sim::Duration>, String> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match api::time::parse_go_duration(text) {
            Some(duration) => Ok(Some(duration)),
            None => Err(format!(
                "invalid argument \"{text}\" for \"--{name}\" flag: time: invalid duration \
                 \"{text}\""
            )),
        }
    }
}

/// What a text says of a switch, as Go reads it.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        value("output").short('o'),
        switch("all-namespaces").short('A'),
        switch("watch").short('w'),
        values("filename").short('f'),
        optional("dry-run", "unchanged"),
    ];

    #[track_caller]
    fn check(line: &str, expect: Result<&str, &str>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let read = Line::parse(&words, FLAGS, true);
        let shown = read.map(|line| {
            let flags: Vec<String> = line
                .flags
                .iter()
                .map(|(name, values)| format!("{name}={}", values.join("+")))
                .collect();
            format!("{} | {}", flags.join(" "), line.args.join(" "))
        });
        assert_eq!(
            shown.as_deref(),
            expect
                .as_ref()
                .map(|s| *s)
                .map_err(|e| (*e).to_owned())
                .as_deref()
        );
    }

    #[test]
    fn lines_are_read_as_pflag_reads_them() {
        check(
            "pods -o wide -n kube-system",
            Ok("namespace=kube-system output=wide | pods"),
        );
        check(
            "-owide pods -Aw",
            Ok("all-namespaces=true output=wide watch=true | pods"),
        );
        check(
            "-o=name --dry-run --dry-run=client",
            Ok("dry-run=client output=name | "),
        );
        check("-f a -f b -- -f c", Ok("filename=a+b | -f c"));
        check("--nope", Err("unknown flag: --nope"));
        check("-x", Err("unknown shorthand flag: 'x' in -x"));
        check("--output", Err("flag needs an argument: --output"));
        check("-o", Err("flag needs an argument: 'o' in -o"));
        check(
            "--watch=maybe",
            Err(
                "invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \
                 \"maybe\": invalid syntax",
            ),
        );
    }
}
