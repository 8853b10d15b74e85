use super::*;
use crate::object;

const NOW: &str = "2026-01-01T00:00:00Z";
const LATER: &str = "2026-01-01T00:01:00Z";

/// A cluster of one object, written by managers.
struct World {
    schemas: std::rc::Rc<Schemas>,
    live: Option<Value>,
    now: &'static str,
}

impl World {
    fn new() -> World {
        World {
            schemas: Schemas::load(),
            live: None,
            now: NOW,
        }
    }

    fn write<T>(&self, manager: &str, act: impl FnOnce(&Write<'_>) -> T) -> T {
        let id = self
            .schemas
            .by_kind("apps/v1", "Deployment")
            .expect("a kind");
        act(&Write {
            schemas: &self.schemas,
            node: Node::Definition(id),
            api_version: "apps/v1",
            manager,
            subresource: "",
            now: self.now,
            ignored: object! { "f:status": {} }.entries(),
            convert: &|_, _| None,
        })
    }

    /// Somebody changes the object without applying.
    fn update(&mut self, manager: &str, change: impl FnOnce(&mut Value)) {
        let mut new = self.live.clone().unwrap_or_else(|| deployment(Value::Null));
        change(&mut new);
        new = self.schemas.decode("apps/v1", "Deployment", &new).value;
        let entries = self.write(manager, |write| update(write, self.live.as_ref(), &new));
        new.set("metadata.managedFields", entries);
        self.live = Some(new);
    }

    /// Somebody applies a spec; the answer is what is wrong.
    fn apply(&mut self, manager: &str, spec: Value, force: bool) -> Result<(), String> {
        let config = deployment(spec);
        let applied = self.write(manager, |write| {
            apply(write, self.live.as_ref(), &config, force)
        });
        let object = applied.map_err(|status| status.message)?;
        let decoded = self.schemas.decode("apps/v1", "Deployment", &object);
        self.live = Some(decoded.value);
        Ok(())
    }

    /// Who manages what: `manager operation time set`, a line each.
    #[track_caller]
    fn check(&self, expected: &[&str]) {
        let live = self.live.as_ref().expect("an object");
        let line = |entry: &Value| {
            let [manager, operation, time] = ["manager", "operation", "time"].map(|f| entry.str(f));
            let minute = &time[14..16];
            format!("{manager} {operation} {minute} {}", entry.get("fieldsV1"))
        };
        let entries = live.list_at("metadata.managedFields");
        let found: Vec<String> = entries.iter().map(line).collect();
        assert_eq!(found, expected);
    }

    fn at(&self, path: &str) -> &Value {
        self.live.as_ref().map_or(crate::NULL, |live| live.at(path))
    }
}

fn deployment(spec: Value) -> Value {
    let mut out = object! {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "default" },
    };
    if !spec.is_null() {
        out.set("spec", spec);
    }
    out
}

fn containers(names: &[&str]) -> Value {
    let containers = names
        .iter()
        .map(|name| object! { "name": *name, "image": "nginx" });
    object! { "template": { "spec": { "containers": containers.collect::<Vec<_>>() } } }
}

#[test]
fn who_creates_manages_what_is_set_and_who_changes_takes_over() {
    let mut world = World::new();
    world.update("creator", |new| {
        new.set("spec.replicas", 2);
        new.set_label("app", "web");
        new.set("spec.selector", object! { "matchLabels": { "app": "web" } });
        new.set(
            "spec.template.spec.containers",
            vec![object! { "name": "a", "image": "b" }],
        );
    });
    world.check(&[concat!(
        r#"creator Update 00 {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:replicas":{},"#,
        r#""f:selector":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"#,
        r#""f:image":{},"f:name":{},"f:resources":{}}}}}}}"#
    )]);
    world.now = LATER;
    world.update("other", |new| {
        new.set("spec.replicas", 3);
        new.remove("spec.template.spec.containers");
        new.remove("metadata.labels");
        new.set("status.replicas", 7);
    });
    world.check(&[
        r#"creator Update 00 {"f:spec":{"f:selector":{}}}"#,
        r#"other Update 01 {"f:spec":{"f:replicas":{}}}"#,
    ]);
    world.now = NOW;
    world.update("third", |_| {});
    assert_eq!(world.at("metadata.managedFields").list().len(), 2);
    world.update("third", |new| {
        new.set("metadata.managedFields", vec![object! {}])
    });
    assert!(world.at("metadata.managedFields").list().is_empty());
}

#[test]
fn conflicts_are_told_and_forced() {
    let mut world = World::new();
    world
        .apply("a", object! { "replicas": 1, "paused": true }, false)
        .expect("created");
    world.check(&[r#"a Apply 00 {"f:spec":{"f:paused":{},"f:replicas":{}}}"#]);
    world
        .apply("b", object! { "replicas": 1 }, false)
        .expect("the same value is shared");
    let why = world.apply("c", object! { "replicas": 2, "paused": false }, false);
    assert_eq!(
        why,
        Err(
            "Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.paused\n\
             - .spec.replicas\nconflicts with \"b\":\n- .spec.replicas"
                .to_owned()
        )
    );
    world.update("d", |new| new.set("spec.paused", Value::Bool(false)));
    let why = world.apply("a", object! { "paused": true, "replicas": 1 }, false);
    assert_eq!(why, Ok(()), "false is as good as absent");
    world.update("d", |new| new.set("spec.replicas", 5));
    let why = world.apply("a", object! { "replicas": 1 }, false);
    let conflict =
        "Apply failed with 1 conflict: conflict with \"d\" using apps/v1: .spec.replicas";
    assert_eq!(why, Err(conflict.to_owned()));
    world.now = LATER;
    world
        .apply("a", object! { "replicas": 1 }, true)
        .expect("forced");
    world.check(&[r#"a Apply 01 {"f:spec":{"f:replicas":{}}}"#]);
    assert!(world.at("spec.paused").is_null(), "not applied any more");
}

#[test]
fn items_merge_by_their_keys_and_go_with_their_last_owner() {
    let mut world = World::new();
    world
        .apply("a", containers(&["x", "y"]), false)
        .expect("created");
    world
        .apply("b", containers(&["z", "x"]), false)
        .expect("shared");
    let names = |world: &World| -> Vec<String> {
        let containers = world.at("spec.template.spec.containers").list().iter();
        containers.map(|one| one.str("name").to_owned()).collect()
    };
    assert_eq!(names(&world), ["z", "x", "y"]);
    world
        .apply("a", containers(&["y"]), false)
        .expect("x is let go");
    assert_eq!(names(&world), ["z", "x", "y"], "x is still b's");
    world.apply("b", containers(&["z"]), false).expect("x goes");
    assert_eq!(names(&world), ["z", "y"]);
    world.check(&[
        concat!(
            r#"a Apply 00 {"f:spec":{"f:template":{"f:spec":{"f:containers":"#,
            r#"{"k:{\"name\":\"y\"}":{".":{},"f:image":{},"f:name":{}}}}}}}"#
        ),
        concat!(
            r#"b Apply 00 {"f:spec":{"f:template":{"f:spec":{"f:containers":"#,
            r#"{"k:{\"name\":\"z\"}":{".":{},"f:image":{},"f:name":{}}}}}}}"#
        ),
    ]);
}

#[test]
fn an_apply_that_changes_nothing_is_none() {
    let mut world = World::new();
    world
        .apply("a", object! { "replicas": 1 }, false)
        .expect("created");
    let before = world.live.clone();
    world.now = LATER;
    world
        .apply("a", object! { "replicas": 1 }, false)
        .expect("the same");
    assert_eq!(world.live, before);
}

#[test]
fn configurations_are_checked() {
    #[track_caller]
    fn check(spec: Value, why: &str) {
        let expected = format!(
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): {why}"
        );
        assert_eq!(World::new().apply("a", spec, false), Err(expected));
    }
    check(
        object! { "foo": 1 },
        ".spec.foo: field not declared in schema",
    );
    check(
        object! { "replicas": "1" },
        ".spec.replicas: expected numeric (int or float), got string",
    );
    check(
        object! { "template": { "spec": { "restartPolicy": 8080 } } },
        ".spec.template.spec.restartPolicy: expected string, got \
         &value.valueUnstructured{Value:8080}",
    );
    check(
        containers(&["x", "x"]),
        ".spec.template.spec.containers: duplicate entries for key [name=\"x\"]",
    );
    let ports = object! { "containers": [{ "name": "x", "ports": [{ "name": "a" }], "bar": 1 }] };
    check(
        object! { "template": { "spec": ports } },
        "errors:\n  .spec.template.spec.containers[name=\"x\"].bar: field not declared in schema\n  \
         .spec.template.spec.containers[name=\"x\"].ports: element 0: associative list with keys \
         has an element that omits key field \"containerPort\" (and doesn't have default value)",
    );
}

#[test]
fn too_many_updaters_become_one() {
    let mut world = World::new();
    for i in 0..13 {
        let manager = format!("m{i:02}");
        world.update(&manager, |new| new.set_label(&manager, "x"));
    }
    let entries = world.at("metadata.managedFields").list();
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[0].str("manager"), "ancient-changes");
    let labels = entries[0].at("fieldsV1.f:metadata.f:labels");
    assert_eq!(
        labels.to_string(),
        r#"{".":{},"f:m00":{},"f:m01":{},"f:m02":{},"f:m03":{}}"#
    );
}
