//! The worker's end of the wire, and its heartbeat.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::codec;
use crate::protocol::{FromWorker, ToWorker};
use crate::services::clock::{Clock, WorkerClock};

/// What sits behind the wire.
pub trait Shell: 'static {
    /// Takes a message in.
    fn receive(&mut self, message: ToWorker);
    /// Works for a few milliseconds; says in how many milliseconds to come back, none to sleep
    /// until the next message.
    fn work(&mut self, clock: &dyn Clock) -> Option<u32>;
    /// What is to be said since the last call.
    fn say(&mut self) -> Vec<FromWorker>;
}

struct Wire<S> {
    shell: S,
    timer: Option<Timeout>,
}

/// Connects a shell to the wire and lets it run.
pub fn start(shell: impl Shell) {
    std::panic::set_hook(Box::new(|info| {
        post(&FromWorker::Failed {
            message: info.to_string(),
        });
        console_error_panic_hook::hook(info);
        // What comes after a panic would only meet its ruins.
        scope().close();
    }));
    let wire = Rc::new(RefCell::new(Wire { shell, timer: None }));
    let receive = {
        let wire = wire.clone();
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let bytes = event
                .data()
                .dyn_into::<Uint8Array>()
                .map(|b| b.to_vec())
                .unwrap_or_default();
            match codec::decode(&bytes) {
                Ok(message) => wire.borrow_mut().shell.receive(message),
                Err(why) => post(&FromWorker::Notice(format!("A message was lost: {why}."))),
            }
            turn(&wire);
        })
    };
    scope().set_onmessage(Some(receive.as_ref().unchecked_ref()));
    // The worker lives as long as the page wants it.
    receive.forget();
    turn(&wire);
}

fn turn<S: Shell>(wire: &Rc<RefCell<Wire<S>>>) {
    let mut this = wire.borrow_mut();
    let again = this.shell.work(&WorkerClock);
    for message in this.shell.say() {
        post(&message);
    }
    this.timer = again.map(|ms| {
        let wire = wire.clone();
        Timeout::new(ms, move || turn(&wire))
    });
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn post(message: &FromWorker) {
    let bytes = Uint8Array::from(codec::encode(message).as_slice());
    let moved = js_sys::Array::of1(&bytes.buffer());
    let sent: Result<(), JsValue> = scope().post_message_with_transfer(&bytes, &moved);
    sent.expect("a page takes bytes from its worker");
}
