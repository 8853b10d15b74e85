//! The native figures: a table on standard output, a line per case.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench has a clock"
)]

mod served;

use std::time::Instant;

use kubarium_bench::{Cluster, Kernel, REQUESTS, Rules, SERVICES, SIZES};

const KERNEL_EVENTS: u64 = 3_000_000;
const CLONES: u32 = 1000;

fn main() {
    let only = std::env::args().nth(1);
    let cases: [(&str, fn()); 8] = [
        ("kernel", kernel),
        ("boot", boot),
        ("clone", clone),
        ("replicas", replicas),
        ("requests", requests),
        ("rules", rules),
        ("lessons", lessons),
        ("served", served::served),
    ];
    for (name, case) in cases {
        if only.as_deref().is_none_or(|only| only == name) {
            case();
        }
    }
}

/// `name` in a column, then the figures.
fn row(name: &str, figures: &str) {
    println!("{name:<34} {figures}");
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

fn kernel() {
    let mut kernel = Kernel::new(50);
    kernel.run(100_000);
    let begun = Instant::now();
    let events = kernel.run(KERNEL_EVENTS);
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    row(
        "kernel, 50 machines",
        &format!("{:>9.2} M events/s", rate / 1e6),
    );
}

fn boot() {
    for preset in ["single", "default", "large"] {
        let begun = Instant::now();
        let mut cluster = Cluster::new(preset);
        let span = cluster.boot();
        let figures = format!(
            "{:>9.0} ms {:>9.1} virtual s",
            millis(begun),
            span.as_secs_f64()
        );
        row(&format!("cluster from nothing, {preset}"), &figures);
    }
}

fn clone() {
    for (name, replicas) in [("fresh", 0), ("with 1,000 pods", 1000)] {
        let mut cluster = Cluster::new("large");
        cluster.boot();
        if replicas > 0 {
            cluster.deploy(replicas);
        }
        let begun = Instant::now();
        let mut kept = Vec::new();
        for _ in 0..CLONES {
            kept.push(cluster.clone());
        }
        let micros = millis(begun) * 1e3 / f64::from(CLONES);
        row(
            &format!("clone of the world, {name}"),
            &format!("{micros:>9.1} µs"),
        );
        drop(kept);
        let mut copy = cluster.clone();
        let begun = Instant::now();
        let events = copy.idle();
        let figures = format!("{:>9.0} ms {events:>9} events", millis(begun));
        row(&format!("an idle minute, {name}"), &figures);
    }
}

fn replicas() {
    let mut fresh = Cluster::new("large");
    fresh.boot();
    for replicas in SIZES {
        let mut cluster = fresh.clone();
        forget_peak();
        let before = peak();
        let begun = Instant::now();
        let (events, span) = cluster.deploy(replicas);
        let took = millis(begun);
        assert_eq!(
            cluster.ready(replicas),
            i64::from(replicas),
            "all replicas are ready"
        );
        let memory = peak().saturating_sub(before);
        row(
            &format!("{replicas} replicas, 12 workers"),
            &format!(
                "{took:>9.0} ms {:>9.1} virtual s {events:>9} events {:>7.1} MB more at the peak",
                span.as_secs_f64(),
                memory as f64 / 1e3,
            ),
        );
    }
}

fn requests() {
    let mut cluster = Cluster::new("default");
    cluster.boot();
    cluster.serve();
    let begun = Instant::now();
    let span = cluster.ask(REQUESTS);
    let rate = f64::from(REQUESTS) / begun.elapsed().as_secs_f64();
    let figures = format!(
        "{rate:>9.0} requests/s {:>9.1} virtual s",
        span.as_secs_f64()
    );
    row("curl through a node port", &figures);
}

fn rules() {
    let mut rules = Rules::new(SERVICES);
    let begun = Instant::now();
    let built = rules.build();
    let rate = built as f64 / begun.elapsed().as_secs_f64();
    let figures = format!(
        "{:>9.1} ms {built:>9} rules {rate:>9.0} rules/s",
        millis(begun)
    );
    row(&format!("rules for {SERVICES} Services"), &figures);
    rules.tell();
    let begun = Instant::now();
    let built = rules.build();
    let figures = format!("{:>9.2} ms {built:>9} rules", millis(begun));
    row("rules for one Service more", &figures);
}

/// The proof of each lesson in `lessons/`, with as many seeds as `kubarium check` takes.
fn lessons() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../lessons");
    let mut files = Vec::new();
    for track in std::fs::read_dir(root).expect("lessons").flatten() {
        for lesson in std::fs::read_dir(track.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            files.push(lesson.path().join("lesson.yaml"));
        }
    }
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a lesson has a lesson.yaml");
        let lesson = lesson::parse("lesson.yaml", &text).unwrap_or_else(|p| panic!("{}", p[0]));
        let seeds = lesson::seeds(&lesson, lesson::SEEDS);
        let begun = Instant::now();
        let proof = lesson::prove(&lesson, &seeds).unwrap_or_else(|p| panic!("{}", p[0]));
        let (steps, seeds) = (proof.steps, seeds.len());
        let figures = format!("{:>9.0} ms {steps:>9} steps, {seeds} seeds", millis(begun));
        row(
            &format!("proof of {}/{}", lesson.track, lesson.name),
            &figures,
        );
    }
}

/// Resets the kernel's note of the most memory this process had. Source: proc(5), clear_refs.
fn forget_peak() {
    // Where that is not possible, the figure is that of the largest case so far.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory this process had, in kB; 0 where there is no such figure.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
