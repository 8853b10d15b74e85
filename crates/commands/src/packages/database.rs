//! What is installed: dpkg's status file.

use machine::Io;

use super::STATUS;
use super::paragraph::Paragraph;

/// A package that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installed(pub(crate) Paragraph);

impl Installed {
    pub(crate) fn name(&self) -> &str {
        self.0.get("Package")
    }

    pub(crate) fn version(&self) -> &str {
        self.0.get("Version")
    }

    /// Whether it is to stay at its version.
    pub(crate) fn is_held(&self) -> bool {
        self.0.get("Status").starts_with("hold ")
    }

    pub(crate) fn hold(&mut self, held: bool) {
        let wish = if held { "hold" } else { "install" };
        self.0.set("Status", format!("{wish} ok installed"));
    }
}

/// Reads what is installed, by name.
pub(crate) async fn read(io: &Io) -> Vec<Installed> {
    let text = io.read_to_string(STATUS).await.unwrap_or_default();
    let mut all: Vec<Installed> = Paragraph::read_all(&text)
        .into_iter()
        .map(Installed)
        .collect();
    all.sort_by(|a, b| a.name().cmp(b.name()));
    all
}

/// Writes what is installed.
pub(crate) async fn write(io: &Io, all: &[Installed]) {
    let paragraphs: Vec<Paragraph> = all.iter().map(|package| package.0.clone()).collect();
    let text = Paragraph::write_all(&paragraphs);
    // A machine without dpkg's directory has nothing to keep.
    let _ = io.write_file(STATUS, text.as_bytes()).await;
}
