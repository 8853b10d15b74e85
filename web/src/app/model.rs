//! All the app knows, and what it does when the worker speaks. No browser in here.

use std::rc::Rc;

use super::act::Pane;
use super::progress::Progress;
use super::route::Route;
use super::settings::{Settings, Theme};
use crate::protocol::{FromWorker, LessonView, Picture, Place, Request, Speed, Track};

/// Requests that are remembered.
const REQUESTS: usize = 40;

/// How the work on a place stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is open.
    Idle,
    /// The world is being made.
    Opening {
        /// What is going on.
        doing: String,
        /// Virtual nanoseconds so far.
        at: u64,
    },
    /// The world runs.
    Working,
    /// What was saved cannot be read.
    Refused(String),
    /// The place cannot be opened.
    Impossible(String),
    /// The worker broke more than once in a row.
    Broken(String),
}

/// A terminal's tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// The terminal's number.
    pub terminal: u32,
    /// The machine it is on.
    pub machine: String,
}

/// The world's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Virtual nanoseconds since the world began.
    pub at: u64,
    /// The machines' wall clock.
    pub unix_secs: i64,
    /// The speed now.
    pub speed: Speed,
    /// The speed to go on with after a pause.
    pub resume: Speed,
}

/// A file to edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// To be named in the answer.
    pub request: u64,
    /// The file's path.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Something said at the page's edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u64,
    /// A sentence.
    pub text: String,
    /// It tells of trouble.
    pub bad: bool,
}

/// All the app knows.
#[derive(Debug)]
pub struct Model {
    /// Where one is.
    pub route: Route,
    /// The lessons there are, none until the worker said so.
    pub tracks: Option<Rc<Vec<Track>>>,
    /// How far one came.
    pub progress: Rc<Progress>,
    /// How the work stands.
    pub phase: Phase,
    /// The lesson that is open.
    pub lesson: Option<Rc<LessonView>>,
    /// Machines and pods.
    pub picture: Rc<Picture>,
    /// The latest requests, oldest first.
    pub requests: Rc<Vec<Rc<Request>>>,
    /// Why the request that was asked for last could not be made, empty if it could.
    pub refused: Rc<str>,
    /// Machines a terminal can be opened on.
    pub machines: Rc<Vec<String>>,
    /// Terminals.
    pub tabs: Rc<Vec<Tab>>,
    /// The terminal that is shown.
    pub active: Option<u32>,
    /// The world's time.
    pub clock: Clock,
    /// The open editor.
    pub editing: Option<Rc<Editing>>,
    /// What was said and not taken away.
    pub notices: Rc<Vec<Notice>>,
    /// The pane that has the whole page.
    pub maximised: Option<Pane>,
    /// The pane that a narrow page shows.
    pub pane: Pane,
    /// Light or dark.
    pub theme: Theme,
    /// Other choices.
    pub settings: Rc<Settings>,
    last_notice: u64,
}

/// What the app has to do after the worker spoke.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// A terminal is gone.
    Drop(u32),
    /// Move the keyboard to a terminal.
    Focus(u32),
    /// The world runs and has no terminal: open the first.
    NeedTerminal,
    /// Keep a save.
    Keep(Vec<u8>),
    /// A save holds inputs up to this number.
    Saved(u64),
    /// Progress has news to keep.
    KeepProgress,
    /// The worker broke and says so itself.
    Broke(String),
}

impl Model {
    /// At the beginning.
    pub fn new(route: Route, theme: Theme, settings: Settings, progress: Progress) -> Model {
        Model {
            route,
            tracks: None,
            progress: Rc::new(progress),
            phase: Phase::Idle,
            lesson: None,
            picture: Rc::default(),
            requests: Rc::default(),
            refused: Rc::default(),
            machines: Rc::default(),
            tabs: Rc::default(),
            active: None,
            clock: Clock {
                at: 0,
                unix_secs: 0,
                speed: Speed::Times(1),
                resume: Speed::Times(1),
            },
            editing: None,
            notices: Rc::default(),
            maximised: None,
            pane: Pane::Lesson,
            theme,
            settings: Rc::new(settings),
            last_notice: 0,
        }
    }

    /// Forgets the world that was open.
    pub fn clear_world(&mut self) {
        self.lesson = None;
        self.picture = Rc::default();
        self.requests = Rc::default();
        self.refused = Rc::default();
        self.machines = Rc::default();
        self.tabs = Rc::default();
        self.active = None;
        self.editing = None;
        self.maximised = None;
        self.clock.at = 0;
    }

    /// The place one is at.
    pub fn place(&self) -> Option<&Place> {
        match &self.route {
            Route::Work(place) => Some(place),
            Route::Home => None,
        }
    }

    /// Says something at the page's edge, once.
    pub fn say(&mut self, text: String, bad: bool) {
        if self.notices.iter().any(|notice| notice.text == text) {
            return;
        }
        self.last_notice += 1;
        Rc::make_mut(&mut self.notices).push(Notice {
            id: self.last_notice,
            text,
            bad,
        });
    }

    /// Takes a notice away.
    pub fn dismiss(&mut self, id: u64) {
        Rc::make_mut(&mut self.notices).retain(|notice| notice.id != id);
    }

    /// The lesson after this one, in its track.
    pub fn next_lesson(&self) -> Option<String> {
        let Some(Place::Lesson(id)) = self.place() else {
            return None;
        };
        let track = self.tracks.iter().flat_map(|tracks| tracks.iter());
        let mut after = track
            .flat_map(|track| &track.lessons)
            .skip_while(|card| card.id != *id);
        after.nth(1).map(|card| card.id.clone())
    }

    /// Takes in what the worker said.
    pub fn hear(&mut self, message: FromWorker) -> Vec<Effect> {
        match message {
            FromWorker::Hello { tracks } => self.tracks = Some(Rc::new(tracks)),
            FromWorker::Progress { doing, at } => self.phase = Phase::Opening { doing, at },
            FromWorker::Opened { place, machines } => return self.opened(&place, machines),
            FromWorker::TerminalOpened { terminal, machine } => {
                let tabs = Rc::make_mut(&mut self.tabs);
                tabs.retain(|tab| tab.terminal != terminal);
                tabs.push(Tab { terminal, machine });
                self.active = Some(terminal);
                return vec![Effect::Focus(terminal)];
            }
            // Bytes go straight to their terminal, past the model.
            FromWorker::TerminalData { .. } => {}
            FromWorker::TerminalClosed(terminal) => return self.terminal_closed(terminal),
            FromWorker::OpenEditor {
                request,
                path,
                text,
            } => {
                self.editing = Some(Rc::new(Editing {
                    request,
                    path,
                    text,
                }));
            }
            FromWorker::CloseEditor(request) => {
                if self
                    .editing
                    .as_ref()
                    .is_some_and(|editing| editing.request == request)
                {
                    self.editing = None;
                }
            }
            FromWorker::Lesson(view) => {
                let news = Rc::make_mut(&mut self.progress).note(&view);
                self.lesson = Some(Rc::new(*view));
                return if news {
                    vec![Effect::KeepProgress]
                } else {
                    Vec::new()
                };
            }
            FromWorker::Picture(change) => Rc::make_mut(&mut self.picture).apply(*change),
            FromWorker::Requests { reset, requests } => {
                if reset {
                    self.requests = Rc::default();
                }
                requests
                    .into_iter()
                    .for_each(|request| self.requested(request));
            }
            FromWorker::Asked(Ok(request)) => {
                self.refused = Rc::default();
                self.requested(*request);
            }
            FromWorker::Asked(Err(why)) => self.refused = why.into(),
            FromWorker::Clock {
                at,
                unix_secs,
                speed,
            } => {
                let resume = if speed == Speed::Paused {
                    self.clock.resume
                } else {
                    speed
                };
                self.clock = Clock {
                    at,
                    unix_secs,
                    speed,
                    resume,
                };
            }
            FromWorker::Save { blob, through } => {
                return vec![Effect::Keep(blob), Effect::Saved(through)];
            }
            FromWorker::SaveRefused { why } => self.phase = Phase::Refused(why),
            FromWorker::CannotOpen { why } => self.phase = Phase::Impossible(why),
            FromWorker::Notice(text) => self.say(text, false),
            FromWorker::Failed { message } => return vec![Effect::Broke(message)],
        }
        Vec::new()
    }

    /// A request was made, or made again.
    fn requested(&mut self, request: Request) {
        let requests = Rc::make_mut(&mut self.requests);
        requests.retain(|known| known.id != request.id);
        requests.push(Rc::new(request));
        let surplus = requests.len().saturating_sub(REQUESTS);
        requests.drain(..surplus);
    }

    fn opened(&mut self, place: &Place, machines: Vec<String>) -> Vec<Effect> {
        if self.place() != Some(place) {
            return Vec::new();
        }
        self.phase = Phase::Working;
        self.machines = Rc::new(machines);
        if self.tabs.is_empty() {
            vec![Effect::NeedTerminal]
        } else {
            Vec::new()
        }
    }

    fn terminal_closed(&mut self, terminal: u32) -> Vec<Effect> {
        let at = self.tabs.iter().position(|tab| tab.terminal == terminal);
        Rc::make_mut(&mut self.tabs).retain(|tab| tab.terminal != terminal);
        let mut effects = vec![Effect::Drop(terminal)];
        if self.active == Some(terminal) {
            let beside = at.unwrap_or(0).min(self.tabs.len().saturating_sub(1));
            self.active = self.tabs.get(beside).map(|tab| tab.terminal);
            effects.extend(self.active.map(Effect::Focus));
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Input, LessonCard};

    fn at_work() -> Model {
        let place = Place::Lesson("basics/01-first".to_owned());
        Model::new(
            Route::Work(place),
            Theme::System,
            Settings::default(),
            Progress::default(),
        )
    }

    fn opened(terminal: u32) -> FromWorker {
        FromWorker::TerminalOpened {
            terminal,
            machine: "controlplane".to_owned(),
        }
    }

    #[test]
    fn a_world_without_terminals_gets_one() {
        let mut model = at_work();
        let place = model.place().unwrap().clone();
        let machines = vec!["controlplane".to_owned()];
        let effects = model.hear(FromWorker::Opened {
            place: place.clone(),
            machines,
        });
        assert_eq!(effects, [Effect::NeedTerminal]);
        assert_eq!(model.phase, Phase::Working);
        model.hear(opened(1));
        let again = model.hear(FromWorker::Opened {
            place,
            machines: Vec::new(),
        });
        assert_eq!(again, []);
    }

    #[test]
    fn a_world_of_another_place_is_not_shown() {
        let mut model = at_work();
        model.hear(FromWorker::Opened {
            place: Place::Sandbox,
            machines: Vec::new(),
        });
        assert_eq!(model.phase, Phase::Idle);
    }

    #[test]
    fn closing_the_shown_terminal_shows_its_neighbour() {
        let mut model = at_work();
        for terminal in 1..=3 {
            model.hear(opened(terminal));
        }
        model.active = Some(2);
        let effects = model.hear(FromWorker::TerminalClosed(2));
        assert_eq!(effects, [Effect::Drop(2), Effect::Focus(3)]);
        assert_eq!(model.active, Some(3));
        model.hear(FromWorker::TerminalClosed(1));
        assert_eq!(model.active, Some(3));
        assert_eq!(model.hear(FromWorker::TerminalClosed(3)), [Effect::Drop(3)]);
    }

    #[test]
    fn a_pause_remembers_the_speed() {
        let mut model = at_work();
        let clock = |speed| FromWorker::Clock {
            at: 1,
            unix_secs: 2,
            speed,
        };
        model.hear(clock(Speed::Times(10)));
        model.hear(clock(Speed::Paused));
        assert_eq!(model.clock.resume, Speed::Times(10));
    }

    #[test]
    fn the_next_lesson_is_the_one_after() {
        let mut model = at_work();
        assert_eq!(model.next_lesson(), None);
        let card = |id: &str| LessonCard {
            id: id.to_owned(),
            title: String::new(),
            summary: String::new(),
            minutes: 0,
            steps: 1,
        };
        let lessons = vec![card("basics/01-first"), card("basics/02-second")];
        let track = Track {
            id: "basics".to_owned(),
            title: "Basics".to_owned(),
            summary: String::new(),
            lessons,
        };
        model.hear(FromWorker::Hello {
            tracks: vec![track],
        });
        assert_eq!(model.next_lesson().as_deref(), Some("basics/02-second"));
    }

    #[test]
    fn the_same_is_not_said_twice() {
        let mut model = at_work();
        model.say("full".to_owned(), true);
        model.say("full".to_owned(), true);
        assert_eq!(model.notices.len(), 1);
        model.dismiss(model.notices[0].id);
        assert!(model.notices.is_empty());
    }

    #[test]
    fn inputs_round_trip_as_bytes() {
        let input = Input::Keys {
            terminal: 3,
            bytes: b"kubectl get pods\r".to_vec(),
        };
        let bytes = crate::codec::encode(&input);
        assert_eq!(crate::codec::decode(&bytes), Ok(input));
    }
}
