//! `kubeadm token`: bootstrap tokens, which are Secrets of the cluster.
//!
//! Models cmd/kubeadm/app/cmd/token.go, apis/bootstraptoken/v1 and util/pubkeypin.

use api::{Value, object};
use machine::Io;
use net::http::Method;
use sim::{Duration, Instant};

use super::cluster::Cluster;
use super::{Done, Options, Stop, stop};

const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";
const PREFIX: &str = "bootstrap-token-";
const DEFAULT_GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";
/// What tokens are made of.
const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// `kubeadm token COMMAND`.
pub(crate) async fn run(io: &Io, words: &[&str], options: &Options) -> Done {
    match words {
        ["create", rest @ ..] => create(io, rest, options).await,
        ["delete", tokens @ ..] => delete(io, tokens, options).await,
        ["generate"] => {
            let token = generate(io).await;
            io.print(&format!("{token}\n")).await;
            Ok(())
        }
        ["list"] => list(io, options).await,
        [] => {
            io.print(HELP).await;
            Ok(())
        }
        [word, ..] => stop(format!(
            "invalid subcommand {word:?}\nSee 'kubeadm token -h' for help and examples"
        )),
    }
}

/// What is said when no command is named.
const HELP: &str = "\nThis command manages bootstrap tokens. It is optional and needed only for \
advanced use cases.\n\nUsage:\n  kubeadm token [command]\n\nAvailable Commands:\n  create      \
Create bootstrap tokens on the server\n  delete      Delete bootstrap tokens on the server\n  \
generate    Generate and print a bootstrap token, but do not create it on the server\n  list        \
List bootstrap tokens on the server\n";

async fn open(io: &Io, options: &Options) -> Done<Cluster> {
    let file = options.kubeconfig.as_deref();
    Cluster::open(
        io,
        file.unwrap_or("/etc/kubernetes/admin.conf"),
        options.dry_run,
    )
    .await
}

async fn generate(io: &Io) -> String {
    io.sys(|sys| {
        let mut part = |length: usize| -> String {
            let letters = (0..length).map(|_| {
                let at = sys.random().below(ALPHABET.len() as u64);
                char::from(ALPHABET[usize::try_from(at).unwrap_or(0)])
            });
            letters.collect()
        };
        let id = part(6);
        format!("{id}.{}", part(16))
    })
    .await
}

/// A token's two halves.
pub(crate) fn halves(token: &str) -> Done<(&str, &str)> {
    let fits = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| ALPHABET.contains(&byte))
    };
    match token.split_once('.') {
        Some((id, secret)) if fits(id, 6) && fits(secret, 16) => Ok((id, secret)),
        _ => stop(format!(
            "the bootstrap token {token:?} was not of the form \
             \"\\\\A([a-z0-9]{{6}})\\\\.([a-z0-9]{{16}})\\\\z\""
        )),
    }
}

async fn create(io: &Io, words: &[&str], options: &Options) -> Done {
    let token = match words {
        [] => generate(io).await,
        [token] => (*token).to_owned(),
        _ => {
            return stop(format!(
                "accepts at most 1 arg(s), received {}",
                words.len()
            ));
        }
    };
    let (id, secret) = halves(&token)?;
    let ttl = match options.ttl.as_deref() {
        None => Some(DAY),
        Some(text) => match api::time::parse_go_duration(text) {
            Some(Duration::ZERO) => None,
            Some(span) => Some(span),
            None => {
                return stop(format!(
                    "invalid argument \"{text}\" for \"--ttl\" flag: time: invalid duration \
                     \"{text}\""
                ));
            }
        },
    };
    let cluster = open(io, options).await?;
    let usages: Vec<&str> = match options.usages.is_empty() {
        true => vec!["signing", "authentication"],
        false => options.usages.iter().map(String::as_str).collect(),
    };
    let groups = match options.groups.is_empty() {
        true => DEFAULT_GROUP.to_owned(),
        false => options.groups.join(","),
    };
    let mut data = object! {
        "token-id": id,
        "token-secret": secret,
        "auth-extra-groups": groups
    };
    let map = data.map_mut();
    for usage in usages {
        map.insert(format!("usage-bootstrap-{usage}"), "true");
    }
    if let Some(ttl) = ttl {
        let end: Instant = io.now().await + ttl;
        map.insert("expiration", end.rfc3339());
    }
    if let Some(text) = &options.description {
        map.insert("description", text.as_str());
    }
    let secret = object! {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": format!("{PREFIX}{id}"), "namespace": "kube-system" },
        "type": "bootstrap.kubernetes.io/token",
        "stringData": (data)
    };
    cluster
        .send(Method::Post, SECRETS, secret)
        .await
        .map_err(|Stop(why)| {
            Stop(match why.contains("already exists") {
                true => format!("a token with id {id:?} already exists"),
                false => format!(
                    "failed to create or update bootstrap token with name {PREFIX}{id}: {why}"
                ),
            })
        })?;
    let line = match options.join_command {
        true => join_command(io, &token, options).await?,
        false => token,
    };
    io.print(&format!("{line}\n")).await;
    Ok(())
}

/// The command that lets a machine join with a token.
async fn join_command(io: &Io, token: &str, options: &Options) -> Done<String> {
    let file = options.kubeconfig.as_deref();
    let file = file.unwrap_or("/etc/kubernetes/admin.conf");
    let text = io.read_to_string(file).await.unwrap_or_default();
    let config = api::yaml::parse_all(&text).map_err(|error| Stop(error.to_string()))?;
    let config = config.into_iter().next().map(|document| document.value);
    let config = config.unwrap_or_default();
    let server = config.get("clusters").list().first().map(|entry| {
        let server = entry.get("cluster").str("server");
        server.trim_start_matches("https://").to_owned()
    });
    let server = server.unwrap_or_default();
    let ca = io.read_to_string("/etc/kubernetes/pki/ca.crt").await;
    let ca = ca.map_err(|errno| Stop(errno.message().to_lowercase()))?;
    let authority = client::certificate::Certificate::from_pem(&ca);
    let subject = authority.map(|found| found.subject).unwrap_or_default();
    let pin = crate::openssl::pin(&ca, &subject);
    let mut line = format!(
        "kubeadm join {server} --token {token} --discovery-token-ca-cert-hash sha256:{pin} "
    );
    if let Some(key) = &options.certificate_key {
        line.push_str(&format!("--control-plane --certificate-key {key}"));
    }
    Ok(line)
}

async fn delete(io: &Io, tokens: &[&str], options: &Options) -> Done {
    if tokens.is_empty() {
        return stop("missing argument; 'token delete' is missing token of form \"[a-z0-9]{6}\"");
    }
    let cluster = open(io, options).await?;
    for token in tokens {
        let id = match token.contains('.') {
            true => halves(token)?.0,
            false if token.len() == 6 => token,
            false => {
                return stop(
                    "given token didn't match pattern \"[a-z0-9]{6}\" or \
                     \"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\"",
                );
            }
        };
        let path = format!("{SECRETS}/{PREFIX}{id}");
        cluster
            .send(Method::Delete, &path, Value::Null)
            .await
            .map_err(|Stop(why)| Stop(format!("failed to delete bootstrap token {id:?}: {why}")))?;
        io.print(&format!("bootstrap token {id:?} deleted\n")).await;
    }
    Ok(())
}

async fn list(io: &Io, options: &Options) -> Done {
    let cluster = open(io, options).await?;
    let kind = "fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken";
    let secrets = cluster.get(&format!("{SECRETS}?{kind}")).await?;
    let now = io.now().await;
    let mut rows = vec![
        [
            "TOKEN",
            "TTL",
            "EXPIRES",
            "USAGES",
            "DESCRIPTION",
            "EXTRA GROUPS",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for secret in secrets.get("items").list() {
        rows.push(row(secret, now));
    }
    if rows.len() > 1 {
        io.print(&table(&rows)).await;
    }
    Ok(())
}

fn row(secret: &Value, now: Instant) -> Vec<String> {
    let data = |key: &str| {
        let bytes = api::base64::decode(secret.get("data").str(key)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let or_none = |text: String| match text.is_empty() {
        true => "<none>".to_owned(),
        false => text,
    };
    let expires = data("expiration");
    let ttl = match Instant::parse_rfc3339(&expires) {
        None => "<forever>".to_owned(),
        Some(end) if end <= now => "<invalid>".to_owned(),
        Some(end) => {
            let secs = i64::try_from(end.since(now).as_secs()).unwrap_or(i64::MAX);
            api::time::short_human_duration(secs)
        }
    };
    let used = |usage: &&str| data(&format!("usage-bootstrap-{usage}")) == "true";
    let usages: Vec<&str> = ["authentication", "signing"]
        .into_iter()
        .filter(used)
        .collect();
    vec![
        format!("{}.{}", data("token-id"), data("token-secret")),
        ttl,
        match expires.is_empty() {
            true => "<never>".to_owned(),
            false => expires,
        },
        usages.join(","),
        or_none(data("description")),
        or_none(data("auth-extra-groups")),
    ]
}

/// Columns of at least ten, three blanks between them.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count() + 3);
        cells.max().unwrap_or(0).max(10)
    };
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let (last, cells) = row.split_last().expect("a table has columns");
        for (cell, width) in cells.iter().zip(&widths) {
            text.push_str(&format!("{cell:width$}"));
        }
        text.push_str(&format!("{last}\n"));
    }
    text
}
