//! The editor that `vi` opens: a dialog around CodeMirror.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlDialogElement, HtmlElement};
use yew::platform::spawn_local;
use yew::prelude::*;

use super::icons::{Icon, icon};
use crate::app::{Act, Editing};
use crate::services::glue;

/// What is edited.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct EditorProps {
    /// The file.
    pub editing: Rc<Editing>,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// The dialog.
pub struct EditorDialog {
    dialog: NodeRef,
    host: NodeRef,
    editor: Option<glue::Editor>,
    trouble: bool,
    on_save: Rc<Closure<dyn FnMut()>>,
}

impl std::fmt::Debug for EditorDialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EditorDialog").finish_non_exhaustive()
    }
}

/// What the dialog reacts to.
pub enum Msg {
    /// The editor's code came and it is open, or it could not be had.
    Opened(Option<glue::Editor>),
    /// Save and close.
    Save,
    /// Close without saving.
    Leave,
}

impl Component for EditorDialog {
    type Message = Msg;
    type Properties = EditorProps;

    fn create(ctx: &Context<Self>) -> Self {
        let save = ctx.link().callback(|()| Msg::Save);
        EditorDialog {
            dialog: NodeRef::default(),
            host: NodeRef::default(),
            editor: None,
            trouble: false,
            on_save: Rc::new(Closure::new(move || save.emit(()))),
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        let act = &ctx.props().act;
        match msg {
            Msg::Opened(editor) => {
                self.trouble = editor.is_none();
                self.editor = editor;
            }
            Msg::Save => {
                if let Some(editor) = &self.editor {
                    act.emit(Act::CloseEditor(Some(editor.text())));
                }
            }
            Msg::Leave => act.emit(Act::CloseEditor(None)),
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let leave = ctx.link().callback(|_: MouseEvent| Msg::Leave);
        let save = ctx.link().callback(|_: MouseEvent| Msg::Save);
        // Escape must not lose work: only the buttons close the dialog.
        let oncancel = Callback::from(|event: Event| event.prevent_default());
        html! {
            <dialog class="editor" ref={self.dialog.clone()} {oncancel}
                aria-labelledby="editor-path">
                <header>
                    <h2 id="editor-path">{ &ctx.props().editing.path }</h2>
                </header>
                <div class="text" ref={self.host.clone()}></div>
                <footer>
                    <p>
                        if self.trouble {
                            { "The editor could not be loaded. Close it and try again." }
                        } else if self.editor.is_none() {
                            { "Opening the editor…" }
                        } else {
                            <kbd>{ "Ctrl" }</kbd>{ " " }<kbd>{ "S" }</kbd>{ " saves and closes." }
                        }
                    </p>
                    <button class="button quiet" onclick={leave}>{ "Close without saving" }</button>
                    <button class="button primary" disabled={self.editor.is_none()} onclick={save}>
                        { icon(Icon::Check) }{ "Save and close" }
                    </button>
                </footer>
            </dialog>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        if !first {
            return;
        }
        if let Some(dialog) = self.dialog.cast::<HtmlDialogElement>() {
            // Fails only when it is open already.
            let _ = dialog.show_modal();
        }
        let Some(host) = self.host.cast::<HtmlElement>() else {
            return;
        };
        let opened = ctx.link().callback(Msg::Opened);
        let (text, on_save) = (ctx.props().editing.text.clone(), self.on_save.clone());
        spawn_local(async move {
            let editor = JsFuture::from(glue::open_editor(&host, &text, &on_save)).await;
            opened.emit(editor.ok().map(JsCast::unchecked_into));
        });
    }

    fn destroy(&mut self, _ctx: &Context<Self>) {
        if let Some(editor) = &self.editor {
            editor.close();
        }
    }
}
