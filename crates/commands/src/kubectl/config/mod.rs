//! `kubectl config`: contexts, clusters and users of the kubeconfig files.
//!
//! Models kubectl/pkg/cmd/config.

mod contexts;
mod entries;
mod logins;
mod property;
mod view;

use api::Value;

use super::Verb;
use super::config_files::{ConfigFiles, Missing};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, optional, switch, value};
use super::help;
use super::session::Session;

type Run = for<'a> fn(&'a Session, &'a Line) -> super::Running<'a>;

const fn verb(
    name: &'static str,
    summary: &'static str,
    usage: &'static str,
    flags: &'static [Flag],
    run: Run,
) -> Verb {
    Verb {
        name,
        summary,
        usage,
        flags,
        interspersed: true,
        run,
    }
}

/// `kubectl config …`, in the order of the help text.
pub(super) const VERBS: [&Verb; 15] = [
    &verb(
        "config current-context",
        "Display the current-context",
        "kubectl config current-context [flags] [options]",
        &[],
        |s, l| Box::pin(contexts::current(s, l)),
    ),
    &verb(
        "config delete-cluster",
        "Delete the specified cluster from the kubeconfig",
        "kubectl config delete-cluster NAME [options]",
        &[],
        |s, l| Box::pin(entries::delete(s, l, "cluster", "clusters")),
    ),
    &verb(
        "config delete-context",
        "Delete the specified context from the kubeconfig",
        "kubectl config delete-context NAME [options]",
        &[],
        |s, l| Box::pin(entries::delete(s, l, "context", "contexts")),
    ),
    &verb(
        "config delete-user",
        "Delete the specified user from the kubeconfig",
        "kubectl config delete-user NAME [options]",
        &[],
        |s, l| Box::pin(entries::delete(s, l, "user", "users")),
    ),
    &verb(
        "config get-clusters",
        "Display clusters defined in the kubeconfig",
        "kubectl config get-clusters [flags] [options]",
        &[],
        |s, l| Box::pin(entries::names(s, l, "clusters")),
    ),
    &verb(
        "config get-contexts",
        "Describe one or many contexts",
        "kubectl config get-contexts [(-o|--output=)name)] [options]",
        &[value("output").short('o'), switch("no-headers")],
        |s, l| Box::pin(contexts::list(s, l)),
    ),
    &verb(
        "config get-users",
        "Display users defined in the kubeconfig",
        "kubectl config get-users [flags] [options]",
        &[],
        |s, l| Box::pin(entries::names(s, l, "users")),
    ),
    &verb(
        "config rename-context",
        "Rename a context from the kubeconfig file",
        "kubectl config rename-context CONTEXT_NAME NEW_NAME [options]",
        &[],
        |s, l| Box::pin(contexts::rename(s, l)),
    ),
    &verb(
        "config set",
        "Set an individual value in a kubeconfig file",
        "kubectl config set PROPERTY_NAME PROPERTY_VALUE [options]",
        &[switch("set-raw-bytes")],
        |s, l| Box::pin(property::set(s, l)),
    ),
    &verb(
        "config set-cluster",
        "Set a cluster entry in kubeconfig",
        "kubectl config set-cluster NAME [--server=server] \
         [--certificate-authority=path/to/certificate/authority] \
         [--insecure-skip-tls-verify=true] [--tls-server-name=example.com] [options]",
        &[switch("embed-certs"), value("proxy-url")],
        |s, l| Box::pin(entries::set_cluster(s, l)),
    ),
    &verb(
        "config set-context",
        "Set a context entry in kubeconfig",
        "kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] \
         [--user=user_nickname] [--namespace=namespace] [options]",
        &[switch("current")],
        |s, l| Box::pin(contexts::set(s, l)),
    ),
    &verb(
        "config set-credentials",
        "Set a user entry in kubeconfig",
        "kubectl config set-credentials NAME [--client-certificate=path/to/certfile] \
         [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] \
         [--password=basic_password] [options]",
        entries::CREDENTIALS,
        |s, l| Box::pin(entries::set_credentials(s, l)),
    ),
    &verb(
        "config unset",
        "Unset an individual value in a kubeconfig file",
        "kubectl config unset PROPERTY_NAME [options]",
        &[],
        |s, l| Box::pin(property::unset(s, l)),
    ),
    &verb(
        "config use-context",
        "Set the current-context in a kubeconfig file",
        "kubectl config use-context CONTEXT_NAME [options]",
        &[],
        |s, l| Box::pin(contexts::use_context(s, l)),
    ),
    &verb(
        "config view",
        "Display merged kubeconfig settings or a specified kubeconfig file",
        "kubectl config view [flags] [options]",
        &[
            value("output").short('o'),
            switch("minify"),
            switch("raw"),
            switch("flatten"),
            optional("merge", "true"),
        ],
        |s, l| Box::pin(view::view(s, l)),
    ),
];

/// The files, and all they say.
async fn load(session: &Session, line: &Line) -> Outcome<(ConfigFiles, Value)> {
    let files = ConfigFiles::read(&session.io, line, Missing::IsEmpty).await?;
    let merged = files.merged();
    Ok((files, merged))
}

/// The names in one of the lists of the kubeconfig, in order of the alphabet.
pub(super) async fn names_of(session: &Session, line: &Line, list: &str) -> Vec<String> {
    let Ok((_, config)) = load(session, line).await else {
        return Vec::new();
    };
    let entries = config.get(list).list().iter();
    entries.map(|entry| entry.str("name").to_owned()).collect()
}

/// A line that does not have the arguments a command takes: its help, and what is wrong.
fn unexpected(line: &Line, command: &str) -> Failure {
    let text = help::of(&line.command).unwrap_or_default().to_owned();
    let given = line.args.join(" ");
    if command.starts_with("config delete-") {
        return match command {
            "config delete-user" => Failure::hint(line, "user to delete is required"),
            _ => Failure::Printed(text, Box::new(Failure::Exit(String::new(), 0))),
        };
    }
    let unexpected = match command {
        "config set-credentials" => "unexpected",
        _ => "Unexpected",
    };
    let why = Failure::message(format!("{unexpected} args: [{given}]"));
    Failure::Printed(text, Box::new(why))
}
