//! The app's end of the wire to the worker.
//!
//! Not gloo-worker: its bridge keeps the browser's `Worker` to itself, so a worker that trapped can
//! be neither noticed (`error` events) nor ended (`terminate`), and it cannot take over the worker
//! that index.html started while this program was still on its way.

use gloo::events::EventListener;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker};
use yew::Callback;

use super::glue;
use crate::codec;
use crate::protocol::{FromWorker, ToWorker};

/// What comes over the wire.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Message(FromWorker),
    /// The worker broke: what the browser says about it.
    Broke(String),
}

/// A running worker. Dropping the link ends it.
#[derive(Debug)]
pub struct Link {
    worker: Worker,
    _message: EventListener,
    _error: EventListener,
}

impl Link {
    /// Takes the worker that the page began with, or starts one.
    pub fn start(heard: Callback<Heard>) -> Link {
        let taken = glue::take_worker();
        let worker = taken.worker();
        worker.set_onmessage(None);
        worker.set_onerror(None);
        let on_message = {
            let heard = heard.clone();
            move |event: &web_sys::Event| {
                if let Some(event) = event.dyn_ref::<MessageEvent>() {
                    heard.emit(understand(event.data()));
                }
            }
        };
        let on_error = {
            let heard = heard.clone();
            move |event: &web_sys::Event| {
                let said = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
                heard.emit(Heard::Broke(
                    said.unwrap_or_else(|| "it could not be loaded".to_owned()),
                ));
            }
        };
        let link = Link {
            _message: EventListener::new(&worker, "message", on_message),
            _error: EventListener::new(&worker, "error", on_error),
            worker,
        };
        for message in taken.messages() {
            heard.emit(understand(message));
        }
        if let Some(error) = taken.error() {
            heard.emit(Heard::Broke(error));
        }
        link
    }

    /// Sends a message.
    pub fn send(&self, message: &ToWorker) {
        let bytes = Uint8Array::from(codec::encode(message).as_slice());
        let moved = js_sys::Array::of1(&bytes.buffer());
        if self
            .worker
            .post_message_with_transfer(&bytes, &moved)
            .is_err()
        {
            gloo::console::error!("the worker takes no messages");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn understand(data: JsValue) -> Heard {
    let bytes = data
        .dyn_into::<Uint8Array>()
        .map(|bytes| bytes.to_vec())
        .unwrap_or_default();
    match codec::decode(&bytes) {
        Ok(message) => Heard::Message(message),
        Err(why) => Heard::Broke(format!("it sent {why}")),
    }
}
