//! Reading what a kustomization names: its own file, and files and directories below and beside it.
//!
//! Models kustomize/api/internal/loader and types/kustomization.go.

use api::{Value, yaml};
use machine::Io;

/// The names a kustomization may have.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Every field of a kustomization, with the Go type that is not a string.
const FIELDS: [(&str, &str); 33] = [
    ("apiVersion", "string"),
    ("kind", "string"),
    ("metadata", "types.ObjectMeta"),
    ("openapi", "map[string]string"),
    ("namePrefix", "string"),
    ("nameSuffix", "string"),
    ("namespace", "string"),
    ("commonLabels", "map[string]string"),
    ("labels", "[]types.Label"),
    ("commonAnnotations", "map[string]string"),
    ("patchesStrategicMerge", "[]types.PatchStrategicMerge"),
    ("patchesJson6902", "[]types.Patch"),
    ("patches", "[]types.Patch"),
    ("images", "[]types.Image"),
    ("imageTags", "[]types.Image"),
    ("replacements", "[]types.ReplacementField"),
    ("replicas", "[]types.Replica"),
    ("vars", "[]types.Var"),
    ("sortOptions", "types.SortOptions"),
    ("resources", "[]string"),
    ("components", "[]string"),
    ("crds", "[]string"),
    ("bases", "[]string"),
    ("configMapGenerator", "[]types.ConfigMapArgs"),
    ("secretGenerator", "[]types.SecretArgs"),
    ("helmGlobals", "types.HelmGlobals"),
    ("helmCharts", "[]types.HelmChart"),
    ("helmChartInflationGenerator", "[]types.HelmChartArgs"),
    ("generatorOptions", "types.GeneratorOptions"),
    ("configurations", "[]string"),
    ("generators", "[]string"),
    ("transformers", "[]string"),
    ("validators", "[]string"),
];

/// The fields below a list's items, where they are known: an unknown one is refused.
const ITEMS: [(&str, &[&str]); 7] = [
    ("configMapGenerator", GENERATOR),
    ("secretGenerator", GENERATOR),
    (
        "images",
        &["name", "newName", "newTag", "tagSuffix", "digest"],
    ),
    ("replicas", &["name", "count"]),
    ("patches", &["path", "patch", "target", "options"]),
    ("patchesJson6902", &["path", "patch", "target", "options"]),
    (
        "labels",
        &["pairs", "includeSelectors", "includeTemplates", "fields"],
    ),
];

const GENERATOR: &[&str] = &[
    "behavior",
    "env",
    "envs",
    "files",
    "literals",
    "name",
    "namespace",
    "options",
    "type",
];

/// Fields whose time is over, and what stands in their place.
const DEPRECATED: [(&str, &str); 6] = [
    ("bases", "'resources' instead."),
    ("commonLabels", "'labels' instead."),
    ("imageTags", "'images' instead."),
    ("patchesJson6902", "'patches' instead."),
    ("patchesStrategicMerge", "'patches' instead."),
    ("vars", "'replacements' instead. [EXPERIMENTAL]"),
];

/// `path` as seen from `dir`, without `.` and `..`; `dir` is absolute.
pub(super) fn joined(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let whole = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{dir}/{path}"),
    };
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What is wrong with a path that cannot be found.
fn missing(path: &str, whole: &str) -> String {
    format!("evalsymlink failure on '{path}' : lstat {whole}: no such file or directory")
}

/// The directory of a path, absolute; `dir` is where the path stands, empty for the command's own.
pub(super) async fn directory(io: &Io, dir: &str, path: &str) -> Result<String, String> {
    let cwd = io.sys(|sys| sys.cwd()).await.to_string();
    let whole = joined(if dir.is_empty() { &cwd } else { dir }, path);
    let asked = whole.clone();
    match io.sys(move |sys| sys.stat(&asked)).await {
        Ok(stat) if stat.is_dir() => Ok(whole),
        Ok(_) => Err(format!(
            "must build at directory: '{whole}': file is not directory"
        )),
        Err(_) => {
            let shown = if dir.is_empty() { path } else { &whole };
            Err(missing(shown, &whole))
        }
    }
}

/// The text of a file that a kustomization names.
pub(super) async fn text(io: &Io, dir: &str, path: &str) -> Result<Vec<u8>, String> {
    if path.starts_with("http://") || path.starts_with("https://") {
        let host = path.split('/').nth(2).unwrap_or_default();
        return Err(format!(
            "Get {path:?}: dial tcp: lookup {host}: no such host"
        ));
    }
    let whole = joined(dir, path);
    let asked = whole.clone();
    let stat = io.sys(move |sys| sys.stat(&asked)).await;
    let stat = stat.map_err(|_| missing(&whole, &whole))?;
    if stat.is_dir() {
        return Err(format!("'{whole}' must resolve to a file"));
    }
    if !whole.starts_with(&format!("{}/", dir.trim_end_matches('/'))) {
        return Err(format!(
            "security; file '{whole}' is not in or below '{dir}'"
        ));
    }
    let bytes = io.read_file(&whole).await;
    let bytes = bytes.map_err(|errno| errno.message().to_lowercase())?;
    Ok(bytes.to_vec())
}

/// The kustomization of a directory.
pub(super) async fn kustomization(io: &Io, dir: &str) -> Result<Value, String> {
    let mut found = Vec::new();
    for name in NAMES {
        if let Ok(text) = io.read_to_string(&format!("{dir}/{name}")).await {
            found.push((name, text));
        }
    }
    let (name, text) = match found.len() {
        0 => {
            return Err(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or \
                 'Kustomization' in directory '{dir}'"
            ));
        }
        1 => found.swap_remove(0),
        _ => {
            return Err(format!("Found multiple kustomization files under: {dir}\n"));
        }
    };
    let invalid = |why: String| format!("invalid Kustomization: {why}");
    let documents = yaml::parse_all(&text).map_err(|why| invalid(why.to_string()))?;
    let value = documents.into_iter().next().map(|one| one.value);
    let value = value.unwrap_or_default();
    if value.is_null() {
        return Err(format!("{name} is empty"));
    }
    checked(&value).map_err(invalid)?;
    for (field, instead) in DEPRECATED {
        if value.has(field) {
            let warning = format!(
                "# Warning: '{field}' is deprecated. Please use {instead} Run 'kustomize edit fix' \
                 to update your Kustomization automatically.\n"
            );
            io.eprint(&warning).await;
        }
    }
    let kind = value.kind();
    if !["", "Kustomization", "Component"].contains(&kind) {
        return Err(format!(
            "Failed to read kustomization file under {dir}:\nkind should be Kustomization or \
             Component"
        ));
    }
    Ok(value)
}

/// Refuses unknown fields and wrong types.
fn checked(value: &Value) -> Result<(), String> {
    let Value::Map(map) = value else {
        let what = value.type_name();
        return Err(format!(
            "json: cannot unmarshal {what} into Go value of type types.Kustomization"
        ));
    };
    for (key, value) in map {
        let known = FIELDS.iter().find(|(name, _)| *name == key.as_str());
        let buildable = key.as_str() == "buildMetadata";
        let Some((name, ty)) = known.or(buildable.then_some(&("buildMetadata", "[]string"))) else {
            return Err(format!("json: unknown field {:?}", key.as_str()));
        };
        let fits = match *ty {
            _ if value.is_null() => true,
            "string" => value.is_str(),
            ty if ty.starts_with("[]") => value.is_list(),
            _ => value.is_map(),
        };
        if !fits {
            let what = value.type_name();
            return Err(format!(
                "json: cannot unmarshal {what} into Go struct field Kustomization.{name} of type \
                 {ty}"
            ));
        }
        if let Some((_, fields)) = ITEMS.iter().find(|(name, _)| *name == key.as_str()) {
            for item in value.list() {
                if let Some(key) = item
                    .entries()
                    .keys()
                    .find(|key| !fields.contains(&key.as_str()))
                {
                    return Err(format!("json: unknown field {:?}", key.as_str()));
                }
            }
        }
    }
    Ok(())
}
