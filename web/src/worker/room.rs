//! An open world: runs it by the wall's clock and says what the panels show.

use lab::views::PictureReader;
use lab::{Output, TerminalId};
use sim::{Duration, Instant};

use super::convert::{self, Parts};
use super::guide;
use super::pace::Pace;
use super::requests::Requests;
use super::screens::Screens;
use super::world::{Readiness, World};
use crate::protocol::{
    Asker, FromWorker, Input, LessonView, Picture, PictureChange, Place, Speed, Watched,
};
use crate::services::clock::Clock;

/// How long one turn may take; longer would delay keys and views.
const TURN_MS: f64 = 14.0;
/// The same while a world is made and nobody can type.
const MAKING_MS: f64 = 40.0;
/// Events between two looks at the clock.
const CHUNK: u64 = 400;
/// The virtual time in which keys are answered at once, whatever the pace.
const ECHO: Duration = Duration::from_millis(2);
/// A step that finds nothing in this much virtual time ends.
const STEP_MOST: Duration = Duration::from_secs(600);
/// The least time between two saves of a log that grows.
const SAVE_EVERY_MS: f64 = 250.0;
/// The time between two saves of a world that only grows older.
const SAVE_AGE_MS: f64 = 4000.0;

/// An open world.
pub struct Room {
    place: Place,
    world: World,
    open: bool,
    pace: Pace,
    /// A step runs until something happens, at the latest until then.
    step_until: Option<Instant>,
    echo_until: Instant,
    watched: Watched,
    reader: PictureReader,
    parts: Parts,
    picture: Picture,
    requests: Requests,
    lesson: Option<LessonView>,
    /// The step the lesson panel shows.
    page: usize,
    screens: Screens,
    /// The screens when each step began.
    screens_before: Vec<Screens>,
    /// Steps that began in an earlier visit: their checkpoints hold what was shown until then.
    replayed: usize,
    told: Option<(i64, Speed)>,
    /// Inputs that came before the world was there.
    waiting: Vec<(u64, Input)>,
    through: u64,
    saved: (usize, u64),
    saved_ms: f64,
    out: Vec<FromWorker>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Room {
    /// A room for a world; `restored` says that it comes from a save and was in use.
    pub fn new(place: Place, world: World, restored: bool, speed: Speed, watched: Watched) -> Room {
        let mut room = Room {
            place,
            world,
            open: false,
            pace: Pace::new(speed),
            step_until: None,
            echo_until: Instant::ZERO,
            watched: Watched::default(),
            reader: PictureReader::default(),
            parts: Parts::default(),
            picture: Picture::default(),
            requests: Requests::default(),
            lesson: None,
            page: 0,
            screens: Screens::default(),
            screens_before: Vec::new(),
            replayed: 0,
            told: None,
            waiting: Vec::new(),
            through: 0,
            saved: (usize::MAX, 0),
            saved_ms: 0.0,
            out: Vec::new(),
        };
        room.watch(watched);
        if restored {
            room.replayed = room
                .world
                .session()
                .map_or(0, |session| session.current() + 1);
            room.open();
        }
        room
    }

    /// What is to be said since the last call.
    pub fn say(&mut self) -> Vec<FromWorker> {
        std::mem::take(&mut self.out)
    }

    /// Runs at this speed from now on.
    pub fn set_speed(&mut self, speed: Speed) {
        self.step_until = None;
        self.pace = Pace::new(speed);
    }

    /// Runs until something happens, then stands still.
    pub fn step(&mut self) {
        self.step_until = Some(self.world.lab().now() + STEP_MOST);
    }

    /// Sends views for these panels from now on.
    pub fn watch(&mut self, watched: Watched) {
        if watched.picture && !self.watched.picture {
            self.picture = Picture::default();
            self.reader.read_again();
            self.requests.forget();
            let reset = PictureChange {
                reset: true,
                ..PictureChange::default()
            };
            self.out.push(FromWorker::Picture(Box::new(reset)));
        }
        self.watched = watched;
    }

    /// Makes a request in a copy of the world and says what became of it.
    pub fn ask(&mut self, from: &Asker, to: &str, udp: bool) {
        if self.open {
            let answer = self.requests.ask(self.world.lab(), from, to, udp);
            self.out.push(answer);
        }
    }

    /// Takes what a person did.
    pub fn input(&mut self, number: u64, input: Input) {
        if !self.open {
            self.waiting.push((number, input));
            return;
        }
        self.through = number;
        let done = match input {
            Input::OpenTerminal {
                machine,
                cols,
                rows,
            } => self.open_terminal(machine, cols, rows),
            Input::CloseTerminal(terminal) => {
                self.close_terminal(terminal);
                self.give(lab::Input::CloseTerminal {
                    terminal: TerminalId(terminal),
                })
            }
            Input::Keys { terminal, bytes } => self.give(lab::Input::Keys {
                terminal: TerminalId(terminal),
                bytes: bytes.into(),
            }),
            Input::Resize {
                terminal,
                cols,
                rows,
            } => {
                let terminal = TerminalId(terminal);
                self.give(lab::Input::Resize {
                    terminal,
                    columns: cols,
                    rows,
                })
            }
            Input::EditorClosed { request, text } => self.give(lab::Input::Edited {
                request,
                text: text.map(Into::into),
            }),
            Input::RestartStep | Input::RevealHint | Input::Answer(_) | Input::GoToStep(_) => {
                self.learn(input);
                Ok(())
            }
        };
        if let Err(why) = done {
            self.out
                .push(FromWorker::Notice(format!("That did not work: {why}.")));
        }
        self.echo_until = self.world.lab().now() + ECHO;
    }

    fn give(&mut self, input: lab::Input) -> Result<(), String> {
        self.world.apply(input).map(|_| ())
    }

    fn open_terminal(&mut self, machine: String, cols: u16, rows: u16) -> Result<(), String> {
        let name = machine.as_str().into();
        let input = lab::Input::OpenTerminal {
            machine: name,
            columns: cols,
            rows,
        };
        if let Some(TerminalId(terminal)) = self.world.apply(input)? {
            self.out
                .push(FromWorker::TerminalOpened { terminal, machine });
        }
        Ok(())
    }

    fn close_terminal(&mut self, terminal: u32) {
        self.screens.forget(terminal);
        self.out.push(FromWorker::TerminalClosed(terminal));
    }

    /// Takes what a person did with the lesson.
    fn learn(&mut self, input: Input) {
        let terminals = self.open_terminals();
        let Some(session) = self.world.session_mut() else {
            return;
        };
        match input {
            Input::RevealHint => {
                session.hint();
            }
            Input::Answer(choice) => {
                session.predict(choice as usize);
            }
            Input::GoToStep(step) => {
                let step = step as usize;
                if step == session.current() + 1 && session.next_step() {
                    self.step_began();
                }
                let taken = self.world.session().map_or(0, |session| session.current());
                self.page = step.min(taken);
            }
            Input::RestartStep => {
                let step = session.current();
                if session.restart_step(step) {
                    self.went_back(step, terminals);
                }
            }
            _ => {}
        }
        // Whatever it was is worth a save.
        self.saved = (usize::MAX, 0);
    }

    /// Remembers the screens with which a step begins.
    fn step_began(&mut self) {
        let taken = self.world.session().map_or(0, |session| session.current());
        self.screens_before.resize(taken, Screens::default());
        self.screens_before.push(self.screens.clone());
        self.page = taken;
    }

    /// The world is what it was when a step began: so are the terminals. Those that were opened
    /// since (`were` tells which there were) begin anew on their machines.
    fn went_back(&mut self, step: usize, were: Vec<(u32, String)>) {
        let outputs = self.world.lab_mut().take_outputs();
        self.screens_before.resize(step + 1, Screens::default());
        if step < self.replayed {
            self.screens_before[step] = Screens::default();
            self.screens_before[step].show_all(&outputs);
        }
        self.screens = self.screens_before[step].clone();
        self.page = step;
        self.reader.forget();
        self.world.lab_mut().keep_requests();
        self.tell_terminals();
        let are = self.open_terminals();
        let gone = were
            .into_iter()
            .filter(|(id, _)| !are.iter().any(|(there, _)| there == id));
        for (terminal, machine) in gone.collect::<Vec<_>>() {
            self.out.push(FromWorker::TerminalClosed(terminal));
            if let Err(why) = self.open_terminal(machine, 100, 24) {
                self.out
                    .push(FromWorker::Notice(format!("A terminal is gone: {why}.")));
            }
        }
    }

    /// Number and machine of each terminal that is open.
    fn open_terminals(&self) -> Vec<(u32, String)> {
        let terminals = (1u32..).zip(self.world.lab().terminals());
        let open = terminals.filter(|(_, terminal)| terminal.open);
        open.map(|(id, terminal)| (id, terminal.machine.to_string()))
            .collect()
    }

    /// Works for some milliseconds; says in how many to come back, none to sleep.
    pub fn work(&mut self, clock: &dyn Clock) -> Option<u32> {
        if !self.open {
            return self.make(clock);
        }
        let again = if self.step_until.is_some() {
            self.run_step(clock)
        } else {
            self.run(clock)
        };
        self.tell();
        self.save(clock.now_ms());
        again
    }

    fn make(&mut self, clock: &dyn Clock) -> Option<u32> {
        let end_ms = clock.now_ms() + MAKING_MS;
        loop {
            let doing = match self.world.readiness() {
                Readiness::Ready => {
                    self.open();
                    return Some(0);
                }
                Readiness::Never(why) => {
                    self.out.push(FromWorker::CannotOpen { why });
                    return None;
                }
                Readiness::Not(doing) => doing,
            };
            if clock.now_ms() > end_ms {
                let at = self.world.lab().now().as_nanos();
                self.out.push(FromWorker::Progress { doing, at });
                return Some(0);
            }
            let next = self.world.lab().now() + Duration::from_millis(250);
            self.advance(next, clock, end_ms);
        }
    }

    /// Runs the world until `until`; says whether it got there in time.
    fn advance(&mut self, until: Instant, clock: &dyn Clock, end_ms: f64) -> bool {
        loop {
            if self.world.advance(until, CHUNK) < CHUNK {
                return true;
            }
            if clock.now_ms() > end_ms {
                return false;
            }
        }
    }

    /// The world is there: says what is in it, and takes what was done meanwhile.
    fn open(&mut self) {
        self.open = true;
        self.world.lab_mut().keep_requests();
        self.collect_screens();
        self.step_began();
        // The page opens a terminal where there is none, so it hears of terminals first.
        for (terminal, machine) in self.open_terminals() {
            self.out
                .push(FromWorker::TerminalOpened { terminal, machine });
        }
        let nodes = &self.world.lab().spec().nodes;
        let machines = nodes.iter().map(|node| node.name.to_string()).collect();
        self.out.push(FromWorker::Opened {
            place: self.place.clone(),
            machines,
        });
        self.tell_terminals();
        for (number, input) in std::mem::take(&mut self.waiting) {
            self.input(number, input);
        }
    }

    /// Takes in what terminals showed while a world was made again.
    fn collect_screens(&mut self) {
        let mut asked = None;
        let outputs = self.world.lab_mut().take_outputs();
        self.screens.show_all(&outputs);
        for output in outputs {
            if let Output::Edit {
                request,
                path,
                text,
            } = output
            {
                asked = Some((request, path, text));
            }
        }
        let answers = |logged: &lab::Logged, to: u64| matches!(logged.input, lab::Input::Edited { request, .. } if request == to);
        let log = self.world.lab().log();
        let open = asked.filter(|(request, ..)| !log.iter().any(|l| answers(l, *request)));
        if let Some((request, path, text)) = open {
            let (path, text) = (path.to_string(), text.to_string());
            self.out.push(FromWorker::OpenEditor {
                request,
                path,
                text,
            });
        }
    }

    fn tell_terminals(&mut self) {
        for (terminal, _) in self.open_terminals() {
            let bytes = self.screens.again(terminal);
            self.out.push(FromWorker::TerminalData { terminal, bytes });
        }
    }

    fn run(&mut self, clock: &dyn Clock) -> Option<u32> {
        let start_ms = clock.now_ms();
        let now = self.world.lab().now();
        let paced = self.pace.until(start_ms, now.as_nanos())?;
        // A world at full speed stops for views now and then.
        let most = (now + Duration::from_secs(3600)).as_nanos();
        let until = Instant::from_nanos(paced.min(most)).max(self.echo_until);
        let arrived = self.advance(until, clock, start_ms + TURN_MS);
        if !arrived || self.pace.speed() == Speed::Max {
            return Some(0);
        }
        let lab = self.world.lab();
        let ahead = lab
            .next_at()
            .map_or(u64::MAX, |at| at.as_nanos() - lab.now().as_nanos());
        Some(self.pace.wait_ms(ahead))
    }

    fn run_step(&mut self, clock: &dyn Clock) -> Option<u32> {
        let end_ms = clock.now_ms() + TURN_MS;
        while clock.now_ms() < end_ms {
            let next = self
                .world
                .lab()
                .next_at()
                .filter(|next| Some(*next) <= self.step_until);
            let Some(next) = next else {
                self.out.push(FromWorker::Notice(
                    "Nothing happens for ten minutes.".to_owned(),
                ));
                self.end_step();
                return None;
            };
            // What belongs together happens within a few milliseconds.
            self.world
                .advance(next + Duration::from_millis(5), u64::MAX);
            if self.tell_outputs() | self.tell_lesson() | self.tell_picture() {
                self.end_step();
                return None;
            }
        }
        Some(0)
    }

    fn end_step(&mut self) {
        self.step_until = None;
        self.pace = Pace::new(Speed::Paused);
    }

    fn tell(&mut self) {
        self.tell_outputs();
        self.tell_lesson();
        if self.watched.picture {
            self.tell_picture();
            self.tell_requests();
        }
        let now = self.world.lab().now();
        let told = (now.unix_secs(), self.pace.speed());
        if self.told != Some(told) {
            self.told = Some(told);
            let (unix_secs, speed) = told;
            self.out.push(FromWorker::Clock {
                at: now.as_nanos(),
                unix_secs,
                speed,
            });
        }
    }

    /// Says what came out; one message for what one terminal shows in a turn.
    fn tell_outputs(&mut self) -> bool {
        let outputs = self.world.lab_mut().take_outputs();
        let any = !outputs.is_empty();
        for output in outputs {
            match output {
                Output::Terminal { terminal, bytes } => self.tell_bytes(terminal.0, bytes),
                Output::TerminalClosed { terminal, .. } => self.close_terminal(terminal.0),
                Output::Wire { .. } => {}
                Output::Edit {
                    request,
                    path,
                    text,
                } => {
                    let (path, text) = (path.to_string(), text.to_string());
                    self.out.push(FromWorker::OpenEditor {
                        request,
                        path,
                        text,
                    });
                }
            }
        }
        any
    }

    fn tell_bytes(&mut self, terminal: u32, bytes: Vec<u8>) {
        self.screens.show(terminal, &bytes);
        match self.out.last_mut() {
            Some(FromWorker::TerminalData {
                terminal: last,
                bytes: before,
            }) if *last == terminal => {
                before.extend(bytes);
            }
            _ => self.out.push(FromWorker::TerminalData { terminal, bytes }),
        }
    }

    /// Looks at the lesson's checks and says how it stands; says whether that is news.
    fn tell_lesson(&mut self) -> bool {
        let Place::Lesson(id) = &self.place else {
            return false;
        };
        let Some(session) = self.world.session_mut() else {
            return false;
        };
        session.look();
        let view = guide::view(session, id, self.page);
        if self.lesson.as_ref() == Some(&view) {
            return false;
        }
        self.lesson = Some(view.clone());
        self.out.push(FromWorker::Lesson(Box::new(view)));
        true
    }

    /// Says what changed in the picture; says whether anything did.
    fn tell_picture(&mut self) -> bool {
        let Some(view) = self.reader.read(self.world.lab()) else {
            return false;
        };
        let now = convert::picture(&view, &mut self.parts);
        let change = self.picture.change_to(&now);
        self.picture = now;
        if change.is_empty() {
            return false;
        }
        self.out.push(FromWorker::Picture(Box::new(change)));
        true
    }

    /// Says which requests were made.
    fn tell_requests(&mut self) {
        let news = self.requests.news(self.world.lab());
        self.out.extend(news);
    }

    fn save(&mut self, now_ms: f64) {
        let state = (self.world.lab().log().len(), self.through);
        let due = if self.saved == state {
            SAVE_AGE_MS
        } else {
            SAVE_EVERY_MS
        };
        if now_ms < self.saved_ms + due {
            return;
        }
        self.saved = state;
        self.saved_ms = now_ms;
        let blob = self.world.keep(self.place.clone()).encode();
        self.out.push(FromWorker::Save {
            blob,
            through: self.through,
        });
    }
}
