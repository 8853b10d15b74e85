//! Paragraphs of fields, the form of dpkg's and apt's files. Knows no field in particular.
//!
//! Models deb822(5).

/// Fields by name, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paragraph(pub(crate) Vec<(String, String)>);

impl Paragraph {
    /// The paragraphs of a text.
    pub(crate) fn read_all(text: &str) -> Vec<Paragraph> {
        let mut all = Vec::new();
        let mut open = Paragraph::default();
        for line in text.lines() {
            if line.trim().is_empty() {
                all.extend((!open.0.is_empty()).then(|| std::mem::take(&mut open)));
            } else if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = open.0.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                open.0.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        all.extend((!open.0.is_empty()).then_some(open));
        all
    }

    /// The text of paragraphs, an empty line after each.
    pub(crate) fn write_all(all: &[Paragraph]) -> String {
        let fields = |paragraph: &Paragraph| -> String {
            let lines = paragraph.0.iter();
            lines
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect()
        };
        all.iter().map(|p| fields(p) + "\n").collect()
    }

    /// A field, empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Sets a field.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "Package: a\nDescription: one\n two\n\nPackage: b\n\n";
        let all = Paragraph::read_all(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].get("Description"), "one\n two");
        assert_eq!(all[1].get("Version"), "");
        assert_eq!(Paragraph::write_all(&all), text);
    }
}
