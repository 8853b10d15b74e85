//! Pause, step, speed, and the clock of the machines.

use yew::prelude::*;

use super::icons::{Icon, icon};
use crate::app::{Act, Clock};
use crate::protocol::Speed;

/// What the time controls show.
#[derive(Clone, Debug)]
pub struct TimeProps {
    /// The world's time.
    pub clock: Clock,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the time controls.
pub fn time_controls(props: &TimeProps) -> Html {
    let clock = props.clock;
    let paused = clock.speed == Speed::Paused;
    let toggle = props.act.reform(|_: MouseEvent| Act::TogglePause);
    let step = props.act.reform(|_: MouseEvent| Act::Step);
    let (sign, word) = if paused {
        (Icon::Play, "Go on")
    } else {
        (Icon::Pause, "Pause")
    };
    let stepping = "Run until something happens";
    html! {
        <div class="time" role="group" aria-label="Time in the cluster">
            <span class="clock" data-still={paused.then_some("")} title={told(clock.at)}>
                { wall_time(clock.unix_secs) }
            </span>
            <button class="icon-button go" aria-label={word} title={word} onclick={toggle}>
                { icon(sign) }
            </button>
            <button class="icon-button step-time" aria-label={stepping} title={stepping} onclick={step}>
                { icon(Icon::Step) }
            </button>
            <div class="segments" role="radiogroup" aria-label="Speed">
                { for [Speed::Times(1), Speed::Times(10), Speed::Max].map(|speed| choice(props, speed)) }
            </div>
        </div>
    }
}

fn choice(props: &TimeProps, speed: Speed) -> Html {
    let (word, title) = match speed {
        Speed::Times(1) => ("1×", "As fast as a real cluster"),
        Speed::Times(_) => ("10×", "Ten times as fast"),
        _ => ("max", "As fast as this computer can"),
    };
    let Clock {
        speed: now, resume, ..
    } = props.clock;
    let chosen = if now == Speed::Paused {
        resume == speed
    } else {
        now == speed
    };
    let onclick = props.act.reform(move |_: MouseEvent| Act::SetSpeed(speed));
    html! {
        <button role="radio" aria-checked={chosen.to_string()} {title} {onclick}>{ word }</button>
    }
}

/// `09:03:07` of the machines' clock.
pub fn wall_time(unix_secs: i64) -> String {
    let day = unix_secs.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", day / 3600, day / 60 % 60, day % 60)
}

fn told(at: u64) -> String {
    let secs = at / 1_000_000_000;
    format!(
        "The machines' clock. Their world is {} min {:02} s old.",
        secs / 60,
        secs % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_wraps() {
        assert_eq!(wall_time(1_767_603_607), "09:00:07");
        assert_eq!(wall_time(86_399), "23:59:59");
        assert_eq!(wall_time(-1), "23:59:59");
    }
}
