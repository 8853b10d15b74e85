//! The functions of `web/js/src/page.js`: terminals, editor, flights, the worker that came first.

use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, Worker};

#[wasm_bindgen(raw_module = "./vendor/page.js")]
extern "C" {
    /// Says whom to tell of keys, new sizes, and F6 (the way out of a terminal).
    #[wasm_bindgen(js_name = listenToTerminals)]
    pub fn listen_to_terminals(
        keys: &Closure<dyn FnMut(u32, Vec<u8>)>,
        resize: &Closure<dyn FnMut(u32, u16, u16)>,
        leave: &Closure<dyn FnMut(bool)>,
    );

    /// Puts a terminal into an element.
    #[wasm_bindgen(js_name = attachTerminal)]
    pub fn attach_terminal(id: u32, host: &HtmlElement, label: &str) -> Promise;

    /// Shows bytes; they wait when the terminal has no element yet.
    #[wasm_bindgen(js_name = writeTerminal)]
    pub fn write_terminal(id: u32, bytes: &[u8]);

    /// Moves the keyboard there.
    #[wasm_bindgen(js_name = focusTerminal)]
    pub fn focus_terminal(id: u32);

    /// Types a text as a person would.
    #[wasm_bindgen(js_name = typeInTerminal)]
    pub fn type_in_terminal(id: u32, text: &str);

    /// Forgets a terminal.
    #[wasm_bindgen(js_name = dropTerminal)]
    pub fn drop_terminal(id: u32);

    /// Takes colours from the style sheet again.
    #[wasm_bindgen(js_name = restyleTerminals)]
    pub fn restyle_terminals();

    /// Whether terminals are read out to a screen reader.
    #[wasm_bindgen(js_name = readTerminalsAloud)]
    pub fn read_terminals_aloud(on: bool);

    /// Opens the editor in an element; promises an [`Editor`].
    #[wasm_bindgen(js_name = openEditor)]
    pub fn open_editor(host: &HtmlElement, text: &str, on_save: &Closure<dyn FnMut()>) -> Promise;

    /// Where an element is: left, top, width, height.
    #[wasm_bindgen(js_name = whereIs)]
    pub fn where_is(element: &Element) -> Option<Array>;

    /// Flies a copy of an element to its place.
    #[wasm_bindgen(js_name = fly)]
    pub fn fly(element: &Element, from: &Array, delay_ms: f64);

    /// Lets an element swell for a moment.
    #[wasm_bindgen(js_name = pulse)]
    pub fn pulse(element: &Element);

    /// Lets a copy of an element leave the page from where it is.
    #[wasm_bindgen(js_name = depart)]
    pub fn depart(element: &Element);

    /// Sends a packet from element to element; `fate` says how it ends.
    #[wasm_bindgen(js_name = send)]
    pub fn send(path: &Array, fate: &str, delay_ms: f64);

    /// The worker index.html started, or a new one.
    #[wasm_bindgen(js_name = takeWorker)]
    pub fn take_worker() -> TakenWorker;

    /// An open editor.
    #[wasm_bindgen(extends = Object)]
    pub type Editor;

    /// Its text now.
    #[wasm_bindgen(method)]
    pub fn text(this: &Editor) -> String;

    /// Takes it off the page.
    #[wasm_bindgen(method)]
    pub fn close(this: &Editor);

    /// A worker and what it said before anyone listened.
    #[wasm_bindgen(extends = Object)]
    pub type TakenWorker;

    /// The worker.
    #[wasm_bindgen(method, getter)]
    pub fn worker(this: &TakenWorker) -> Worker;

    /// Its first messages.
    #[wasm_bindgen(method, getter)]
    pub fn messages(this: &TakenWorker) -> Array;

    /// What went wrong before anyone listened.
    #[wasm_bindgen(method, getter)]
    pub fn error(this: &TakenWorker) -> Option<String>;
}
