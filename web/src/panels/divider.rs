//! A line between two panes that a person can move, by hand or by arrow keys.

use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Which way the line runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Between left and right.
    Vertical,
    /// Between top and bottom.
    Horizontal,
}

/// A line between panes.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct DividerProps {
    /// Which way it runs.
    pub line: Line,
    /// What it is called.
    pub label: AttrValue,
    /// Where it stands: pixels from the left, or hundredths from the bottom.
    pub value: u32,
    /// The least and the most it may be.
    pub range: (u32, u32),
    /// It was moved here and let go.
    pub moved: Callback<u32>,
    /// It is being moved: restyle, nothing else.
    pub moving: Callback<u32>,
}

/// Draws the line.
#[component]
pub fn Divider(props: &DividerProps) -> Html {
    let dragging = use_state(|| false);
    let last = use_mut_ref(|| props.value);
    let class = match props.line {
        Line::Vertical => "divider vertical",
        Line::Horizontal => "divider horizontal",
    };
    let orientation = match props.line {
        Line::Vertical => "vertical",
        Line::Horizontal => "horizontal",
    };
    let onpointerdown = {
        let dragging = dragging.clone();
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            if let Some(line) = line_of(&event) {
                // The pointer went up already: then there is nothing to drag.
                let _ = line.set_pointer_capture(event.pointer_id());
                let _ = line.focus();
            }
            dragging.set(true);
        })
    };
    let onpointermove = {
        let (props, dragging, last) = (props.clone(), dragging.clone(), last.clone());
        Callback::from(move |event: PointerEvent| {
            if *dragging && let Some(value) = value_at(&props, &event) {
                *last.borrow_mut() = value;
                props.moving.emit(value);
            }
        })
    };
    let onpointerup = {
        let (moved, dragging, last) = (props.moved.clone(), dragging.clone(), last.clone());
        Callback::from(move |_: PointerEvent| {
            if *dragging {
                dragging.set(false);
                moved.emit(*last.borrow());
            }
        })
    };
    let onkeydown = {
        let props = props.clone();
        Callback::from(move |event: KeyboardEvent| {
            if let Some(value) = value_after(&props, &event.key()) {
                event.prevent_default();
                props.moving.emit(value);
                props.moved.emit(value);
            }
        })
    };
    html! {
        <div {class} role="separator" tabindex="0" aria-orientation={orientation}
            aria-label={props.label.clone()} aria-valuenow={props.value.to_string()}
            aria-valuemin={props.range.0.to_string()} aria-valuemax={props.range.1.to_string()}
            data-dragging={dragging.then_some("")}
            {onpointerdown} {onpointermove} onpointerup={onpointerup.clone()}
            onpointercancel={onpointerup} {onkeydown}>
        </div>
    }
}

fn line_of(event: &PointerEvent) -> Option<HtmlElement> {
    event.target().and_then(|target| target.dyn_into().ok())
}

fn value_at(props: &DividerProps, event: &PointerEvent) -> Option<u32> {
    let bench = line_of(event)?.parent_element()?.get_bounding_client_rect();
    let value = match props.line {
        Line::Vertical => f64::from(event.client_x()) - bench.left(),
        Line::Horizontal => {
            (bench.bottom() - f64::from(event.client_y())) * 100.0 / bench.height().max(1.0)
        }
    };
    Some((value.max(0.0) as u32).clamp(props.range.0, props.range.1))
}

fn value_after(props: &DividerProps, key: &str) -> Option<u32> {
    let (less, more, step) = match props.line {
        Line::Vertical => ("ArrowLeft", "ArrowRight", 16),
        Line::Horizontal => ("ArrowDown", "ArrowUp", 2),
    };
    let value = match key {
        "Home" => props.range.0,
        "End" => props.range.1,
        key if key == less => props.value.saturating_sub(step),
        key if key == more => props.value + step,
        _ => return None,
    };
    Some(value.clamp(props.range.0, props.range.1))
}
