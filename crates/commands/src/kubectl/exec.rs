//! `kubectl exec` and `kubectl attach`.
//!
//! Models kubectl/pkg/cmd/exec and kubectl/pkg/cmd/attach.

use api::Value;

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::pods::{GET_POD_TIMEOUT, container, pod, timeout, word_of};
use super::session::Session;
use super::streams::{At, Streams};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    value("container").short('c'),
    value("pod-running-timeout"),
    switch("quiet").short('q'),
    switch("stdin").short('i'),
    switch("tty").short('t'),
];

/// `kubectl exec`.
pub(super) const EXEC: Verb = Verb {
    name: "exec",
    summary: "Execute a command in a container",
    usage: "kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(exec(session, line)),
};

const ATTACH_FLAGS: &[Flag] = &[
    value("container").short('c'),
    value("pod-running-timeout"),
    switch("quiet").short('q'),
    switch("stdin").short('i'),
    switch("tty").short('t'),
];

/// `kubectl attach`.
pub(super) const ATTACH: Verb = Verb {
    name: "attach",
    summary: "Attach to a running container",
    usage: "kubectl attach (POD | TYPE/NAME) -c CONTAINER [options]",
    flags: ATTACH_FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(attach(session, line)),
};

const ATTACH_NOTE: &str = "All commands and output from this session will be recorded in \
container logs, including credentials and sensitive information passed through the command \
prompt.\nIf you don't see a command prompt, try pressing enter.\n";

async fn exec(session: &Session, line: &Line) -> Outcome {
    let before = line.dash.unwrap_or(line.args.len());
    let (words, command) = line.args.split_at(before);
    if line.dash.is_none() && words.len() > 1 {
        return Err(Failure::Plain(
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] \
             instead\nSee 'kubectl exec -h' for help and examples"
                .to_owned(),
        ));
    }
    if words.is_empty() && !line.has("filename") {
        return Err(Failure::message(
            "pod, type/name or --filename must be specified",
        ));
    }
    if command.is_empty() {
        return Err(Failure::message(
            "you must specify at least one command for the container",
        ));
    }
    let word = word_of(session, line, words).await?;
    let pod = pod(session, &word, timeout(line, GET_POD_TIMEOUT)?).await?;
    refuse_ended(&pod, "exec into")?;
    let container = container(session, line, &pod).await?;
    let streams = Streams::of(session, line).await;
    let at = At {
        namespace: pod.namespace(),
        pod: pod.name(),
        container: &container,
    };
    streams.run(session, at.exec(command)).await
}

fn refuse_ended(pod: &Value, doing: &str) -> Outcome {
    let phase = pod.str_at("status.phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::message(format!(
            "cannot {doing} a container in a completed pod; current phase is {phase}"
        )));
    }
    Ok(())
}

async fn attach(session: &Session, line: &Line) -> Outcome {
    let word = match line.args.as_slice() {
        [] => {
            let why = "at least 1 argument is required for attach";
            return Err(Failure::message(why));
        }
        [word] => word.clone(),
        [kind, name] => format!("{kind}/{name}"),
        many => {
            let why = format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                many.len(),
                many.join(" ")
            );
            return Err(Failure::message(why));
        }
    };
    let pod = pod(session, &word, timeout(line, GET_POD_TIMEOUT)?).await?;
    refuse_ended(&pod, "attach")?;
    let container = container(session, line, &pod).await.map_err(|failure| {
        let doing = "cannot attach to the container";
        failure.context(doing)
    })?;
    attach_to(session, line, &pod, &container).await
}

/// Attaches to a container of a pod.
pub(super) async fn attach_to(
    session: &Session,
    line: &Line,
    pod: &Value,
    container: &str,
) -> Outcome {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let mut all = lists.iter().flat_map(|list| {
        pod.get("spec")
            .list_at(list)
            .iter()
            .map(move |c| (*list, c))
    });
    let found = all.find(|(_, c)| c.str("name") == container);
    let mut line = line.clone();
    if line.on("tty") && found.is_some_and(|(_, c)| !c.bool_at("tty")) {
        line.replace("tty", "false".to_owned());
        let note =
            format!("error: Unable to use a TTY - container {container} did not allocate one\n");
        session.io.eprint(&note).await;
    }
    let streams = Streams::of(session, &line).await;
    if !line.on("quiet") {
        session.io.eprint(ATTACH_NOTE).await;
    }
    let at = At {
        namespace: pod.namespace(),
        pod: pod.name(),
        container,
    };
    streams.run(session, at.attach()).await?;
    let again = streams.stdin && streams.tty && !line.on("quiet");
    if again && pod.str_at("spec.restartPolicy") == "Always" {
        let name = pod.name();
        let how = format!("'kubectl attach {name} -c {container} -i -t'");
        let text = match found {
            Some(("ephemeralContainers", _)) => format!(
                "Session ended, the ephemeral container will not be restarted but may be \
                 reattached using {how} if it is still running\n"
            ),
            _ => format!("Session ended, resume using {how} command when the pod is running\n"),
        };
        session.io.print(&text).await;
    }
    Ok(())
}
