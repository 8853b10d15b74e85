//! Admission policies compiled: their expressions as programs, and what is wrong with them.
//!
//! Models apiserver/pkg/admission/plugin/cel/{compile,composition}.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::cel::{Env, Fields, ObjectType, Program, Type};
use crate::field::{FieldError, Path};
use crate::kinds::{self, Kind};
use crate::schema::Schemas;
use crate::{Str, Value};

/// A policy ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The policy as it is stored.
    pub object: Value,
    /// Conditions that all have to hold for the policy to count.
    pub conditions: Vec<Program>,
    /// Variables in their order.
    pub variables: Vec<(Str, Program)>,
    /// Of a validating policy: each condition, with the program of its message if it has one.
    pub validations: Vec<(Program, Option<Program>)>,
    /// Keys of audit annotations and what they say.
    pub annotations: Vec<(Str, Program)>,
    /// Of a mutating policy: what each mutation comes to.
    pub mutations: Vec<Program>,
}

/// What an expression may come to.
enum Gives {
    Anything,
    Bool,
    Text,
    TextOrNull,
    Object,
    Patches,
}

/// A compilation under way.
struct Compiler {
    params: bool,
    /// The variables so far.
    variables: BTreeMap<Str, Type>,
    composes: bool,
    mutates: bool,
    /// The type of the objects the policy is for, and of its parameters.
    object: Type,
    parameters: Type,
    errors: Vec<FieldError>,
}

/// Compiles a policy. What cannot be compiled is left out and reported.
pub fn compile(object: &Value) -> (Policy, Vec<FieldError>) {
    let spec = object.get("spec");
    let root = Path::new("spec");
    let mut compiler = Compiler {
        params: spec.get("paramKind").is_map(),
        variables: BTreeMap::new(),
        composes: !spec.list_at("variables").is_empty(),
        mutates: object.kind() == "MutatingAdmissionPolicy",
        object: Type::Dyn,
        parameters: Type::Dyn,
        errors: Vec::new(),
    };
    let mut policy = Policy {
        object: object.clone(),
        conditions: Vec::new(),
        variables: Vec::new(),
        validations: Vec::new(),
        annotations: Vec::new(),
        mutations: Vec::new(),
    };
    policy.conditions = compiler.conditions(spec, &root);
    let list = root.child("variables");
    for (i, variable) in spec.list_at("variables").iter().enumerate() {
        let (path, env) = (list.index(i), compiler.env(true, true));
        let name = Str::from(variable.str("name"));
        let program = compiler.program(variable, "expression", &env, &Gives::Anything, &path);
        let ty = program
            .as_ref()
            .map_or(Type::Dyn, |p| p.result_type().clone());
        compiler.variables.insert(name.clone(), ty);
        policy
            .variables
            .extend(program.map(|program| (name, program)));
    }
    compiler.validations(spec, &root, &mut policy);
    compiler.mutations(spec, &root, &mut policy);
    (policy, compiler.errors)
}

/// What is wrong with the expressions of a webhook's conditions.
pub fn check_conditions(webhook: &Value, path: &Path<'_>) -> Vec<FieldError> {
    let mut compiler = Compiler {
        params: false,
        variables: BTreeMap::new(),
        composes: false,
        mutates: false,
        object: Type::Dyn,
        parameters: Type::Dyn,
        errors: Vec::new(),
    };
    compiler.conditions(webhook, path);
    compiler.errors
}

/// What is wrong with a policy's expressions seen from the types of the objects it is for: the field
/// and the warning.
pub fn check_types(policy: &Value, schemas: &Rc<Schemas>) -> Vec<(String, String)> {
    let spec = policy.get("spec");
    let kinds = kinds_of(spec);
    let ty = |api_version: &str, kind: &str| {
        let id = schemas.by_kind(api_version, kind)?;
        Some(Type::of_kind(schemas, id))
    };
    let of = spec.get("paramKind");
    let mut out = Vec::new();
    for (i, validation) in spec.list_at("validations").iter().enumerate() {
        for key in ["expression", "messageExpression"] {
            let source = validation.str(key);
            if source.is_empty() {
                continue;
            }
            let mut warnings = Vec::new();
            for kind in &kinds {
                let Some(object) = ty(&kind.api_version(), kind.kind) else {
                    continue;
                };
                let parameters = ty(of.str("apiVersion"), of.str("kind"));
                let compiler = Compiler {
                    params: of.is_map(),
                    variables: BTreeMap::new(),
                    composes: !spec.list_at("variables").is_empty(),
                    mutates: false,
                    object,
                    parameters: parameters.unwrap_or(Type::Dyn),
                    errors: Vec::new(),
                };
                if let Some(why) = compiler.mistakes(spec, source) {
                    let (version, name) = (kind.api_version(), kind.kind);
                    warnings.push(format!("{version}, Kind={name}: {why}\n"));
                }
            }
            if !warnings.is_empty() {
                let field = format!("spec.validations[{i}].{key}");
                out.push((field, warnings.join("\n")));
            }
        }
    }
    out
}

/// The kinds a policy names, without those it means by a wildcard.
fn kinds_of(spec: &Value) -> Vec<&'static Kind> {
    let mut out: Vec<&'static Kind> = Vec::new();
    for rule in spec.list_at("matchConstraints.resourceRules") {
        let words = |list: &str| -> Vec<String> {
            let words = rule
                .list_at(list)
                .iter()
                .map(|word| word.as_str().to_owned());
            words.collect()
        };
        for group in words("apiGroups") {
            for version in words("apiVersions") {
                for plural in words("resources") {
                    out.extend(kinds::find(&group, &version, &plural));
                }
            }
        }
    }
    out.sort_by_key(|kind| (kind.group, kind.version, kind.kind));
    out.dedup();
    out.truncate(10);
    out
}

impl Compiler {
    /// What is wrong with an expression, whatever it comes to.
    fn mistakes(mut self, spec: &Value, source: &str) -> Option<String> {
        for variable in spec.list_at("variables") {
            let env = self.env(true, true);
            let made = Program::compile_in(variable.str("expression"), &env).ok();
            let ty = made.map_or(Type::Dyn, |program| program.result_type().clone());
            self.variables.insert(variable.str("name").into(), ty);
        }
        let env = self.env(true, true);
        Program::compile_in(source, &env)
            .err()
            .map(|errors| errors.to_string())
    }

    fn validations(&mut self, spec: &Value, root: &Path<'_>, policy: &mut Policy) {
        let list = root.child("validations");
        for (i, validation) in spec.list_at("validations").iter().enumerate() {
            let (path, env) = (list.index(i), self.env(true, true));
            let program = self.program(validation, "expression", &env, &Gives::Bool, &path);
            let message = match validation.str("messageExpression").trim() {
                "" => None,
                _ => {
                    let env = self.env(false, true);
                    self.program(validation, "messageExpression", &env, &Gives::Text, &path)
                }
            };
            policy
                .validations
                .extend(program.map(|program| (program, message)));
        }
        let list = root.child("auditAnnotations");
        for (i, annotation) in spec.list_at("auditAnnotations").iter().enumerate() {
            let (path, env) = (list.index(i), self.env(true, true));
            let key = Str::from(annotation.str("key"));
            let gives = Gives::TextOrNull;
            let program = self.program(annotation, "valueExpression", &env, &gives, &path);
            policy
                .annotations
                .extend(program.map(|program| (key, program)));
        }
    }

    fn mutations(&mut self, spec: &Value, root: &Path<'_>, policy: &mut Policy) {
        let list = root.child("mutations");
        for (i, mutation) in spec.list_at("mutations").iter().enumerate() {
            let (path, env) = (list.index(i), self.env(true, true));
            let (key, gives) = match mutation.str("patchType") {
                "ApplyConfiguration" => ("applyConfiguration", Gives::Object),
                "JSONPatch" => ("jsonPatch", Gives::Patches),
                _ => continue,
            };
            let (of, path) = (mutation.get(key), path.child(key));
            policy
                .mutations
                .extend(self.program(of, "expression", &env, &gives, &path));
        }
    }

    /// What an expression may use.
    fn env(&self, authorizer: bool, variables: bool) -> Env {
        let mut env = Env::new()
            .with("object", self.object.clone())
            .with("oldObject", self.object.clone())
            .with("namespaceObject", namespace_type())
            .with("request", request_type());
        if self.params {
            env = env.with("params", self.parameters.clone());
        }
        if authorizer {
            let ty = |name: &str| Type::opaque(&format!("kubernetes.authorization.{name}"));
            env = env
                .with("authorizer", ty("Authorizer"))
                .with("authorizer.requestResource", ty("ResourceCheck"));
        }
        if variables && self.composes {
            let ty = ObjectType {
                name: "kubernetes.variables".into(),
                fields: Fields::Listed(self.variables.clone()),
            };
            env = env.with("variables", Type::Object(Rc::new(ty)));
        }
        if self.mutates {
            env.with_mutations()
        } else {
            env
        }
    }

    /// Compiles the conditions under which something is looked at.
    fn conditions(&mut self, of: &Value, path: &Path<'_>) -> Vec<Program> {
        let list = path.child("matchConditions");
        let mut programs = Vec::new();
        for (i, condition) in of.list_at("matchConditions").iter().enumerate() {
            let (path, env) = (list.index(i), self.env(true, false));
            programs.extend(self.program(condition, "expression", &env, &Gives::Bool, &path));
        }
        programs
    }

    fn program(
        &mut self,
        of: &Value,
        key: &str,
        env: &Env,
        gives: &Gives,
        path: &Path<'_>,
    ) -> Option<Program> {
        let source = of.str(key);
        if source.trim().is_empty() {
            return None;
        }
        let why = match Program::compile_in(source, env) {
            Err(errors) => format!("compilation failed: {errors}"),
            Ok(program) => match gives.refuses(program.result_type()) {
                None => return Some(program),
                Some(why) => why,
            },
        };
        self.errors
            .push(FieldError::invalid(path.child(key), source, why));
        None
    }
}

impl Gives {
    /// Why an expression of this type does not do.
    fn refuses(&self, ty: &Type) -> Option<String> {
        let (good, wanted) = match self {
            Gives::Anything => return None,
            Gives::Bool => (matches!(ty, Type::Bool), "bool"),
            Gives::Text => (matches!(ty, Type::String), "string"),
            Gives::TextOrNull => {
                let good = matches!(ty, Type::String | Type::Null);
                (good, "one of [string null_type]")
            }
            Gives::Object => {
                let good = matches!(ty, Type::Object(of) if of.name == *"Object");
                (good, "Object")
            }
            Gives::Patches => {
                let patch = |of: &Type| match of {
                    Type::Object(of) => of.name == *"JSONPatch",
                    other => matches!(other, Type::Param(_)),
                };
                (matches!(ty, Type::List(of) if patch(of)), "list(JSONPatch)")
            }
        };
        (!good).then(|| format!("must evaluate to {wanted} but got {ty}"))
    }
}

/// The type of the variable `request`.
pub fn request_type() -> Type {
    let kind = |last: &'static str, name: &str| {
        let text = Type::String;
        Type::object(
            name,
            [
                ("group", text.clone()),
                ("version", text.clone()),
                (last, text),
            ],
        )
    };
    let texts = || Type::list(Type::String);
    let user = Type::object(
        "kubernetes.UserInfo",
        [
            ("username", Type::String),
            ("uid", Type::String),
            ("groups", texts()),
            ("extra", Type::map(Type::String, texts())),
        ],
    );
    Type::object(
        "kubernetes.AdmissionRequest",
        [
            ("kind", kind("kind", "kubernetes.GroupVersionKind")),
            (
                "resource",
                kind("resource", "kubernetes.GroupVersionResource"),
            ),
            ("subResource", Type::String),
            ("requestKind", kind("kind", "kubernetes.GroupVersionKind")),
            (
                "requestResource",
                kind("resource", "kubernetes.GroupVersionResource"),
            ),
            ("requestSubResource", Type::String),
            ("name", Type::String),
            ("namespace", Type::String),
            ("operation", Type::String),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

/// The type of the variable `namespaceObject`.
pub fn namespace_type() -> Type {
    let texts = || Type::list(Type::String);
    let labels = || Type::map(Type::String, Type::String);
    let condition = Type::object(
        "kubernetes.NamespaceCondition",
        [
            ("status", Type::String),
            ("type", Type::String),
            ("lastTransitionTime", Type::Timestamp),
            ("message", Type::String),
            ("reason", Type::String),
        ],
    );
    let status = [
        ("conditions", Type::list(condition)),
        ("phase", Type::String),
    ];
    let metadata = [
        ("name", Type::String),
        ("generateName", Type::String),
        ("namespace", Type::String),
        ("labels", labels()),
        ("annotations", labels()),
        ("UID", Type::String),
        ("creationTimestamp", Type::Timestamp),
        ("deletionGracePeriodSeconds", Type::Int),
        ("deletionTimestamp", Type::Timestamp),
        ("generation", Type::Int),
        ("resourceVersion", Type::String),
        ("finalizers", texts()),
    ];
    Type::object(
        "kubernetes.Namespace",
        [
            (
                "metadata",
                Type::object("kubernetes.NamespaceMetadata", metadata),
            ),
            (
                "spec",
                Type::object("kubernetes.NamespaceSpec", [("finalizers", texts())]),
            ),
            ("status", Type::object("kubernetes.NamespaceStatus", status)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn types_of_the_objects_are_known() {
        let policy = object! { "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments", "*"],
            }] },
            "validations": [
                { "expression": "object.spec.replicas > 1" },
                { "expression": "object.spec.replicas > '1'", "messageExpression": "object.spec.x" },
            ],
        } };
        let found = check_types(&policy, &Schemas::load());
        let expect = [
            (
                "spec.validations[1].expression".to_owned(),
                "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for \
                 '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | \
                 .....................^\n"
                    .to_owned(),
            ),
            (
                "spec.validations[1].messageExpression".to_owned(),
                "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'x'\n | \
                 object.spec.x\n | ...........^\n"
                    .to_owned(),
            ),
        ];
        assert_eq!(found, expect);
    }
}
