//! Looks at what takes a branch of the world to see: requests over the network, and commands.

use api::Value;
use api::cel::{Bindings, Val};
use sim::Duration;

use crate::check::{CommandTest, From, ProbeTest, Which};
use crate::duration;
use crate::look::{Seen, judge, unmet};
use crate::stage::{Outcome, Stage, finish};

/// Sends a request in a branch of the world and looks at the answer.
pub(crate) fn probe<S: Stage>(test: &ProbeTest, mut branch: S) -> Seen {
    let timeout = test.timeout.as_secs() + u64::from(test.timeout.subsec_nanos() > 0);
    let url = test.url.replace('\'', "%27");
    let curl = format!("curl -sS -i -m {timeout} '{url}'").into();
    let started = match &test.from {
        From::Machine(machine) => branch.run(machine, &curl),
        From::Pod(namespace, which) => match running_pod(&branch, namespace, which) {
            Some(pod) => branch.run_in_pod(namespace, &pod, &curl),
            None => Err(format!("no running pod of {namespace} to ask from")),
        },
    };
    let run = match started {
        Ok(run) => run,
        Err(why) => return unmet(why),
    };
    let outcome = finish(&mut branch, run, test.timeout + Duration::from_secs(5));
    let (status, body) = answer(&outcome.stdout);
    let error = outcome.stderr.trim();
    let error = if outcome.exit_code.is_none() {
        "no answer in time"
    } else {
        error
    };
    let bindings = Bindings::new()
        .with_val("status", Val::Int(status))
        .with("body", &Value::from(body))
        .with("error", &Value::from(error));
    let seen = judge(&test.want, &bindings);
    match seen.met {
        true => seen,
        false if status == 0 => unmet(format!("{}: {error}", test.url)),
        false => unmet(format!("{} answered {status}: {}", test.url, seen.saw)),
    }
}

fn running_pod<S: Stage>(stage: &S, namespace: &str, which: &Which) -> Option<String> {
    let meant = |pod: &Value| match which {
        Which::Named(name) => pod.name() == &**name,
        Which::Matching(selector, _) => selector.matches(pod.labels()),
    };
    let pods = stage
        .list("pods")
        .into_iter()
        .filter(|pod| pod.namespace() == namespace);
    let mut running = pods.filter(|pod| pod.str_at("status.phase") == "Running");
    running.find(meant).map(|pod| pod.name().to_owned())
}

/// Status and body of an answer as `curl -i` prints it; 0 if it is none.
fn answer(text: &str) -> (i64, &str) {
    let mut rest = text;
    loop {
        let (head, body) = rest
            .split_once("\r\n\r\n")
            .or_else(|| rest.split_once("\n\n"))
            .unwrap_or((rest, ""));
        let first = head.lines().next().unwrap_or("");
        let status = first
            .strip_prefix("HTTP/")
            .and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
        // 100 Continue comes before the answer.
        if status != 100 {
            return (status, body);
        }
        rest = body;
    }
}

/// Runs a command in a branch of the world and looks at what it prints.
pub(crate) fn command<S: Stage>(test: &CommandTest, mut branch: S) -> Seen {
    let run = match branch.run(&test.machine, &test.run) {
        Ok(run) => run,
        Err(why) => return unmet(why),
    };
    let Outcome {
        stdout,
        stderr,
        exit_code,
    } = finish(&mut branch, run, test.timeout);
    let Some(exit_code) = exit_code else {
        let timeout = duration::show(test.timeout);
        return unmet(format!("{} did not end within {timeout}", test.run.trim()));
    };
    let bindings = Bindings::new()
        .with("stdout", &Value::from(stdout.as_str()))
        .with("stderr", &Value::from(stderr.as_str()))
        .with_val("exitCode", Val::Int(i64::from(exit_code)));
    let seen = judge(&test.want, &bindings);
    if seen.met {
        return seen;
    }
    let said = if stderr.trim().is_empty() {
        stdout.trim()
    } else {
        stderr.trim()
    };
    unmet(format!(
        "{} ended with {exit_code} and printed: {said}",
        test.run.trim()
    ))
}
