//! Draws the Markdown tree as yew nodes, code blocks with their buttons.

use yew::prelude::*;

use super::{Block, Inline, commands, parse};
use crate::app::Act;
use crate::panels::icons::{Icon, icon};

/// A Markdown text.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct ProseProps {
    /// The text.
    pub text: AttrValue,
    /// Smaller type, for hints.
    #[prop_or_default]
    pub small: bool,
    /// Where the buttons of code blocks report.
    pub act: Callback<Act>,
}

/// Draws a Markdown text.
#[component]
pub fn Prose(props: &ProseProps) -> Html {
    let blocks = use_memo(props.text.clone(), |text| parse(text));
    let drawn = blocks.iter().map(|block| draw(block, &props.act));
    html! { <div class={classes!("prose", props.small.then_some("small"))}>{ for drawn }</div> }
}

fn draw(block: &Block, act: &Callback<Act>) -> Html {
    let all = |blocks: &[Block]| blocks.iter().map(|b| draw(b, act)).collect::<Html>();
    match block {
        // The page's own headings are h1 and h2.
        Block::Heading(1 | 2, text) => html! { <h3>{ line(text) }</h3> },
        Block::Heading(_, text) => html! { <h4>{ line(text) }</h4> },
        Block::Paragraph(text) => html! { <p>{ line(text) }</p> },
        Block::Quote(blocks) => html! { <blockquote>{ all(blocks) }</blockquote> },
        Block::Rule => html! { <hr /> },
        Block::List(first, items) => {
            let item = |blocks: &Vec<Block>| match &blocks[..] {
                [Block::Paragraph(text)] => html! { <li>{ line(text) }</li> },
                blocks => html! { <li>{ all(blocks) }</li> },
            };
            let items = items.iter().map(item).collect::<Html>();
            match first {
                Some(first) => html! { <ol start={first.to_string()}>{ items }</ol> },
                None => html! { <ul>{ items }</ul> },
            }
        }
        Block::Code { language, text } => html! {
            <CodeBlock language={language.clone()} text={text.clone()} act={act.clone()} />
        },
        Block::Table(head, rows) => {
            let heads = head
                .iter()
                .map(|cell| html! { <th scope="col">{ line(cell) }</th> });
            let row = |cells: &Vec<Vec<Inline>>| {
                let cells = cells.iter().map(|cell| html! { <td>{ line(cell) }</td> });
                html! { <tr>{ for cells }</tr> }
            };
            html! {
                <table>
                    <thead><tr>{ for heads }</tr></thead>
                    <tbody>{ for rows.iter().map(row) }</tbody>
                </table>
            }
        }
    }
}

fn line(inlines: &[Inline]) -> Html {
    let draw = |inline: &Inline| match inline {
        Inline::Text(text) => html! { { text } },
        Inline::Code(text) => html! { <code>{ text }</code> },
        Inline::Emphasis(inner) => html! { <em>{ line(inner) }</em> },
        Inline::Strong(inner) => html! { <strong>{ line(inner) }</strong> },
        Inline::Break => html! { <br /> },
        Inline::Link(to, inner) => html! {
            <a href={to.clone()} target="_blank" rel="noopener noreferrer">{ line(inner) }</a>
        },
    };
    inlines.iter().map(draw).collect()
}

#[derive(Clone, Debug, PartialEq, Properties)]
struct CodeProps {
    language: AttrValue,
    text: AttrValue,
    act: Callback<Act>,
}

/// Code with "Type it" where it is a command, and "Copy".
#[component]
fn CodeBlock(props: &CodeProps) -> Html {
    let commands = commands(&props.language, &props.text);
    let code = match &commands {
        Some(_) => props.text.lines().map(command_line).collect(),
        None => html! { { props.text.clone() } },
    };
    let copied = use_state(|| false);
    let copy = {
        let (copied, act) = (copied.clone(), props.act.clone());
        let text = commands.clone().unwrap_or_else(|| props.text.to_string());
        Callback::from(move |_: MouseEvent| {
            act.emit(Act::Copy(text.clone()));
            copied.set(true);
            let copied = copied.clone();
            gloo::timers::callback::Timeout::new(1600, move || copied.set(false)).forget();
        })
    };
    let type_it = commands.map(|text| {
        let act = props.act.clone();
        let onclick = move |_: MouseEvent| act.emit(Act::Type(text.clone()));
        html! {
            <button class="type" {onclick}>{ icon(Icon::Terminal) }{ "Type it" }</button>
        }
    });
    let (sign, word) = if *copied {
        (Icon::Check, "Copied")
    } else {
        (Icon::Copy, "Copy")
    };
    html! {
        <div class={classes!("code", type_it.is_some().then_some("command"))}>
            <pre class="scroll" tabindex="0"><code>{ code }</code></pre>
            <div class="acts">
                { for type_it }
                <button onclick={copy}>{ icon(sign) }{ word }</button>
            </div>
        </div>
    }
}

/// A line of a command, which may wrap between words and nowhere else: `--image` stays whole.
fn command_line(line: &str) -> Html {
    let words = line
        .split_inclusive(' ')
        .map(|word| html! { <span>{ word }</span> });
    html! { <span class="line">{ for words }{ "\n" }</span> }
}
