//! The types of the API: fields, formats, enums, list types and merge keys, as a table that is read
//! once and shared. Knows the built-in types only, and no prose.
//! Models kube-openapi's published schemas of Kubernetes v1.36.

mod decode;
mod load;
mod types;

use std::rc::Rc;

use sim::LookupMap;

use types::go_path;

pub use decode::Decoded;
pub use types::{Definition, Field, ListType, Special, Type};

/// The number of a definition in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefId(pub(crate) u16);

impl DefId {
    /// The number.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// All definitions.
#[derive(Debug)]
pub struct Schemas {
    definitions: Vec<Definition>,
    by_name: LookupMap<&'static str, DefId>,
    by_kind: LookupMap<&'static str, DefId>,
}

impl Schemas {
    /// Reads the table. Whoever needs it keeps one and shares it.
    pub fn load() -> Rc<Schemas> {
        Rc::new(load::load())
    }

    /// A definition by its number.
    pub fn definition(&self, id: DefId) -> &Definition {
        &self.definitions[usize::from(id.0)]
    }

    /// All definitions in the order of their names.
    pub fn definitions(&self) -> impl Iterator<Item = (DefId, &Definition)> {
        self.definitions
            .iter()
            .enumerate()
            .map(|(i, d)| (DefId(i as u16), d))
    }

    /// A definition by its short name: `core.v1.PodSpec`, `meta.v1.ObjectMeta`.
    pub fn by_name(&self, name: &str) -> Option<DefId> {
        self.by_name.get(name).copied()
    }

    /// The definition of a kind: `("apps/v1", "Deployment")`.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<DefId> {
        let mut key = String::with_capacity(api_version.len() + kind.len() + 1);
        key.push_str(api_version);
        key.push('/');
        key.push_str(kind);
        self.by_kind.get(key.as_str()).copied()
    }

    /// A field of a definition.
    pub fn field(&self, id: DefId, name: &str) -> Option<&Field> {
        self.definition(id).field(name)
    }

    /// The field at a dotted path, through lists and maps: `spec.containers.image`,
    /// `metadata.labels.app`. The answer is the last field passed and the type at the path.
    pub fn walk(&self, id: DefId, path: &str) -> Option<(&Field, &Type)> {
        let mut id = Some(id);
        let mut found: Option<(&Field, &Type)> = None;
        for name in path.split('.') {
            found = match (id, found) {
                (Some(id), _) => {
                    let field = self.field(id, name)?;
                    Some((field, &field.ty))
                }
                (None, Some((field, Type::Map(item)))) => Some((field, item)),
                _ => return None,
            };
            id = self.definition_of(found?.1);
        }
        found
    }

    /// The definition of what a type holds: itself, or its items if it is a list.
    fn definition_of(&self, ty: &Type) -> Option<DefId> {
        match ty {
            Type::Ref(id) if self.definition(*id).special == Special::Struct => Some(*id),
            Type::List(item) => self.definition_of(item),
            _ => None,
        }
    }

    /// The Go type, as decoding errors name it: `[]v1.Container`, `map[string]string`, `int32`.
    pub fn go_type(&self, ty: &Type) -> String {
        match ty {
            Type::String => "string".into(),
            Type::Bool => "bool".into(),
            Type::Int32 => "int32".into(),
            Type::Int64 => "int64".into(),
            Type::Double => "float64".into(),
            Type::Bytes => "[]uint8".into(),
            Type::Any => "interface {}".into(),
            Type::Ref(id) => self.definition(*id).go_name(),
            Type::List(item) => format!("[]{}", self.go_type(item)),
            Type::Map(item) => match **item {
                Type::Ref(id) if self.definition(id).special == Special::Quantity => {
                    "v1.ResourceList".into()
                }
                _ => format!("map[string]{}", self.go_type(item)),
            },
        }
    }

    /// The Go type of a field, which may have a name of its own: `v1.RestartPolicy`.
    pub fn go_type_of(&self, owner: &Definition, field: &Field) -> String {
        match field.go_type {
            None => self.go_type(&field.ty),
            Some(name) if name.contains('.') => name.to_owned(),
            Some(name) => match name.strip_prefix("[]") {
                Some(item) => format!("[]{}", go_path(owner.name, item)),
                None => go_path(owner.name, name),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_answers() {
        let schemas = Schemas::load();
        let pod = schemas.by_kind("v1", "Pod").expect("pods");
        assert_eq!(schemas.definition(pod).name, "core.v1.Pod");
        assert_eq!(
            schemas.definition(pod).full_name(),
            "io.k8s.api.core.v1.Pod"
        );
        let spec = schemas.by_name("core.v1.PodSpec").expect("a spec");
        let containers = schemas.field(spec, "containers").expect("containers");
        assert_eq!(containers.merge_key, Some("name"));
        assert_eq!(containers.list_type, ListType::Map);
        assert!(containers.required);
        assert_eq!(schemas.go_type(&containers.ty), "[]v1.Container");
        let policy = schemas.field(spec, "restartPolicy").expect("a policy");
        assert_eq!(policy.enumeration, ["Always", "Never", "OnFailure"]);
        assert_eq!(
            schemas.go_type_of(schemas.definition(spec), policy),
            "v1.RestartPolicy"
        );
        let meta = schemas.by_name("meta.v1.ObjectMeta").expect("metadata");
        let uid = schemas.field(meta, "uid").expect("a uid");
        assert_eq!(
            schemas.go_type_of(schemas.definition(meta), uid),
            "types.UID"
        );
        assert!(schemas.by_kind("apps/v1", "Deployment").is_some());
        assert!(schemas.by_kind("apps/v1", "Pod").is_none());
    }

    #[test]
    fn walking() {
        let schemas = Schemas::load();
        let id = schemas
            .by_kind("apps/v1", "Deployment")
            .expect("deployments");
        #[track_caller]
        fn check(schemas: &Schemas, id: DefId, path: &str, want: Option<&str>) {
            let got = schemas.walk(id, path).map(|(_, ty)| schemas.go_type(ty));
            assert_eq!(got.as_deref(), want, "{path}");
        }
        check(
            &schemas,
            id,
            "spec.template.spec.containers.image",
            Some("string"),
        );
        check(
            &schemas,
            id,
            "spec.template.spec.containers",
            Some("[]v1.Container"),
        );
        check(&schemas, id, "metadata.labels", Some("map[string]string"));
        check(&schemas, id, "metadata.labels.app", Some("string"));
        check(&schemas, id, "spec.replicas", Some("int32"));
        check(&schemas, id, "spec.nothing", None);
        check(&schemas, id, "spec.replicas.more", None);
    }
}
