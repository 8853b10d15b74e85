//! The page around the app: its address, title, theme, clipboard and focus.

use gloo::utils::{document, document_element, window};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The address after `#`.
pub fn hash() -> String {
    window()
        .location()
        .hash()
        .unwrap_or_default()
        .trim_start_matches('#')
        .to_owned()
}

/// Goes to another address within the page.
pub fn go(hash: &str) {
    // Refused only for an address that is no address, and ours are made here.
    let _ = window().location().set_hash(hash);
}

/// Names the page.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the system asks for a dark page.
pub fn system_is_dark() -> bool {
    let query = window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten();
    query.is_some_and(|query| query.matches())
}

/// Draws the page in the light or the dark theme.
pub fn set_dark(dark: bool) {
    let theme = if dark { "dark" } else { "light" };
    // The attribute's name is valid, so setting it cannot fail.
    let _ = document_element().set_attribute("data-theme", theme);
}

/// Puts a text on the clipboard.
pub fn copy(text: &str) {
    // The promise tells of a refusal, which the browser has told the person already.
    let _ = window().navigator().clipboard().write_text(text);
}

/// Moves the keyboard to the first element a selector finds.
pub fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Focus never throws on an element of this page.
        let _ = element.focus();
    }
}
