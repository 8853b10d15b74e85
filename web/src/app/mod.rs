//! The app: owns the model, the link to the worker and the store, and carries out every [`Act`].

mod act;
pub mod model;
mod progress;
mod route;
mod settings;
mod view;

use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use yew::prelude::*;

pub use act::{Act, Pane};
pub use model::{Clock, Editing, Model, Notice, Phase, Tab};
pub use progress::{Progress, Standing, Sum, minutes_left};
pub use route::Route;
pub use settings::{Settings, Theme};

use crate::protocol::{FromWorker, Input, Place, Speed, ToWorker, Watched};
use crate::save;
use crate::services::link::{Heard, Link};
use crate::services::outbox::Outbox;
use crate::services::store::{self, Store};
use crate::services::{download, glue, page};
use model::Effect;

/// Draws the page into its document.
pub fn run() {
    yew::Renderer::<App>::new().render();
}

/// What the app reacts to.
#[derive(Debug)]
pub enum Msg {
    /// A person did something.
    Act(Act),
    /// The worker spoke or broke.
    Heard(Heard),
    /// The address changed.
    Moved,
    /// The system turned light or dark.
    SystemTheme,
}

/// How often in a row a worker may break before a person is asked.
const BREAKS_FORGIVEN: u32 = 1;

/// How far past the moment it broke at a world must come to be well again.
const WELL_AGAIN_NANOS: u64 = 5_000_000_000;

/// The page.
pub struct App {
    model: Model,
    store: Box<dyn Store>,
    link: Option<Link>,
    outbox: Outbox,
    breaks: u32,
    broke_at: u64,
    _listeners: Vec<EventListener>,
    _terminals: Terminals,
}

/// What terminals call back.
struct Terminals {
    _keys: Closure<dyn FnMut(u32, Vec<u8>)>,
    _resize: Closure<dyn FnMut(u32, u16, u16)>,
    _leave: Closure<dyn FnMut(bool)>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let store = store::open();
        let kept = |name: &str| store.get(name).unwrap_or_default();
        let theme = Theme::parse(store.get("theme").as_deref());
        let settings = Settings::parse(&kept("settings"));
        let progress = Progress::parse(&kept("progress"));
        let route = Route::parse(&page::hash());
        let mut app = App {
            model: Model::new(route, theme, settings, progress),
            store,
            link: None,
            outbox: Outbox::default(),
            breaks: 0,
            broke_at: 0,
            _listeners: listeners(ctx),
            _terminals: listen_to_terminals(ctx),
        };
        app.start_worker(ctx);
        app.apply_theme();
        app.open();
        app
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Act(act) => self.act(ctx, act),
            Msg::Heard(Heard::Message(FromWorker::TerminalData { terminal, bytes })) => {
                // The terminal draws by itself, and there may be many of these.
                glue::write_terminal(terminal, &bytes);
                return false;
            }
            Msg::Heard(Heard::Message(message)) => self.hear(ctx, message),
            Msg::Heard(Heard::Broke(why)) => self.broke(ctx, why),
            Msg::SystemTheme => self.apply_theme(),
            Msg::Moved => {
                let route = Route::parse(&page::hash());
                if route == self.model.route {
                    return false;
                }
                self.model.route = route;
                self.open();
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let act = ctx.link().callback(Msg::Act);
        view::page(
            &self.model,
            self.save_name()
                .is_some_and(|n| self.store.get(&n).is_some()),
            &act,
        )
    }
}

impl App {
    fn start_worker(&mut self, ctx: &Context<Self>) {
        // The old worker ends before the new one starts.
        self.link = None;
        self.link = Some(Link::start(ctx.link().callback(Msg::Heard)));
    }

    fn send(&self, message: &ToWorker) {
        if let Some(link) = &self.link {
            link.send(message);
        }
    }

    fn world(&mut self, input: Input) {
        let message = self.outbox.post(input);
        self.send(&message);
    }

    fn save_name(&self) -> Option<String> {
        self.model
            .place()
            .map(|place| format!("save/{}", place.key()))
    }

    /// Opens the world of the place one is at, from its save if there is one.
    fn open(&mut self) {
        self.drop_terminals();
        self.model.clear_world();
        self.outbox.forget();
        self.breaks = 0;
        self.model.pane = match self.model.place() {
            Some(Place::Sandbox) => Pane::Terminals,
            _ => Pane::Lesson,
        };
        self.reopen();
    }

    fn reopen(&mut self) {
        let Some(place) = self.model.place().cloned() else {
            self.model.phase = Phase::Idle;
            page::set_title("Kubarium");
            return;
        };
        let text = self.save_name().and_then(|name| self.store.get(&name));
        let saved = match text.map(|text| save::open(&text)).transpose() {
            Ok(saved) => saved,
            Err(damage) => {
                self.model.phase = Phase::Refused(damage.to_string());
                return;
            }
        };
        let doing = if saved.is_some() {
            "Going on where you were"
        } else {
            "Starting machines"
        };
        self.model.phase = Phase::Opening {
            doing: doing.to_owned(),
            at: 0,
        };
        let speed = match self.model.clock.speed {
            Speed::Paused => self.model.clock.resume,
            speed => speed,
        };
        self.send(&ToWorker::Open {
            place,
            saved,
            speed,
        });
        self.watch();
    }

    /// Asks for the views that are on the page.
    fn watch(&self) {
        let shown = |pane| self.model.maximised.is_none_or(|max| max == pane);
        let lesson = matches!(self.model.place(), Some(Place::Lesson(_)));
        // Checks are watched even behind another pane: they decide when a step is done.
        self.send(&ToWorker::Watch(Watched {
            lesson,
            picture: shown(Pane::Picture),
        }));
    }

    fn drop_terminals(&self) {
        for tab in self.model.tabs.iter() {
            glue::drop_terminal(tab.terminal);
        }
    }

    fn hear(&mut self, ctx: &Context<Self>, message: FromWorker) {
        // A world that came well past the moment it broke at is well again.
        if self.model.clock.at > self.broke_at + WELL_AGAIN_NANOS {
            self.breaks = 0;
        }
        for effect in self.model.hear(message) {
            match effect {
                Effect::Drop(terminal) => glue::drop_terminal(terminal),
                Effect::Focus(terminal) => glue::focus_terminal(terminal),
                Effect::NeedTerminal => {
                    if let Some(machine) = self.model.machines.first().cloned() {
                        self.act(ctx, Act::OpenTerminal(machine));
                    }
                }
                Effect::Keep(blob) => {
                    if let Some(name) = self.save_name() {
                        self.keep(&name, &save::seal(&blob));
                    }
                }
                Effect::Saved(through) => self.outbox.saved(through),
                Effect::KeepProgress => self.keep("progress", &self.model.progress.print()),
                Effect::Broke(message) => self.broke(ctx, message),
            }
        }
        if let Some(lesson) = &self.model.lesson {
            page::set_title(&format!("{} · Kubarium", lesson.title));
        }
    }

    fn keep(&mut self, name: &str, text: &str) {
        if let Err(why) = self.store.put(name, text) {
            self.model.say(
                format!("{why} What you do now is not kept for your next visit."),
                true,
            );
        }
    }

    /// A worker broke: once, a new one goes on from the last save and what was typed since. When
    /// that breaks as well, the person decides.
    fn broke(&mut self, ctx: &Context<Self>, why: String) {
        if matches!(self.model.phase, Phase::Broken(_)) {
            return;
        }
        self.breaks += 1;
        self.broke_at = self.model.clock.at;
        self.drop_terminals();
        if self.breaks > BREAKS_FORGIVEN {
            self.link = None;
            self.model.phase = Phase::Broken(why);
            return;
        }
        self.model.clear_world();
        self.start_worker(ctx);
        self.reopen();
        let again: Vec<ToWorker> = self.outbox.again().collect();
        for message in &again {
            self.send(message);
        }
        let text =
            "The cluster's worker broke. It was started again where it was; nothing is lost.";
        self.model.say(text.to_owned(), true);
    }

    fn apply_theme(&self) {
        page::set_dark(match self.model.theme {
            Theme::System => page::system_is_dark(),
            Theme::Light => false,
            Theme::Dark => true,
        });
        glue::restyle_terminals();
    }

    fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        change(Rc::make_mut(&mut self.model.settings));
        let text = self.model.settings.print();
        self.keep("settings", &text);
    }

    fn act(&mut self, ctx: &Context<Self>, act: Act) {
        match act {
            Act::Go(route) => page::go(&route.hash()),
            Act::World(input) => self.world(input),
            Act::SetSpeed(speed) => {
                self.model.clock.speed = speed;
                self.send(&ToWorker::SetSpeed(speed));
            }
            Act::TogglePause => {
                let clock = self.model.clock;
                let paused = clock.speed == Speed::Paused;
                let speed = if paused { clock.resume } else { Speed::Paused };
                self.act(ctx, Act::SetSpeed(speed));
            }
            Act::Step => self.send(&ToWorker::Step),
            Act::Ask { from, to, udp } => self.send(&ToWorker::Ask { from, to, udp }),
            Act::NextTheme => {
                self.model.theme = self.model.theme.next();
                self.keep("theme", self.model.theme.word());
                self.apply_theme();
            }
            Act::CloseEditor(text) => {
                if let Some(editing) = self.model.editing.take() {
                    self.world(Input::EditorClosed {
                        request: editing.request,
                        text,
                    });
                    self.focus_pane(Pane::Terminals);
                }
            }
            Act::Copy(text) => page::copy(&text),
            Act::Dismiss(id) => self.model.dismiss(id),
            Act::StartFresh | Act::DownloadSave | Act::TryAgain => self.recover(ctx, act),
            Act::SetLessonWidth(px) => self.change_settings(|s| s.lesson_px = Some(px)),
            Act::SetTerminalsHeight(percent) => {
                self.change_settings(|s| s.terminals_percent = percent);
            }
            Act::ToggleTable => self.change_settings(|s| s.table = !s.table),
            Act::ToggleAloud => {
                self.change_settings(|s| s.aloud = !s.aloud);
                glue::read_terminals_aloud(self.model.settings.aloud);
            }
            Act::OpenTerminal(_) | Act::ShowTerminal(_) | Act::Type(_) => self.terminal(act),
            Act::Maximise(_) | Act::ShowPane(_) | Act::NextPane { .. } => self.pane(act),
        }
    }

    fn terminal(&mut self, act: Act) {
        match act {
            Act::OpenTerminal(machine) => {
                self.world(Input::OpenTerminal {
                    machine,
                    cols: 100,
                    rows: 24,
                });
            }
            Act::ShowTerminal(terminal) => {
                self.model.active = Some(terminal);
                glue::focus_terminal(terminal);
            }
            Act::Type(text) => {
                self.model.pane = Pane::Terminals;
                self.model.maximised = None;
                if let Some(terminal) = self.model.active {
                    glue::type_in_terminal(terminal, &text);
                }
            }
            _ => {}
        }
    }

    fn pane(&mut self, act: Act) {
        match act {
            Act::Maximise(pane) => {
                let already = self.model.maximised == Some(pane);
                self.model.maximised = (!already).then_some(pane);
                self.watch();
            }
            Act::ShowPane(pane) => {
                self.model.pane = pane;
                self.focus_pane(pane);
            }
            Act::NextPane { backwards } => {
                let open = |pane: &Pane| {
                    self.model.maximised.is_none_or(|max| max == *pane)
                        && (*pane != Pane::Lesson || self.model.lesson.is_some())
                };
                let order: Vec<Pane> = Pane::ALL.into_iter().filter(open).collect();
                let at = order
                    .iter()
                    .position(|pane| *pane == self.model.pane)
                    .unwrap_or(0);
                let step = if backwards { order.len() - 1 } else { 1 };
                let next = order[(at + step) % order.len()];
                self.model.pane = next;
                self.focus_pane(next);
            }
            _ => {}
        }
    }

    fn focus_pane(&self, pane: Pane) {
        match (pane, self.model.active) {
            (Pane::Terminals, Some(terminal)) => glue::focus_terminal(terminal),
            _ => page::focus(&format!("#{}", pane.name())),
        }
    }

    fn recover(&mut self, ctx: &Context<Self>, act: Act) {
        let Some(name) = self.save_name() else { return };
        match act {
            Act::DownloadSave => {
                let text = self.store.get(&name).unwrap_or_default();
                download::offer(&format!("kubarium-{}.txt", name.replace('/', "-")), &text);
            }
            Act::StartFresh => {
                self.store.remove(&name);
                self.start_worker(ctx);
                self.open();
            }
            Act::TryAgain => {
                // What was typed since the last save may be what breaks it.
                self.start_worker(ctx);
                self.open();
            }
            _ => {}
        }
    }
}

fn listeners(ctx: &Context<App>) -> Vec<EventListener> {
    let window = gloo::utils::window();
    let moved = ctx.link().callback(|()| Msg::Moved);
    let mut listeners = vec![EventListener::new(&window, "hashchange", move |_| {
        moved.emit(())
    })];
    let act = ctx.link().callback(Msg::Act);
    listeners.push(EventListener::new_with_options(
        &window,
        "keydown",
        gloo::events::EventListenerOptions::enable_prevent_default(),
        move |event| {
            let Some(key) = event.dyn_ref::<web_sys::KeyboardEvent>() else {
                return;
            };
            if key.key() == "F6" && !key.default_prevented() {
                key.prevent_default();
                act.emit(Act::NextPane {
                    backwards: key.shift_key(),
                });
            }
        },
    ));
    let system = ctx.link().callback(|()| Msg::SystemTheme);
    if let Ok(Some(query)) = window.match_media("(prefers-color-scheme: dark)") {
        listeners.push(EventListener::new(&query, "change", move |_| {
            system.emit(())
        }));
    }
    listeners
}

fn listen_to_terminals(ctx: &Context<App>) -> Terminals {
    let world = ctx.link().callback(|input| Msg::Act(Act::World(input)));
    let resized = world.clone();
    let act = ctx.link().callback(Msg::Act);
    let keys = Closure::new(move |terminal, bytes| world.emit(Input::Keys { terminal, bytes }));
    let resize = Closure::new(move |terminal, cols, rows| {
        resized.emit(Input::Resize {
            terminal,
            cols,
            rows,
        });
    });
    let leave = Closure::new(move |backwards| act.emit(Act::NextPane { backwards }));
    glue::listen_to_terminals(&keys, &resize, &leave);
    Terminals {
        _keys: keys,
        _resize: resize,
        _leave: leave,
    }
}
