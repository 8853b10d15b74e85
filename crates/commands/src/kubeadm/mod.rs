//! `kubeadm`: looks after a cluster's own programs. Models cmd/kubeadm of Kubernetes v1.36.
//!
//! Clusters are delivered as `kubeadm init` and `kubeadm join` leave them; of those two, what they look
//! at first is modelled.

mod apply;
mod certs;
mod cluster;
mod config;
mod defaults;
mod dry_run;
mod health;
mod help;
mod images;
mod kubelet_config;
mod node;
mod plan;
mod policy;
mod preflight;
mod reset;
mod staticpods;
mod token;
mod user;
mod version;

use machine::Io;

use crate::help::tool;

tool!(
    "kubeadm",
    "Easily bootstrap a secure Kubernetes cluster",
    "kubeadm [command]",
    main,
    [(
        "kubeadm bogus",
        "error: unknown command \"bogus\" for \"kubeadm\"\n\
         To see the stack trace of this error execute with --v=5 or higher\n"
    )]
);

/// Why a command ends: a sentence behind `error: `.
pub(crate) struct Stop(pub(crate) String);

/// What a command gives back.
pub(crate) type Done<T = ()> = Result<T, Stop>;

/// Ends with a sentence.
pub(crate) fn stop<T>(text: impl Into<String>) -> Done<T> {
    Err(Stop(text.into()))
}

/// Ends a phase with a sentence.
pub(crate) fn fail_phase<T>(phase: &str, text: impl AsRef<str>) -> Done<T> {
    stop(format!("error execution phase {phase}: {}", text.as_ref()))
}

async fn main(io: Io) -> i32 {
    let words: Vec<String> = io.args().iter().skip(1).map(|w| w.to_string()).collect();
    let options = Options::read(&words);
    let result = match options {
        Ok(options) => run(&io, &options).await,
        Err(why) => Err(why),
    };
    match result {
        Ok(()) => 0,
        Err(Stop(text)) => {
            let hint = "To see the stack trace of this error execute with --v=5 or higher";
            io.eprint(&format!("error: {text}\n{hint}\n")).await;
            1
        }
    }
}

async fn run(io: &Io, options: &Options) -> Done {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let asked = options.help || matches!(words.as_slice(), [] | ["upgrade"]);
    if let Some(text) = help::help(&words).filter(|_| asked) {
        io.print(&text).await;
        return Ok(());
    }
    match words.as_slice() {
        ["version", ..] => print_version(io, options).await,
        ["upgrade", "plan", rest @ ..] => plan::plan(io, rest, options).await,
        ["upgrade", "apply", rest @ ..] => apply::apply(io, rest, options).await,
        ["upgrade", "node"] => node::node(io, options).await,
        ["certs", "renew", rest @ ..] => certs::renew_all(io, rest).await,
        ["certs", "check-expiration"] => certs::check_expiration(io).await,
        ["config", "images", "list"] => config::images_list(io, options).await,
        ["config", "images", "pull"] => config::images_pull(io, options).await,
        ["config", "print", kind] => defaults::print(io, kind).await,
        ["token", rest @ ..] => token::run(io, rest, options).await,
        ["init"] => preflight::init(io, options).await,
        ["join", servers @ ..] if servers.first() != Some(&"phase") => {
            preflight::join(io, servers, options).await
        }
        ["reset"] => reset::reset(io, options).await,
        ["kubeconfig", "user"] => user::user(io, options).await,
        ["certs", "certificate-key"] => {
            let key = io.sys(|sys| sys.random().hex(64)).await;
            io.print(&format!("{key}\n")).await;
            Ok(())
        }
        ["upgrade", word, ..] if !["apply", "diff", "node", "plan"].contains(word) => {
            invalid("upgrade", word)
        }
        ["certs", word, ..]
            if ![
                "certificate-key",
                "check-expiration",
                "generate-csr",
                "renew",
            ]
            .contains(word) =>
        {
            invalid("certs", word)
        }
        ["config", "images", word, ..] => invalid("config images", word),
        ["config", word, ..] if !["images", "migrate", "print", "validate"].contains(word) => {
            invalid("config", word)
        }
        [
            known @ ("init" | "join" | "reset" | "certs" | "config" | "upgrade" | "kubeconfig"),
            rest @ ..,
        ] => {
            let what = [&[*known][..], rest].concat().join(" ");
            let note = sim::unmodelled!("kubeadm init, join and reset, and the like");
            stop(format!("{note}: kubeadm {what}"))
        }
        [name, ..] => stop(format!("unknown command {name:?} for \"kubeadm\"")),
        // Its help was printed.
        [] => Ok(()),
    }
}

/// What an unknown word behind a command is told.
fn invalid(command: &str, word: &str) -> Done {
    stop(format!(
        "invalid subcommand {word:?}\nSee 'kubeadm {command} -h' for help and examples"
    ))
}

async fn print_version(io: &Io, options: &Options) -> Done {
    let own = own_version(io).await;
    match options.output.as_deref() {
        Some("short") => io.print(&format!("{own}\n")).await,
        None => {
            let minor = crate::releases::minor(&own);
            io.print(&format!(
                "kubeadm version: &version.Info{{Major:\"1\", Minor:\"{minor}\", \
                 EmulationMajor:\"\", EmulationMinor:\"\", MinCompatibilityMajor:\"\", \
                 MinCompatibilityMinor:\"\", GitVersion:\"{own}\", GitTreeState:\"clean\", \
                 Compiler:\"gc\", Platform:\"linux/amd64\"}}\n"
            ))
            .await;
        }
        Some(other) => {
            let note = sim::unmodelled!("kubeadm version as json or yaml");
            return stop(format!("{note}: -o {other}"));
        }
    }
    Ok(())
}

/// The release this kubeadm is of.
pub(crate) async fn own_version(io: &Io) -> String {
    io.sys(|sys| sys.version()).await.to_string()
}

/// What a command line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Commands and arguments.
    pub(crate) words: Vec<String>,
    /// `-y`.
    pub(crate) yes: bool,
    /// `-f`.
    pub(crate) force: bool,
    /// `-h`.
    pub(crate) help: bool,
    /// `--dry-run`.
    pub(crate) dry_run: bool,
    /// `--ignore-preflight-errors`, in small letters.
    pub(crate) ignored: Vec<String>,
    /// `-o`.
    pub(crate) output: Option<String>,
    /// `--kubernetes-version`.
    pub(crate) kubernetes_version: Option<String>,
    /// `--kubeconfig`.
    pub(crate) kubeconfig: Option<String>,
    /// `--print-join-command`.
    pub(crate) join_command: bool,
    /// `--ttl`.
    pub(crate) ttl: Option<String>,
    /// `--description`.
    pub(crate) description: Option<String>,
    /// `--usages`.
    pub(crate) usages: Vec<String>,
    /// `--groups`.
    pub(crate) groups: Vec<String>,
    /// `--token`.
    pub(crate) token: Option<String>,
    /// `--discovery-token-ca-cert-hash`.
    pub(crate) ca_hashes: Vec<String>,
    /// `--discovery-token-unsafe-skip-ca-verification`.
    pub(crate) unsafe_ca: bool,
    /// `--client-name`.
    pub(crate) client_name: Option<String>,
    /// `--org`.
    pub(crate) organizations: Vec<String>,
    /// `--certificate-key`.
    pub(crate) certificate_key: Option<String>,
    /// `--etcd-upgrade`, on unless turned off.
    pub(crate) skips_etcd: bool,
    /// `--certificate-renewal`, on unless turned off.
    pub(crate) skips_renewal: bool,
}

impl Options {
    fn read(words: &[String]) -> Done<Options> {
        let mut options = Options::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix('-') else {
                options.words.push(word.clone());
                continue;
            };
            let flag = flag.trim_start_matches('-');
            let (name, given) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let mut value = || match given.clone().or_else(|| rest.next().cloned()) {
                Some(value) => Ok(value),
                None => stop(format!("flag needs an argument: {word}")),
            };
            match name {
                "h" | "help" => options.help = true,
                "y" | "yes" => options.yes = given.as_deref() != Some("false"),
                "f" | "force" => options.force = given.as_deref() != Some("false"),
                "dry-run" => options.dry_run = given.as_deref() != Some("false"),
                "ignore-preflight-errors" => options
                    .ignored
                    .extend(value()?.split(',').map(str::to_lowercase)),
                "o" | "output" => options.output = Some(value()?),
                "kubernetes-version" => options.kubernetes_version = Some(value()?),
                "etcd-upgrade" => options.skips_etcd = given.as_deref() == Some("false"),
                "certificate-renewal" => options.skips_renewal = given.as_deref() == Some("false"),
                "kubeconfig" => options.kubeconfig = Some(value()?),
                "print-join-command" => options.join_command = given.as_deref() != Some("false"),
                "ttl" => options.ttl = Some(value()?),
                "description" => options.description = Some(value()?),
                "usages" => options
                    .usages
                    .extend(value()?.split(',').map(str::to_owned)),
                "groups" => options
                    .groups
                    .extend(value()?.split(',').map(str::to_owned)),
                "certificate-key" => options.certificate_key = Some(value()?),
                "token" => options.token = Some(value()?),
                "discovery-token-ca-cert-hash" => options.ca_hashes.push(value()?),
                "discovery-token-unsafe-skip-ca-verification" => options.unsafe_ca = true,
                "client-name" => options.client_name = Some(value()?),
                "org" => options
                    .organizations
                    .extend(value()?.split(',').map(str::to_owned)),
                "control-plane" | "upload-certs" => {}
                "apiserver-advertise-address"
                | "apiserver-bind-port"
                | "apiserver-cert-extra-sans"
                | "cert-dir"
                | "cleanup-tmp-dir"
                | "config"
                | "control-plane-endpoint"
                | "cri-socket"
                | "feature-gates"
                | "image-repository"
                | "node-name"
                | "patches"
                | "pod-network-cidr"
                | "service-cidr"
                | "service-dns-domain"
                | "skip-phases"
                | "validity-period" => {
                    value()?;
                }
                "v" => {
                    value()?;
                }
                _ => return stop(format!("unknown flag: {word}")),
            }
        }
        Ok(options)
    }
}
