//! Clusters and users: set, listed and deleted; contexts are deleted the same way.

use api::{Value, base64};

use super::super::config_files::find;
use super::super::failure::{Failure, Outcome};
use super::super::flags::{Flag, Line, switch, value, values};
use super::super::session::Session;
use super::logins::Logins;
use super::{load, unexpected};

/// Flags of `config set-credentials`.
pub(super) const CREDENTIALS: &[Flag] = &[
    switch("embed-certs"),
    value("username"),
    value("password"),
    value("auth-provider"),
    values("auth-provider-arg"),
    value("exec-api-version"),
    values("exec-arg"),
    value("exec-command"),
    values("exec-env"),
    value("exec-interactive-mode"),
    switch("exec-provide-cluster-info"),
];

pub(super) async fn names(session: &Session, line: &Line, list: &'static str) -> Outcome {
    let (_, config) = load(session, line).await?;
    let mut text = String::from("NAME\n");
    for entry in config.list_at(list) {
        text.push_str(&format!("{}\n", entry.str("name")));
    }
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn delete(
    session: &Session,
    line: &Line,
    what: &'static str,
    list: &'static str,
) -> Outcome {
    let [name] = line.args.as_slice() else {
        return Err(unexpected(line, &format!("config delete-{what}")));
    };
    let (mut files, config) = load(session, line).await?;
    let before = files.clone();
    let Some(path) = files.remove(list, name) else {
        let path = files.default_path();
        let text = format!("cannot delete {what} {name}, not in {path}");
        return Err(Failure::message(text));
    };
    if what == "context" && config.str("current-context") == name {
        let text = "warning: this removed your active context, use \"kubectl config use-context\" \
                    to select a different one\n";
        session.io.eprint(text).await;
    }
    files.save(&session.io, &before).await?;
    let text = format!("deleted {what} {name} from {path}\n");
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn set_cluster(session: &Session, line: &Line) -> Outcome {
    let [name] = line.args.as_slice() else {
        return Err(unexpected(line, "config set-cluster"));
    };
    let authority = !line.text("certificate-authority").is_empty();
    if line.on("insecure-skip-tls-verify") && authority {
        let text = "you cannot specify a certificate authority and insecure mode at the same time";
        return Err(Failure::message(text));
    }
    if line.on("embed-certs") && !authority {
        return Err(Failure::message(
            "you must specify a --certificate-authority to embed",
        ));
    }
    let mut fields = Vec::new();
    for flag in ["server", "tls-server-name", "proxy-url"] {
        if let Some(text) = line.get(flag) {
            fields.push((flag.to_owned(), text_or_nothing(text)));
        }
    }
    if line.has("insecure-skip-tls-verify") {
        let skip = line.on("insecure-skip-tls-verify");
        let field = "insecure-skip-tls-verify".to_owned();
        fields.push((field, if skip { true.into() } else { Value::Null }));
        if skip {
            for field in ["certificate-authority", "certificate-authority-data"] {
                fields.push((field.to_owned(), Value::Null));
            }
        }
    }
    if authority {
        fields.push(("insecure-skip-tls-verify".to_owned(), Value::Null));
    }
    fields.extend(file(session, line, "certificate-authority").await?);
    put(session, line, "clusters", "cluster", name, fields).await?;
    let text = format!("Cluster {name:?} set.\n");
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn set_credentials(session: &Session, line: &Line) -> Outcome {
    let [name] = line.args.as_slice() else {
        return Err(unexpected(line, "config set-credentials"));
    };
    let logins = Logins::read(line)?;
    let basic = !line.text("username").is_empty() || !line.text("password").is_empty();
    if basic && !line.text("token").is_empty() {
        let text = "you cannot specify more than one authentication method at the same time: \
                    --token, --username/--password";
        return Err(Failure::message(text));
    }
    if line.on("embed-certs")
        && line.text("client-certificate").is_empty()
        && line.text("client-key").is_empty()
    {
        let text = "you must specify a --client-certificate or --client-key to embed";
        return Err(Failure::message(text));
    }
    let mut fields = Vec::new();
    for flag in ["token", "username", "password"] {
        if let Some(text) = line.get(flag) {
            fields.push((flag.to_owned(), text_or_nothing(text)));
        }
    }
    // Whoever logs in one way does not in another.
    let others: &[&str] = match (!line.text("token").is_empty(), basic) {
        (true, _) => &["username", "password"],
        (_, true) => &["token", "tokenFile"],
        _ => &[],
    };
    fields.extend(
        others
            .iter()
            .map(|field| ((*field).to_owned(), Value::Null)),
    );
    for flag in ["client-certificate", "client-key"] {
        fields.extend(file(session, line, flag).await?);
    }
    let (_, config) = load(session, line).await?;
    let user = find(&config, "users", name).map(|entry| entry.get("user").clone());
    fields.extend(logins.changed(&user.unwrap_or_default()));
    put(session, line, "users", "user", name, fields).await?;
    let text = format!("User {name:?} set.\n");
    session.io.print(&text).await;
    Ok(())
}

fn text_or_nothing(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => text.into(),
    }
}

/// The fields that a flag naming a file sets: its path, or what is in it.
async fn file(session: &Session, line: &Line, flag: &str) -> Outcome<Vec<(String, Value)>> {
    let Some(path) = line.get(flag) else {
        return Ok(Vec::new());
    };
    let io = &session.io;
    let path = match path.starts_with('/') || path.is_empty() {
        true => path.to_owned(),
        false => {
            let folder = io.sys(|sys| sys.cwd()).await;
            format!("{}/{path}", folder.trim_end_matches('/'))
        }
    };
    let data = format!("{flag}-data");
    if !line.on("embed-certs") || path.is_empty() {
        return Ok(vec![
            (flag.to_owned(), text_or_nothing(&path)),
            (data, Value::Null),
        ]);
    }
    let contents = io.read_file(&path).await.map_err(|errno| {
        let why = errno.message().to_lowercase();
        let path = line.text(flag);
        Failure::message(format!(
            "could not stat {flag} file {path}: stat {path}: {why}"
        ))
    })?;
    let contents = base64::encode(&contents);
    Ok(vec![
        (data, contents.into()),
        (flag.to_owned(), Value::Null),
    ])
}

/// Sets fields of an entry; those that are null are taken away.
async fn put(
    session: &Session,
    line: &Line,
    list: &str,
    inner: &str,
    name: &str,
    fields: Vec<(String, Value)>,
) -> Outcome {
    let (mut files, _) = load(session, line).await?;
    let before = files.clone();
    files.edit(list, name, |entry| {
        for (field, value) in fields {
            match value {
                Value::Null => drop(entry.remove_path(&[inner, &field])),
                value => entry.set_path(&[inner, &field], value),
            }
        }
        // An entry without a field is there nevertheless.
        if !entry.has(inner) {
            entry.set_path(&[inner], Value::empty_map());
        }
    });
    files.save(&session.io, &before).await
}
