//! A machine, as a tank with pods in it.

use yew::prelude::*;

use super::mark::mark;
use super::pod::{Size, tiles};
use super::scene::{Group, Tank, Tile};
use crate::panels::icons::{Icon, icon};
use crate::protocol::{Component, Machine, PodState};

/// A machine.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct MachineProps {
    /// The machine and its pods.
    pub tank: Tank,
    /// The pod or machine whose details are open.
    pub open: Option<String>,
    /// Open the details of a pod (by uid) or machine (by name).
    pub inspect: Callback<String>,
}

/// Draws a machine.
#[component]
pub fn MachineTank(props: &MachineProps) -> Html {
    let Tank {
        machine,
        groups,
        system,
        missing,
        drain,
        dense,
        count: _,
    } = &props.tank;
    let open = props.open.as_deref();
    let name = machine.name.clone();
    let onclick = props.inspect.reform(move |_: MouseEvent| name.clone());
    let size = if *dense { Size::Dense } else { Size::Roomy };
    // The parts of the control plane are what its machine is for; elsewhere they come last.
    let controls = machine.role == "control-plane";
    let own = system_tiles(system, missing, open, &props.inspect);
    let cordoned = machine.ready && !machine.schedulable;
    html! {
        <section class="machine" id={element_id(&machine.name)} data-down={(!machine.ready).then_some("")}
            data-cordoned={cordoned.then_some("")} aria-label={format!("Machine {}", machine.name)}>
            <header>
                <div class="name">
                    <button aria-haspopup="dialog" aria-expanded={(open == Some(&machine.name)).to_string()}
                        {onclick}>{ &machine.name }</button>
                    { state(machine) }
                </div>
                <p class="facts">
                    <span>{ role(machine) }</span>
                    <span class="mono">{ &machine.ip }</span>
                </p>
                { daemons(machine) }
                { gauges(machine) }
            </header>
            if !machine.schedulable && !machine.version.is_empty() {
                { cordon(*drain) }
            }
            <div class="inside">
                if controls {
                    { own.clone() }
                }
                <>{ for groups.iter().map(|g| group(g, size, open, &props.inspect)) }</>
                if groups.is_empty() && !controls {
                    <p class="none">{ "No pods of yours here." }</p>
                }
                if !controls {
                    { own }
                }
            </div>
        </section>
    }
}

/// The id of a machine in the document.
pub fn element_id(name: &str) -> String {
    format!("machine-{name}")
}

/// What a machine that takes no new pods is at.
fn cordon((leave, rest): (usize, usize)) -> Html {
    let pods = |count: usize| match count {
        1 => "1 pod".to_owned(),
        _ => format!("{count} pods"),
    };
    let words = match (leave, rest) {
        (0, 0) => "Drained: no pod is left that could go.".to_owned(),
        (0, rest) => format!("Cordoned: takes no new pods, {} stay.", pods(rest)),
        (leave, 0) => format!("Draining: {} leaving.", pods(leave)),
        (leave, rest) => format!("Draining: {} leaving, {} to go.", pods(leave), rest),
    };
    html! {
        <p class="cordon" data-busy={(leave > 0).then_some("")}>{ icon(Icon::Closed) }{ words }</p>
    }
}

/// The programs that run on the machine itself: kubelet, with its version, and containerd.
fn daemons(machine: &Machine) -> Html {
    let parts = machine.components.iter();
    let own = parts.filter(|part| ["kubelet", "containerd"].contains(&part.name.as_str()));
    let chip = |part: &Component| {
        let down = part.started.is_none();
        let version = (part.name == "kubelet" && !down).then_some(&machine.version);
        html! {
            <span class="daemon" id={daemon_id(&machine.name, &part.name)} data-down={down.then_some("")}>
                { icon(if down { Icon::Warning } else { Icon::Part }) }
                { &part.name }
                if let Some(version) = version {
                    <span class="version">{ version }</span>
                }
                if down {
                    { " not running" }
                }
            </span>
        }
    };
    html! { <p class="daemons">{ for own.map(chip) }</p> }
}

/// The id in the document of a program that runs on a machine itself.
pub fn daemon_id(machine: &str, name: &str) -> String {
    format!("{name}-{machine}")
}

fn system_tiles(
    system: &[Tile],
    missing: &[String],
    open: Option<&str>,
    inspect: &Callback<String>,
) -> Html {
    if system.is_empty() && missing.is_empty() {
        return Html::default();
    }
    let gone = |name: &String| {
        html! {
            <span class="pod quiet part missing" data-state="failing" key={name.clone()}>
                { mark(PodState::Failing, None) }
                <span class="who">{ name }</span><span class="what">{ "not running" }</span>
            </span>
        }
    };
    html! {
        <section class="group system">
            <h4><span class="ns" title="Namespace">{ "kube-system" }</span></h4>
            { tiles(system, Size::Quiet, open, inspect) }
            if !missing.is_empty() {
                <div class="tiles">{ for missing.iter().map(gone) }</div>
            }
        </section>
    }
}

fn role(machine: &Machine) -> &'static str {
    if machine.role == "control-plane" {
        "control plane"
    } else {
        "worker"
    }
}

fn state(machine: &Machine) -> Html {
    let (look, sign, word) = match (machine.ready, machine.schedulable) {
        (false, _) => ("bad", Icon::Warning, "NotReady"),
        (true, false) => ("wait", Icon::Closed, "SchedulingDisabled"),
        (true, true) => ("ok", Icon::Check, "Ready"),
    };
    html! { <span class="state" data-look={look}>{ icon(sign) }{ word }</span> }
}

fn gauges(machine: &Machine) -> Html {
    let cpu = format!(
        "{}/{}",
        cores(machine.cpu_requested),
        cores(machine.cpu_total)
    );
    let memory = format!(
        "{}/{}",
        bytes(machine.memory_requested),
        bytes(machine.memory_total)
    );
    html! {
        <div class="gauges">
            { gauge("cpu", "CPU requested by pods", &cpu, machine.cpu_requested, machine.cpu_total) }
            { gauge("mem", "Memory requested by pods", &memory, machine.memory_requested, machine.memory_total) }
        </div>
    }
}

fn gauge(word: &str, title: &str, text: &str, used: u64, total: u64) -> Html {
    let percent = (used * 100).checked_div(total).unwrap_or(0).min(100);
    html! {
        <span class="gauge" data-full={(percent >= 90).then_some("")} title={format!("{title}: {text}")}>
            { format!("{word} {text}") }
            <span class="bar" aria-hidden="true"><i style={format!("width:{percent}%")}></i></span>
        </span>
    }
}

fn group(group: &Group, size: Size, open: Option<&str>, inspect: &Callback<String>) -> Html {
    let owner = group.owner.as_ref().map_or("", |owner| owner.name.as_str());
    html! {
        <section class="group" key={format!("{}/{owner}", group.namespace)}>
            <h4>
                <span class="ns" title="Namespace">{ &group.namespace }</span>
                if let Some(owner) = &group.owner {
                    <span class="ns" aria-hidden="true">{ "/" }</span>
                    <span title={owner.kind.clone()}>{ &owner.name }</span>
                }
                if size == Size::Dense {
                    <span class="sum">{ group.sum() }</span>
                }
            </h4>
            { tiles(&group.tiles, size, open, inspect) }
        </section>
    }
}

/// Thousandths of a core as cores: `0.95`, `4`.
pub fn cores(milli: u64) -> String {
    let text = format!("{}.{:02}", milli / 1000, milli % 1000 / 10);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes in the unit that gives a short number: `290Mi`, `7.8Gi`.
pub fn bytes(bytes: u64) -> String {
    const MI: u64 = 1 << 20;
    match bytes {
        0 => "0".to_owned(),
        _ if bytes < 1 << 30 => format!("{}Mi", bytes.div_ceil(MI)),
        _ => {
            let tenths = (bytes * 10 + (1 << 29)) >> 30;
            match tenths % 10 {
                0 => format!("{}Gi", tenths / 10),
                part => format!("{}.{part}Gi", tenths / 10),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        assert_eq!(
            [cores(0), cores(950), cores(1000), cores(4000)],
            ["0", "0.95", "1", "4"]
        );
        let amounts = [0, 70 << 20, 290 << 20, 8 << 30, (8 << 30) - (200 << 20)];
        assert_eq!(amounts.map(bytes), ["0", "70Mi", "290Mi", "8Gi", "7.8Gi"]);
    }
}
