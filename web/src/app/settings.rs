//! What a person chose about the page. Kept as `name=value` lines; a damaged line means the default.

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// All choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Width of the lesson in pixels, none for what suits the window.
    pub lesson_px: Option<u32>,
    /// Height of the terminals in hundredths of the window.
    pub terminals_percent: u32,
    /// The picture is a table.
    pub table: bool,
    /// Terminals are read out to a screen reader.
    pub aloud: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            lesson_px: None,
            terminals_percent: 40,
            table: false,
            aloud: false,
        }
    }
}

impl Theme {
    /// The theme a kept word means.
    pub fn parse(word: Option<&str>) -> Theme {
        match word {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        }
    }

    /// The word to keep; index.html reads it before the app runs.
    pub fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The next one when a person presses the switch.
    pub fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }
}

impl Settings {
    /// Reads what [`Settings::print`] wrote.
    pub fn parse(text: &str) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match name {
                "lesson" => settings.lesson_px = value.parse().ok().filter(|px| *px < 4000),
                "terminals" => {
                    settings.terminals_percent = value.parse().unwrap_or(40).clamp(10, 85);
                }
                "table" => settings.table = value == "true",
                "aloud" => settings.aloud = value == "true",
                _ => {}
            }
        }
        settings
    }

    /// As lines to keep.
    pub fn print(&self) -> String {
        let Self {
            lesson_px,
            terminals_percent,
            table,
            aloud,
        } = self;
        let lesson = lesson_px
            .map(|px| format!("lesson={px}\n"))
            .unwrap_or_default();
        format!("{lesson}terminals={terminals_percent}\ntable={table}\naloud={aloud}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_damage_means_the_default() {
        let chosen = Settings {
            lesson_px: Some(500),
            terminals_percent: 60,
            table: true,
            aloud: false,
        };
        assert_eq!(Settings::parse(&chosen.print()), chosen);
        assert_eq!(
            Settings::parse("lesson=wide\nterminals=\n=\n\u{0}"),
            Settings::default()
        );
        assert_eq!(Settings::parse("terminals=900").terminals_percent, 85);
    }
}
