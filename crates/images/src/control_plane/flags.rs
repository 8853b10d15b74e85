//! The command line of a component: `--name=value`, `--name value`, `--switch`.

use std::rc::Rc;

/// Flags in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(Vec<(Rc<str>, Rc<str>)>);

impl Flags {
    /// Reads the arguments after the first. A flag without a value counts as `true`.
    pub(crate) fn read(args: &[Rc<str>]) -> Flags {
        let mut flags = Vec::new();
        let mut rest = args.iter().skip(1).peekable();
        while let Some(arg) = rest.next() {
            let Some(flag) = arg.strip_prefix("--") else {
                continue;
            };
            match flag.split_once('=') {
                Some((name, value)) => flags.push((name.into(), value.into())),
                None => {
                    let value = rest.next_if(|next| !next.starts_with('-')).cloned();
                    flags.push((flag.into(), value.unwrap_or_else(|| "true".into())));
                }
            }
        }
        Flags(flags)
    }

    /// The last value of a flag.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// The last value of a flag, or `other`.
    pub(crate) fn or<'a>(&'a self, name: &str, other: &'a str) -> &'a str {
        self.get(name).unwrap_or(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_in_all_their_forms() {
        let args = [
            "etcd",
            "--name=a",
            "--data-dir",
            "/d",
            "--auto-tls",
            "--name=b",
        ];
        let flags = Flags::read(&args.map(Rc::from));
        assert_eq!(flags.get("name"), Some("b"));
        assert_eq!(flags.get("data-dir"), Some("/d"));
        assert_eq!(flags.get("auto-tls"), Some("true"));
        assert_eq!(flags.or("missing", "x"), "x");
    }
}
