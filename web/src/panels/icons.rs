//! The page's icons: strokes on a 16 by 16 grid, all of one hand.

use yew::prelude::*;

/// Every icon there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A hook.
    Check,
    /// A cross.
    Close,
    /// Two sheets.
    Copy,
    /// A prompt.
    Terminal,
    /// A triangle to the right.
    Play,
    /// Two bars.
    Pause,
    /// A triangle and a bar.
    Step,
    /// A sun.
    Sun,
    /// A moon.
    Moon,
    /// Half light, half dark.
    System,
    /// Arrows outwards.
    Maximise,
    /// Arrows inwards.
    Restore,
    /// A plus.
    Plus,
    /// Lines and columns.
    Table,
    /// Boxes.
    Boxes,
    /// A lamp.
    Hint,
    /// An arrow that turns back.
    Again,
    /// An arrow to the right.
    Next,
    /// An i in a ring.
    Info,
    /// A triangle with a mark of exclamation.
    Warning,
    /// An open book.
    Book,
    /// A speaker.
    Aloud,
    /// An arrow down into a tray.
    Download,
    /// A lock.
    Closed,
    /// A ring with a bar.
    Refused,
    /// A hexagon.
    Pod,
    /// Two boxes on a shelf.
    Machine,
    /// A pulse on a line.
    Wire,
    /// One that goes to two.
    Service,
    /// A winding way between two points.
    Way,
    /// A cylinder.
    Store,
    /// A chip.
    Part,
}

/// Draws an icon in the size and colour of the text around it. It says nothing to a screen reader.
pub fn icon(icon: Icon) -> Html {
    let path = match icon {
        Icon::Check => "M3 8.5 6.5 12 13 4.5",
        Icon::Close => "m4 4 8 8M12 4l-8 8",
        Icon::Copy => "M6 5.5h7v8H6zM10 3H3v8",
        Icon::Terminal => "m3 4 4 4-4 4M8.5 12.5H13",
        Icon::Play => "M5 3.5v9l7.5-4.5z",
        Icon::Pause => "M5.5 3.5v9M10.5 3.5v9",
        Icon::Step => "M4 3.5v9L10.5 8zM12.5 3.5v9",
        Icon::Sun => {
            "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3\
             M3.2 3.2l.9.9M11.9 11.9l.9.9M12.8 3.2l-.9.9M4.1 11.9l-.9.9"
        }
        Icon::Moon => "M13.3 9.6A5.8 5.8 0 0 1 6.4 2.7a5.8 5.8 0 1 0 6.9 6.9z",
        Icon::System => "M2 3h12v8.2H2zM5.5 13.8h5M8 11.2v2.6",
        Icon::Maximise => "M9.5 2.5h4v4M13.2 2.8 9.2 6.8M6.5 13.5h-4v-4M2.8 13.2l4-4",
        Icon::Restore => "M13.5 6.5h-4v-4M9.8 6.2l3.7-3.7M2.5 9.5h4v4M6.2 9.8l-3.7 3.7",
        Icon::Plus => "M8 3v10M3 8h10",
        Icon::Table => "M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.5 6.4V13",
        Icon::Boxes => {
            "M2.5 3h4.4v4.4H2.5zM9.1 3h4.4v4.4H9.1zM2.5 9.2h4.4v4.4H2.5zM9.1 9.2h4.4v4.4H9.1z"
        }
        Icon::Hint => "M6 11.5c0-1.6-2-2.5-2-5a4 4 0 0 1 8 0c0 2.5-2 3.4-2 5zM6.4 14h3.2",
        Icon::Again => "M3 3v3.8h3.8M3.4 6.6a5.2 5.2 0 1 1-.3 3",
        Icon::Next => "M3 8h9.5M8.5 4l4 4-4 4",
        Icon::Info => "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M8 7.3V11M8 5v.1",
        Icon::Warning => "M8 2.3 14.3 13.3H1.7zM8 6.5v3.3M8 11.6v.1",
        Icon::Book => {
            "M8 4C6.3 2.8 4.2 2.6 2 2.9v9.6c2.2-.3 4.3-.1 6 1.1 1.7-1.2 3.8-1.4 6-1.1V2.9C11.8 2.6 9.7 2.8 8 4zM8 4v9.6"
        }
        Icon::Aloud => {
            "M2.5 6v4H5l3.5 3V3L5 6zM11 5.6a3.4 3.4 0 0 1 0 4.8M12.9 3.7a6 6 0 0 1 0 8.6"
        }
        Icon::Download => "M8 2.5v7.3M4.8 6.8 8 10l3.2-3.2M2.5 13.3h11",
        Icon::Refused => "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M5 8h6",
        Icon::Pod => "M8 1.8 13.4 4.9v6.2L8 14.2 2.6 11.1V4.9z",
        Icon::Machine => "M2.5 3h11v4.2h-11zM2.5 9h11v4.2h-11zM5 5.1v.1M5 11.1v.1",
        Icon::Wire => "M1.5 8h3l1.5-3.5 3.5 7L11.5 8h3",
        Icon::Service => {
            "M6.2 2h3.6v3.4H6.2zM2 10.6h3.6V14H2zM10.4 10.6H14V14h-3.6zM8 5.4V8M3.8 10.6V8h8.4v2.6"
        }
        Icon::Way => {
            "M3.5 11.2a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8M12.5 2a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8\
             M4.9 12.6h4.6a2.3 2.3 0 0 0 0-4.6h-3a2.3 2.3 0 0 1 0-4.6h4.6"
        }
        Icon::Store => {
            "M3 4c0-1.2 2.2-2 5-2s5 .8 5 2-2.2 2-5 2-5-.8-5-2zM3 4v8c0 1.2 2.2 2 5 2s5-.8 5-2V4M3 8c0 1.2 2.2 2 5 2s5-.8 5-2"
        }
        Icon::Part => {
            "M3 3h10v10H3zM6 6h4v4H6zM6 1v2M10 1v2M6 13v2M10 13v2M1 6h2M1 10h2M13 6h2M13 10h2"
        }
        Icon::Closed => "M4 7.3h8v6H4zM5.6 7.3V5.4a2.4 2.4 0 0 1 4.8 0v1.9",
    };
    html! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg> }
}
