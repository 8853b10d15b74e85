//! What a spec has at hand: a client of the cluster's administrator, a namespace of its own, and
//! the calls specs are made of.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::io::{BufReader, Lines};
use futures_util::{AsyncBufRead, AsyncBufReadExt, StreamExt};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running cluster, as one spec sees it.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    /// The spec's own namespace, deleted after it.
    pub namespace: String,
}

/// What the server said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("no JSON: {}", self.text))
    }
}

/// A patch's content type.
#[derive(Clone, Copy, Debug)]
pub enum Patch {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, with merge keys.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl Patch {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

impl Cluster {
    /// The cluster as the client sees it, in namespace `default`.
    #[must_use]
    pub fn new(client: kube::Client) -> Self {
        Self {
            client,
            namespace: "default".to_owned(),
        }
    }

    /// As [`Self::new`], in a namespace made for a spec, as the upstream framework makes it: labelled,
    /// and with the service account and the certificates that controllers put there.
    pub async fn in_namespace(&self, base: &str) -> Result<Self> {
        let name = self.make_namespace(base, &json!({})).await?;
        Ok(Self {
            client: self.client.clone(),
            namespace: name,
        })
    }

    /// Makes a namespace with these labels and waits for what every namespace gets.
    pub async fn make_namespace(&self, base: &str, labels: &Value) -> Result<String> {
        let mut labels = labels.clone();
        labels["e2e-framework"] = json!(base);
        labels["pod-security.kubernetes.io/enforce"] = json!("privileged");
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "generateName": format!("{base}-"), "labels": labels },
        });
        let made = self.create("/api/v1/namespaces", &namespace).await?;
        let name = text(&made, "/metadata/name")?;
        for path in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
            let path = format!("/api/v1/namespaces/{name}/{path}");
            self.until(&path, |found| found.is_some()).await?;
        }
        Ok(name)
    }

    /// `/api/v1/namespaces/NS/rest` of the spec's own namespace.
    #[must_use]
    pub fn core(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", self.namespace)
    }

    /// `/apis/GROUP/VERSION/namespaces/NS/rest` of the spec's own namespace.
    #[must_use]
    pub fn group(&self, group_version: &str, rest: &str) -> String {
        format!("/apis/{group_version}/namespaces/{}/{rest}", self.namespace)
    }

    /// Any request, answered whatever the status.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        // As typed clients of Go do: in protobuf where the kind has that.
        let is_told = |wanted: &str| headers.iter().any(|(name, _)| *name == wanted);
        let typed = body.as_deref().filter(|_| !is_told(CONTENT_TYPE.as_str()));
        if let Some(body) = typed.and_then(protobuf) {
            request = request.header(CONTENT_TYPE, "application/vnd.kubernetes.protobuf");
            if !is_told(ACCEPT.as_str()) {
                request = request.header(
                    ACCEPT,
                    "application/vnd.kubernetes.protobuf,application/json",
                );
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            return self.send(request.body(Body::from(body))?).await;
        }
        if !headers.iter().any(|(name, _)| *name == ACCEPT.as_str()) {
            request = request.header(ACCEPT, "application/json");
        }
        if body.is_some()
            && !headers
                .iter()
                .any(|(name, _)| *name == CONTENT_TYPE.as_str())
        {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.unwrap_or_default().into_bytes();
        self.send(request.body(Body::from(body))?).await
    }

    async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let response = self.client.send(request).await?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect_bytes().await?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    async fn well(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let said = format!("{method} {path}");
        let body = body.map(Value::to_string);
        let answer = self.call(method, path, &[], body).await?;
        ensure!(
            answer.status.is_success(),
            "{said}: {} {}",
            answer.status,
            answer.text
        );
        answer.json()
    }

    /// GET of an object or a list.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.well(Method::GET, path, None).await
    }

    /// GET of an object that may be missing.
    pub async fn find(&self, path: &str) -> Result<Option<Value>> {
        let answer = self.call(Method::GET, path, &[], None).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        ensure!(answer.status.is_success(), "GET {path}: {}", answer.text);
        answer.json().map(Some)
    }

    /// GET of a list's items.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let list = self.get(path).await?;
        let items = list["items"].as_array();
        items.cloned().context("a list has items")
    }

    /// POST.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value> {
        self.well(Method::POST, path, Some(object)).await
    }

    /// PUT.
    pub async fn update(&self, path: &str, object: &Value) -> Result<Value> {
        self.well(Method::PUT, path, Some(object)).await
    }

    /// PUT of what `change` makes of the object as it is now, again where somebody was faster.
    pub async fn retry(&self, path: &str, change: impl Fn(&mut Value)) -> Result<Value> {
        loop {
            let mut object = self.get(path).await?;
            change(&mut object);
            let body = Some(object.to_string());
            let answer = self.call(Method::PUT, path, &[], body).await?;
            if answer.status != StatusCode::CONFLICT {
                ensure!(answer.status.is_success(), "PUT {path}: {}", answer.text);
                return answer.json();
            }
        }
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, kind: Patch, patch: &Value) -> Result<Value> {
        let headers = [(CONTENT_TYPE.as_str(), kind.content_type())];
        let body = Some(patch.to_string());
        let answer = self.call(Method::PATCH, path, &headers, body).await?;
        ensure!(answer.status.is_success(), "PATCH {path}: {}", answer.text);
        answer.json()
    }

    /// DELETE of an object, or of the collection that a selector in the query chooses.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
        self.well(Method::DELETE, path, Some(&options)).await
    }

    /// Expects a refusal: its status, and words that its message holds.
    pub async fn refused(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        status: u16,
        words: &str,
    ) -> Result<Value> {
        let said = format!("{method} {path}");
        let body = body.map(Value::to_string);
        let answer = self.call(method, path, &[], body).await?;
        ensure!(
            answer.status.as_u16() == status && answer.text.contains(words),
            "{said} should answer {status} with {words:?}: {} {}",
            answer.status,
            answer.text
        );
        answer.json()
    }

    /// Waits until the object (nothing, where it is missing) is as `enough` says.
    pub async fn until(
        &self,
        path: &str,
        enough: impl Fn(Option<&Value>) -> bool,
    ) -> Result<Option<Value>> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.find(path).await?;
            if enough(found.as_ref()) {
                return Ok(found);
            }
            if tokio::time::Instant::now() > end {
                bail!("{path} did not come to be as awaited: {found:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nothing is there.
    pub async fn until_gone(&self, path: &str) -> Result<()> {
        self.until(path, |found| found.is_none()).await.map(|_| ())
    }

    /// What a command in a pod's only container says, as `kubectl exec` has it run.
    pub async fn exec(&self, pod: &str, command: &str) -> Result<String> {
        let pods: kube::Api<Pod> = kube::Api::namespaced(self.client.clone(), &self.namespace);
        let words = ["/bin/sh", "-x", "-c", command];
        let mut running = pods
            .exec(pod, words, &AttachParams::default().stderr(false))
            .await?;
        let mut said = String::new();
        if let Some(mut stdout) = running.stdout() {
            stdout.read_to_string(&mut said).await?;
        }
        running.join().await?;
        Ok(said)
    }

    /// A watch; the path's query says of what, `watch=true` is added.
    pub async fn watch(&self, path: &str) -> Result<Watch> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let request = Request::get(format!("{path}{sign}watch=true"));
        let request = request.header(ACCEPT, "application/json");
        let reader = self
            .client
            .request_stream(request.body(Vec::new())?)
            .await?;
        let reader: Box<dyn AsyncBufRead + Send + Unpin> =
            Box::new(BufReader::new(Box::pin(reader)));
        Ok(Watch {
            lines: reader.lines(),
        })
    }
}

/// A watch that is under way.
pub struct Watch {
    lines: Lines<Box<dyn AsyncBufRead + Send + Unpin>>,
}

impl Watch {
    /// The next event: its type and object.
    pub async fn next(&mut self) -> Result<(String, Value)> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next()).await;
        let line = line.context("no event in time")?;
        let line = line.context("the watch has ended")??;
        let mut event: Value = serde_json::from_str(&line)?;
        let kind = text(&event, "/type")?;
        Ok((kind, event["object"].take()))
    }

    /// Passes over events until one fits.
    pub async fn until(
        &mut self,
        enough: impl Fn(&str, &Value) -> bool,
    ) -> Result<(String, Value)> {
        loop {
            let (kind, object) = self.next().await?;
            if enough(&kind, &object) {
                return Ok((kind, object));
            }
        }
    }

    /// That no event comes for a while.
    pub async fn silent(&mut self, time: Duration) -> Result<()> {
        match tokio::time::timeout(time, self.lines.next()).await {
            Err(_) => Ok(()),
            Ok(line) => bail!("an event that nothing caused: {line:?}"),
        }
    }
}

/// A body in protobuf, where it says the same: what no typed client can say stays JSON.
fn protobuf(body: &str) -> Option<Vec<u8>> {
    let object: Value = serde_json::from_str(body).ok()?;
    let encoded = front::protobuf::from_json(&object)?;
    let read: Value = serde_json::from_slice(&front::protobuf::to_json(&encoded)?).ok()?;
    (plain(read) == plain(object)).then_some(encoded)
}

/// The object without what is null or empty.
fn plain(value: Value) -> Value {
    let is_something =
        |value: &Value| !matches!(value, Value::Null) && *value != json!({}) && *value != json!([]);
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, plain(value)))
            .filter(|(_, value)| is_something(value))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        value => value,
    }
}

/// The text at a JSON pointer.
pub(crate) fn text(object: &Value, pointer: &str) -> Result<String> {
    let found = object.pointer(pointer).and_then(Value::as_str);
    let found = found.with_context(|| format!("no text at {pointer} of {object}"));
    found.map(str::to_owned)
}
