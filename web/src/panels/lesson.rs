//! The lesson: its steps, the text of one, what it asks for, hints, and how to go on.

use std::rc::Rc;

use yew::prelude::*;

use super::bench::maximise;
use super::icons::{Icon, icon};
use crate::app::{Act, Pane, Route};
use crate::markdown::view::Prose;
use crate::protocol::{Check, CheckState, Choice, Input, LessonView, Place, Question, Step};

/// What the lesson pane shows.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct LessonProps {
    /// The lesson, when it is known.
    pub lesson: Option<Rc<LessonView>>,
    /// The lesson after this one.
    pub next_lesson: Option<String>,
    /// It has the whole page.
    pub maximised: bool,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the lesson pane.
#[component]
pub fn LessonPane(props: &LessonProps) -> Html {
    let body = use_node_ref();
    let at = props.lesson.as_ref().map(|lesson| lesson.current);
    {
        // A new step begins at its top.
        let body = body.clone();
        use_effect_with(at, move |_| {
            if let Some(body) = body.cast::<web_sys::Element>() {
                body.set_scroll_top(0);
            }
        });
    }
    html! {
        <section class="pane lesson" id="lesson" tabindex="-1" aria-label="Lesson"
            data-wide={props.maximised.then_some("")}>
            <header>
                { for props.lesson.as_ref().map(|lesson| steps(lesson, &props.act)) }
                if props.lesson.is_none() {
                    <span class="fill"></span>
                }
                { maximise(Pane::Lesson, props.maximised, &props.act) }
            </header>
            <div class="body scroll" ref={body}>
                <div>
                    if let Some(lesson) = &props.lesson {
                        { step(lesson, props) }
                    } else {
                        <p class="label" role="status">{ "Opening the lesson…" }</p>
                    }
                </div>
            </div>
            { for props.lesson.as_ref().map(|lesson| goal(lesson, &props.act)) }
        </section>
    }
}

fn steps(lesson: &LessonView, act: &Callback<Act>) -> Html {
    let button = |(at, step): (usize, &Step)| {
        let current = at as u32 == lesson.current;
        let stand = if step.done { ", done" } else { "" };
        let label = format!("Step {}: {}{stand}", at + 1, step.title);
        let onclick = act.reform(move |_: MouseEvent| Act::World(Input::GoToStep(at as u32)));
        html! {
            <li>
                <button aria-label={label.clone()} title={label} disabled={!step.open}
                    data-done={step.done.then_some("")}
                    aria-current={current.then_some("step")} {onclick}>
                    <i>
                        if step.done { { icon(Icon::Check) } } else { { at + 1 } }
                    </i>
                </button>
            </li>
        }
    };
    html! {
        <nav aria-label="Steps" style="flex:1;min-width:0">
            <ol class="steps">{ for lesson.steps.iter().enumerate().map(button) }</ol>
        </nav>
    }
}

fn step(lesson: &LessonView, props: &LessonProps) -> Html {
    let at = lesson.current as usize;
    let title = lesson
        .steps
        .get(at)
        .map_or(lesson.title.as_str(), |step| step.title.as_str());
    let ended = lesson.finished && at + 1 == lesson.steps.len();
    let hints = lesson.hints.iter().enumerate().map(|(at, hint)| {
        html! {
            <section class="hint" key={at}>
                <h3>{ format!("Hint {} of {}", at + 1, lesson.hints_total) }</h3>
                <Prose small=true text={hint.text.clone()} act={props.act.clone()} />
            </section>
        }
    });
    html! {
        <article key={lesson.current}>
            <p class="count">{ format!("Step {} of {}", at + 1, lesson.steps.len()) }</p>
            <h1>{ title }</h1>
            <Prose text={lesson.text.clone()} act={props.act.clone()} />
            { for lesson.question.as_ref().map(|asked| question(asked, &props.act)) }
            { checks(lesson) }
            <div aria-live="polite">{ for mistakes(lesson, &props.act) }</div>
            <div aria-live="polite">{ for hints }</div>
            if !lesson.step_done && lesson.current == lesson.taken {
                <Helps {at}
                    more_hints={(lesson.hints.len() as u32) < lesson.hints_total}
                    any_hint={!lesson.hints.is_empty()}
                    act={props.act.clone()} />
            }
            if ended {
                { debrief(lesson, props) }
            }
        </article>
    }
}

fn question(asked: &Question, act: &Callback<Act>) -> Html {
    let choice = |(at, choice): (usize, &Choice)| {
        let at = at as u32;
        let chosen = asked.chosen == Some(at);
        let (name, sign) = match (chosen, choice.correct) {
            (false, _) => ("open", None),
            (true, true) => ("right", Some(Icon::Check)),
            (true, false) => ("wrong", Some(Icon::Close)),
        };
        let onclick = act.reform(move |_: MouseEvent| Act::World(Input::Answer(at)));
        html! {
            <li class="choice" data-state={name}>
                <button role="radio" aria-checked={chosen.to_string()} {onclick}>
                    <span class="mark" aria-hidden="true">{ for sign.map(icon) }</span>
                    <span>{ &choice.text }</span>
                </button>
                if chosen {
                    <div role="status">
                        <span class="unseen">
                            { if choice.correct { "Right." } else { "Not quite." } }
                        </span>
                        <Prose small=true text={choice.feedback.clone()} act={act.clone()} />
                    </div>
                }
            </li>
        }
    };
    html! {
        <section class="question">
            <h2>{ "Before you type" }</h2>
            <Prose text={asked.text.clone()} act={act.clone()} />
            <ul role="radiogroup" aria-label="Answers">
                { for asked.choices.iter().enumerate().map(choice) }
            </ul>
        </section>
    }
}

fn mistakes<'a>(lesson: &'a LessonView, act: &'a Callback<Act>) -> impl Iterator<Item = Html> + 'a {
    lesson.mistakes.iter().map(|said| {
        html! {
            <section class="hint mistake" key={said.clone()}>
                <h3>{ "Something to look at" }</h3>
                <Prose small=true text={said.clone()} act={act.clone()} />
            </section>
        }
    })
}

fn checks(lesson: &LessonView) -> Html {
    if lesson.checks.is_empty() {
        return Html::default();
    }
    html! {
        <section class="checks" data-done={lesson.step_done.then_some("")}>
            <h2>{ "The cluster will show that" }</h2>
            <ul>{ for lesson.checks.iter().map(check) }</ul>
        </section>
    }
}

/// The foot of the pane: how far the step is, always in view, and the way on when it is done.
fn goal(lesson: &LessonView, act: &Callback<Act>) -> Html {
    if lesson.current != lesson.taken {
        return looking_back(lesson, act);
    }
    let next = lesson.current + 1;
    let go_on = act.reform(move |_: MouseEvent| Act::World(Input::GoToStep(next)));
    let more = (next as usize) < lesson.steps.len();
    let met = lesson
        .checks
        .iter()
        .filter(|check| check.state == CheckState::Met)
        .count();
    let said = match (lesson.step_done, more) {
        (true, true) => "Done. The cluster agrees.".to_owned(),
        (true, false) => "Done. That was the last step.".to_owned(),
        (false, _) if lesson.checks.is_empty() => "Read on when you are ready.".to_owned(),
        (false, _) => format!("{met} of {} shown", lesson.checks.len()),
    };
    let pip = |check: &Check| html! { <i data-done={(check.state == CheckState::Met).then_some("")}></i> };
    let button = if lesson.step_done {
        "button primary"
    } else {
        "button"
    };
    let may_go = more && (lesson.step_done || lesson.checks.is_empty());
    html! {
        <footer class="goal" data-done={lesson.step_done.then_some("")}>
            <span class="pips" aria-hidden="true">{ for lesson.checks.iter().map(pip) }</span>
            <p role="status">{ said }</p>
            if may_go {
                <button class={button} onclick={go_on}>{ "Next step" }{ icon(Icon::Next) }</button>
            }
        </footer>
    }
}

fn looking_back(lesson: &LessonView, act: &Callback<Act>) -> Html {
    let taken = lesson.taken;
    let back = act.reform(move |_: MouseEvent| Act::World(Input::GoToStep(taken)));
    html! {
        <footer class="goal">
            <p>{ "You are looking back." }</p>
            <button class="button" onclick={back}>
                { format!("To step {}", taken + 1) }{ icon(Icon::Next) }
            </button>
        </footer>
    }
}

fn check(check: &Check) -> Html {
    let (name, sign, word) = match check.state {
        CheckState::Waiting => ("waiting", None, "Not yet: "),
        CheckState::Met => ("met", Some(Icon::Check), "Met: "),
        CheckState::Failed => ("failed", Some(Icon::Close), "Wrong: "),
    };
    html! {
        <li class="check" data-state={name}>
            <span class="mark" aria-hidden="true">{ for sign.map(icon) }</span>
            <span><span class="unseen">{ word }</span>{ &check.label }</span>
            if !check.saw.is_empty() && check.state != CheckState::Met {
                <span class="saw">{ &check.saw }</span>
            }
        </li>
    }
}

fn debrief(lesson: &LessonView, props: &LessonProps) -> Html {
    html! {
        <section class="debrief">
            <h2>{ "What you have seen" }</h2>
            if !lesson.debrief.is_empty() {
                <Prose text={lesson.debrief.clone()} act={props.act.clone()} />
            }
            <div class="helps">
                if let Some(next) = &props.next_lesson {
                    <a class="button primary"
                        href={format!("#{}", Route::Work(Place::Lesson(next.clone())).hash())}>
                        { "Next lesson" }{ icon(Icon::Next) }
                    </a>
                }
                <a class="button quiet" href={format!("#{}", Route::Home.hash())}>{ "All lessons" }</a>
            </div>
        </section>
    }
}

#[derive(Clone, Debug, PartialEq, Properties)]
struct HelpsProps {
    at: usize,
    more_hints: bool,
    any_hint: bool,
    act: Callback<Act>,
}

/// A hint, and starting the step again, which asks first: it undoes what was done.
#[component]
fn Helps(props: &HelpsProps) -> Html {
    let asking = use_state(|| false);
    let hint = props
        .act
        .reform(|_: MouseEvent| Act::World(Input::RevealHint));
    let ask = |to: bool| {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| asking.set(to))
    };
    let restart = {
        let (asking, act) = (asking.clone(), props.act.clone());
        Callback::from(move |_: MouseEvent| {
            asking.set(false);
            act.emit(Act::World(Input::RestartStep));
        })
    };
    html! {
        <>
            <div class="helps">
                if props.more_hints {
                    <button class="button quiet" onclick={hint}>
                        { icon(Icon::Hint) }
                        { if props.any_hint { "Another hint" } else { "Show a hint" } }
                    </button>
                }
                <button class="button quiet" onclick={ask(true)} aria-expanded={asking.to_string()}>
                    { icon(Icon::Again) }{ "Start this step again" }
                </button>
            </div>
            if *asking {
                <div class="ask" role="alertdialog" aria-label="Start this step again?">
                    <p>
                        { "The cluster and its terminals go back to where this step began. What you \
                           did since then is undone." }
                    </p>
                    <div class="acts">
                        <button class="button primary" onclick={restart}>{ "Start again" }</button>
                        <button class="button quiet" onclick={ask(false)}>{ "Leave it" }</button>
                    </div>
                </div>
            }
        </>
    }
}
