//! Markdown to a small tree of blocks. A lesson is a file nobody vouches for, so the tree is all
//! there is: raw HTML becomes the text it is, images become their description, and a link is one
//! only when it is plainly http or https. Nothing here knows yew; `view` draws the tree.

pub mod view;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// How deep lists and quotes may nest; deeper ones are flattened.
const DEEPEST: usize = 12;

/// A block of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading, level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list, its first number when it is an ordered one.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A quotation or a side remark.
    Quote(Vec<Block>),
    /// Code and the language it says it is in.
    Code {
        /// `sh`, `yaml`, …, or empty.
        language: String,
        /// Without the last line break.
        text: String,
    },
    /// A table: head and rows.
    Table(Vec<Vec<Inline>>, Vec<Vec<Vec<Inline>>>),
    /// A line across.
    Rule,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Plain.
    Text(String),
    /// Code.
    Code(String),
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// A link to an http or https address.
    Link(String, Vec<Inline>),
    /// A line break.
    Break,
}

/// Parses a text.
pub fn parse(text: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        builder.event(event);
    }
    builder.finish()
}

/// What is being built, innermost last. `inline` says that text goes straight in.
#[derive(Debug)]
enum Open {
    Heading(u8),
    Paragraph,
    List(Option<u64>, Vec<Vec<Block>>),
    Item,
    Quote,
    Code(String, String),
    Table(Vec<Vec<Inline>>, Vec<Vec<Vec<Inline>>>),
    Row(Vec<Vec<Inline>>),
    Cell,
    Emphasis,
    Strong,
    Link(Option<String>),
    /// A thing with no shape of its own: its content goes where it stands.
    Through,
}

#[derive(Debug, Default)]
struct Frame {
    blocks: Vec<Block>,
    inlines: Vec<Inline>,
}

#[derive(Debug, Default)]
struct Builder {
    open: Vec<(Open, Frame)>,
    top: Frame,
}

impl Builder {
    fn frame(&mut self) -> &mut Frame {
        self.open
            .last_mut()
            .map_or(&mut self.top, |(_, frame)| frame)
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => self.frame().inlines.push(Inline::Code(text.into_string())),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.frame().inlines.push(Inline::Break),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
            Event::FootnoteReference(name) => self.text(&format!("[{name}]")),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((Open::Code(_, code), _)) = self.open.last_mut() {
            code.push_str(text);
            return;
        }
        let inlines = &mut self.frame().inlines;
        match inlines.last_mut() {
            Some(Inline::Text(before)) => before.push_str(text),
            _ => inlines.push(Inline::Text(text.to_owned())),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let nested = self
            .open
            .iter()
            .filter(|(o, _)| matches!(o, Open::Item | Open::Quote));
        let deep = nested.count() >= DEEPEST;
        let open = match tag {
            Tag::Heading { level, .. } => Open::Heading(level_number(level)),
            Tag::Paragraph | Tag::HtmlBlock => Open::Paragraph,
            Tag::List(_) | Tag::Item | Tag::BlockQuote(_) if deep => Open::Through,
            Tag::List(first) => Open::List(first, Vec::new()),
            Tag::Item => Open::Item,
            Tag::BlockQuote(_) => Open::Quote,
            Tag::CodeBlock(kind) => Open::Code(language(kind), String::new()),
            Tag::Table(_) => Open::Table(Vec::new(), Vec::new()),
            Tag::TableHead | Tag::TableRow => Open::Row(Vec::new()),
            Tag::TableCell => Open::Cell,
            Tag::Emphasis => Open::Emphasis,
            Tag::Strong => Open::Strong,
            Tag::Link { dest_url, .. } => Open::Link(safe_address(&dest_url)),
            _ => Open::Through,
        };
        if !is_inline(&open) {
            self.loose_text();
        }
        self.open.push((open, Frame::default()));
    }

    fn end(&mut self, tag: TagEnd) {
        let Some((open, mut frame)) = self.open.pop() else {
            return;
        };
        if matches!(open, Open::Item | Open::Quote) {
            close_loose(&mut frame);
        }
        let Frame { blocks, inlines } = frame;
        match open {
            Open::Heading(level) => self.block(Block::Heading(level, inlines)),
            Open::Paragraph => {
                if !inlines.is_empty() {
                    self.block(Block::Paragraph(inlines));
                }
            }
            Open::List(first, items) => self.block(Block::List(first, items)),
            Open::Quote => self.block(Block::Quote(blocks)),
            Open::Item => match self.open.last_mut() {
                Some((Open::List(_, items), _)) => items.push(blocks),
                _ => self.frame().blocks.extend(blocks),
            },
            Open::Code(language, text) => {
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                self.block(Block::Code { language, text });
            }
            Open::Table(head, rows) => self.block(Block::Table(head, rows)),
            Open::Row(cells) => {
                if let Some((Open::Table(head, rows), _)) = self.open.last_mut() {
                    match tag {
                        TagEnd::TableHead => *head = cells,
                        _ => rows.push(cells),
                    }
                }
            }
            Open::Cell => {
                if let Some((Open::Row(cells), _)) = self.open.last_mut() {
                    cells.push(inlines);
                }
            }
            Open::Emphasis => self.frame().inlines.push(Inline::Emphasis(inlines)),
            Open::Strong => self.frame().inlines.push(Inline::Strong(inlines)),
            Open::Link(Some(to)) => self.frame().inlines.push(Inline::Link(to, inlines)),
            Open::Link(None) | Open::Through => {
                let outer = self.frame();
                outer.blocks.extend(blocks);
                outer.inlines.extend(inlines);
            }
        }
    }

    fn block(&mut self, block: Block) {
        self.loose_text();
        self.frame().blocks.push(block);
    }

    /// Text that stands in a tight list item or a quotation without a paragraph around it.
    fn loose_text(&mut self) {
        close_loose(self.frame());
    }

    fn finish(mut self) -> Vec<Block> {
        while let Some((_, frame)) = self.open.pop() {
            let outer = self.frame();
            outer.blocks.extend(frame.blocks);
            outer.inlines.extend(frame.inlines);
        }
        self.loose_text();
        self.top.blocks
    }
}

fn close_loose(frame: &mut Frame) {
    if !frame.inlines.is_empty() {
        let inlines = std::mem::take(&mut frame.inlines);
        frame.blocks.push(Block::Paragraph(inlines));
    }
}

fn is_inline(open: &Open) -> bool {
    matches!(
        open,
        Open::Emphasis | Open::Strong | Open::Link(_) | Open::Through
    )
}

fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn language(kind: CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Indented => String::new(),
        CodeBlockKind::Fenced(info) => {
            let word = info.split_whitespace().next().unwrap_or_default();
            word.chars().filter(char::is_ascii_alphanumeric).collect()
        }
    }
}

/// The address, if it is a plain http or https one.
fn safe_address(address: &str) -> Option<String> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    let lower = address.to_ascii_lowercase();
    let host = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))?;
    let begins = host
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == '[');
    (begins && address.chars().all(plain)).then(|| address.to_owned())
}

/// The commands in a code block, without the prompts a text may show before them; none when the
/// block is not something to type.
pub fn commands(language: &str, text: &str) -> Option<String> {
    if !matches!(language, "sh" | "bash" | "shell" | "console" | "cmd") {
        return None;
    }
    let prompted = text.lines().any(|line| line.starts_with("$ "));
    let line = |line: &str| match line.strip_prefix("$ ") {
        Some(command) => Some(command.to_owned()),
        None if prompted => None,
        None => Some(line.to_owned()),
    };
    Some(text.lines().filter_map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[track_caller]
    fn check(markdown: &str, blocks: &[Block]) {
        assert_eq!(parse(markdown), blocks);
    }

    #[test]
    fn ordinary_text() {
        check(
            "## Look\n\nType `kubectl get pods` and *wait*.\nMore.",
            &[
                Block::Heading(2, vec![text("Look")]),
                Block::Paragraph(vec![
                    text("Type "),
                    Inline::Code("kubectl get pods".to_owned()),
                    text(" and "),
                    Inline::Emphasis(vec![text("wait")]),
                    text(". More."),
                ]),
            ],
        );
        check(
            "1. one\n2. two\n   - deep",
            &[Block::List(
                Some(1),
                vec![
                    vec![Block::Paragraph(vec![text("one")])],
                    vec![
                        Block::Paragraph(vec![text("two")]),
                        Block::List(None, vec![vec![Block::Paragraph(vec![text("deep")])]]),
                    ],
                ],
            )],
        );
        check(
            "```yaml\nkind: Pod\n```",
            &[Block::Code {
                language: "yaml".to_owned(),
                text: "kind: Pod".to_owned(),
            }],
        );
    }

    #[test]
    fn tables() {
        let cell = |name: &str| vec![text(name)];
        check(
            "| a | b |\n|---|---|\n| 1 | 2 |",
            &[Block::Table(
                vec![cell("a"), cell("b")],
                vec![vec![cell("1"), cell("2")]],
            )],
        );
    }

    #[test]
    fn raw_html_is_text() {
        check(
            "<script>alert(1)</script>",
            &[Block::Paragraph(vec![text("<script>alert(1)</script>")])],
        );
        check(
            "a <img src=x onerror=alert(1)> b",
            &[Block::Paragraph(vec![text(
                "a <img src=x onerror=alert(1)> b",
            )])],
        );
    }

    #[test]
    fn only_plain_web_links_are_links() {
        let link = |to: &str| {
            vec![Block::Paragraph(vec![Inline::Link(
                to.into(),
                vec![text("x")],
            )])]
        };
        let plain = vec![Block::Paragraph(vec![text("x")])];
        let table = [
            ("https://kubernetes.io/docs/", true),
            ("HTTP://kubernetes.io", true),
            ("javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            ("java\u{9}script:alert(1)", false),
            ("data:text/html,x", false),
            ("//evil.example", false),
            ("/etc/passwd", false),
            ("https://", false),
            ("https:javascript:alert(1)", false),
            ("vbscript:x", false),
        ];
        for (address, safe) in table {
            let blocks = parse(&format!("[x](<{address}>)"));
            assert_eq!(
                blocks,
                if safe { link(address) } else { plain.clone() },
                "{address}"
            );
        }
    }

    #[test]
    fn images_are_their_description() {
        check(
            "![a pod](https://tracker.example/p.png)",
            &[Block::Paragraph(vec![text("a pod")])],
        );
    }

    #[test]
    fn a_hostile_depth_is_flattened() {
        let deep = format!("{}x", "> ".repeat(5000));
        fn depth(blocks: &[Block]) -> usize {
            let quoted = |block: &Block| match block {
                Block::Quote(inner) => 1 + depth(inner),
                _ => 0,
            };
            blocks.iter().map(quoted).max().unwrap_or(0)
        }
        let found = depth(&parse(&deep));
        assert!(found <= DEEPEST, "{found}");
    }

    #[test]
    fn a_language_is_one_plain_word() {
        let blocks = parse("```sh\"><script> x\nls\n```");
        let [Block::Code { language, .. }] = &blocks[..] else {
            panic!("{blocks:?}")
        };
        assert_eq!(language, "shscript");
    }

    #[test]
    fn commands_lose_their_prompts_and_their_output() {
        assert_eq!(
            commands("sh", "$ ls\nfile\n$ pwd").as_deref(),
            Some("ls\npwd")
        );
        assert_eq!(commands("sh", "ls\npwd").as_deref(), Some("ls\npwd"));
        assert_eq!(commands("yaml", "a: b"), None);
    }
}
