//! File names: patterns matched against directories.
//!
//! Models pathexp.c of bash and lib/glob.

use std::rc::Rc;

use machine::FileKind;

use super::field::Field;
use super::{Expander, Failure, Stop};
use crate::pattern::Pattern;

/// Directories a `**` looks into at most.
const MAX_DIRECTORIES: usize = 10_000;

impl Expander<'_, '_> {
    /// The files a field names if it is a pattern, else the field itself.
    pub(super) fn glob(&mut self, field: &Field, out: &mut Vec<Rc<str>>) -> Result<(), Stop> {
        if self.state.options.noglob || !field.is_pattern() {
            out.push(field.text().into());
            return Ok(());
        }
        let mut found = self.files(&field.pattern());
        if found.is_empty() {
            if self.state.options.shopt("failglob") {
                let message = format!("no match: {}", field.text());
                return Err(Stop::Fail(Failure::new(message)));
            }
            if !self.state.options.shopt("nullglob") {
                out.push(field.text().into());
            }
            return Ok(());
        }
        found.sort();
        out.extend(found.into_iter().map(Rc::from));
        Ok(())
    }

    /// Paths that match a pattern, each name of it by itself.
    pub(crate) fn files(&mut self, pattern: &str) -> Vec<String> {
        let rooted = pattern.starts_with('/');
        let mut found = vec![if rooted {
            "/".to_owned()
        } else {
            String::new()
        }];
        let names: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty()).collect();
        let only_dirs = pattern.ends_with('/');
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            let mut next = Vec::new();
            if *name == "**" && self.state.options.shopt("globstar") {
                for dir in &found {
                    self.below(dir, last, &mut next);
                }
            } else {
                let compiled = Pattern::new(name);
                for dir in &found {
                    self.matching(dir, &compiled, last && !only_dirs, &mut next);
                }
            }
            found = next;
        }
        if only_dirs {
            found.iter_mut().for_each(|path| path.push('/'));
        }
        found
    }

    /// Entries of `dir` that match; only directories unless they are the `last` name.
    fn matching(&mut self, dir: &str, pattern: &Pattern, last: bool, out: &mut Vec<String>) {
        if let Some(name) = pattern.as_plain() {
            let path = join(dir, &name);
            let found = if last {
                self.sys.lstat(&path)
            } else {
                self.sys.stat(&path)
            };
            if found.is_ok_and(|stat| last || stat.is_dir()) {
                out.push(path);
            }
            return;
        }
        let dotted = pattern.begins_with_dot();
        let hidden = dotted || self.state.options.shopt("dotglob");
        let Ok(entries) = self.sys.read_dir(if dir.is_empty() { "." } else { dir }) else {
            return;
        };
        for entry in entries {
            if (entry.name.starts_with('.') && !hidden) || !pattern.matches(&entry.name) {
                continue;
            }
            let path = join(dir, &entry.name);
            let is_dir = match entry.stat.kind {
                FileKind::Dir => true,
                FileKind::Symlink => self.sys.stat(&path).is_ok_and(|stat| stat.is_dir()),
                _ => false,
            };
            if last || is_dir {
                out.push(path);
            }
        }
        if dotted {
            let dots = [".", ".."].iter().filter(|name| pattern.matches(name));
            out.extend(dots.map(|name| join(dir, name)));
        }
    }

    /// `**`: the directory, and what is below it.
    fn below(&mut self, dir: &str, files: bool, out: &mut Vec<String>) {
        let mut todo = vec![dir.to_owned()];
        let mut seen = 0;
        while let Some(dir) = todo.pop() {
            seen += 1;
            if seen > MAX_DIRECTORIES {
                return;
            }
            if !files {
                out.push(dir.clone());
            }
            let Ok(entries) = self.sys.read_dir(if dir.is_empty() { "." } else { &dir }) else {
                continue;
            };
            for entry in entries
                .into_iter()
                .filter(|entry| !entry.name.starts_with('.'))
            {
                let path = join(&dir, &entry.name);
                if files {
                    out.push(path.clone());
                }
                if entry.stat.is_dir() {
                    todo.push(path);
                }
            }
        }
    }
}

fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        _ if dir.ends_with('/') => format!("{dir}{name}"),
        _ => format!("{dir}/{name}"),
    }
}
