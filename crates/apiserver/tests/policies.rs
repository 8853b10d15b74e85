//! What admission policies and the Pod Security Standards say of requests.

mod bench;

use api::{Value, object, yaml};
use bench::{Bench, PODS};
use kubarium_apiserver::{Config, Policy};
use net::http::Method;

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

fn parse(text: &str) -> Value {
    let documents = yaml::parse_all(text).expect("YAML");
    documents.first().expect("a document").value.clone()
}

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.service_account("default");
    bench
}

/// Creates an object; the refusal, or nothing.
fn create(bench: &mut Bench, path: &str, text: &str) -> String {
    let (code, answer) = bench.call(Method::Post, path, parse(text));
    match code {
        201 => String::new(),
        _ => format!("{code} {}", answer.str("message")),
    }
}

/// A policy for pods with these lines in its spec, and its binding.
fn policy(bench: &mut Bench, spec: &str, binding: &str) {
    let text = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n\
         metadata: {{name: p}}\nspec:\n  matchConstraints: {{resourceRules: [{{apiGroups: [''], \
         apiVersions: [v1], operations: [CREATE, DELETE], resources: [pods]}}]}}\n{spec}"
    );
    let made = create(
        bench,
        &format!("{ADMISSION}/validatingadmissionpolicies"),
        &text,
    );
    assert_eq!(made, "");
    let text = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n\
         metadata: {{name: b}}\nspec: {{policyName: p, {binding}}}"
    );
    let made = create(
        bench,
        &format!("{ADMISSION}/validatingadmissionpolicybindings"),
        &text,
    );
    assert_eq!(made, "");
}

fn pod(name: &str, labels: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {labels}}}, spec: \
         {{containers: [{{name: c, image: nginx}}]}}}}"
    )
}

#[test]
fn conditions_refuse() {
    let mut bench = bench();
    policy(
        &mut bench,
        "  variables: [{name: team, expression: 'object.metadata.labels.team'}]\n  \
         matchConditions: [{name: made, expression: 'request.operation == \"CREATE\"'}]\n  \
         validations:\n  - {expression: 'variables.team != \"x\"', message: no team x, reason: \
         Forbidden}\n  - {expression: 'size(object.spec.containers) > 0 && \
         namespaceObject.metadata.name == \"default\"', messageExpression: '\"has \" + \
         string(size(object.spec.containers))'}\n",
        "validationActions: [Deny]",
    );
    let said = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request:";
    assert_eq!(create(&mut bench, PODS, &pod("good", "{team: z}")), "");
    assert_eq!(
        create(&mut bench, PODS, &pod("bad", "{team: x}")),
        format!("403 pods \"bad\" is forbidden: {said} no team x")
    );
    assert_eq!(
        create(&mut bench, PODS, &pod("bare", "{}")),
        format!(
            "422 pods \"bare\" is forbidden: {said} expression 'variables.team != \"x\"' resulted \
             in error: composited variable \"team\" fails to evaluate: no such key: labels"
        )
    );
    let (code, _) = bench.call(Method::Delete, &format!("{PODS}/good"), Value::Null);
    assert_eq!(code, 200);
}

#[test]
fn parameters_are_looked_up() {
    let mut bench = bench();
    policy(
        &mut bench,
        "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: \
         'request.operation == \"DELETE\" || object.metadata.name in [params.data.name]'}]\n",
        "validationActions: [Deny], paramRef: {name: names, parameterNotFoundAction: Deny}",
    );
    assert_eq!(
        create(&mut bench, PODS, &pod("a", "{}")),
        "422 pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied \
         request: failed to configure binding: no params found for policy binding with `Deny` \
         parameterNotFoundAction"
    );
    let names = "{apiVersion: v1, kind: ConfigMap, metadata: {name: names}, data: {name: a}}";
    assert_eq!(
        create(&mut bench, "/api/v1/namespaces/default/configmaps", names),
        ""
    );
    assert_eq!(create(&mut bench, PODS, &pod("a", "{}")), "");
    assert!(create(&mut bench, PODS, &pod("b", "{}")).contains("failed expression: "));
}

#[test]
fn objects_of_custom_kinds_are_parameters() {
    let mut bench = bench();
    let definition = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: limits.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: limits, singular: limit, kind: Limit, listKind: LimitList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {name: {type: string}}}}
";
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(create(&mut bench, path, definition), "");
    policy(
        &mut bench,
        "  paramKind: {apiVersion: example.com/v1, kind: Limit}\n  validations: [{expression: \
         'request.operation == \"DELETE\" || object.metadata.name == params.name'}]\n",
        "validationActions: [Deny], paramRef: {name: names, parameterNotFoundAction: Deny}",
    );
    let names = "{apiVersion: example.com/v1, kind: Limit, metadata: {name: names}, name: a}";
    let path = "/apis/example.com/v1/namespaces/default/limits";
    assert_eq!(create(&mut bench, path, names), "");
    assert_eq!(create(&mut bench, PODS, &pod("a", "{}")), "");
    assert!(create(&mut bench, PODS, &pod("b", "{}")).contains("failed expression: "));
}

#[test]
fn bindings_and_evictions_are_seen() {
    let mut bench = bench();
    policy(
        &mut bench,
        "  validations: [{expression: 'false', messageExpression: 'request.kind.kind + \" of \" + \
         object.metadata.name'}]\n",
        "validationActions: [Deny]",
    );
    let path = format!("{ADMISSION}/validatingadmissionpolicies/p");
    let mut policy = bench.get(&path);
    policy.list_mut("spec.matchConstraints.resourceRules")[0]
        .set("resources", vec!["pods/binding", "pods/eviction"]);
    assert_eq!(bench.call(Method::Put, &path, policy).0, 200);
    assert_eq!(create(&mut bench, PODS, &pod("a", "{}")), "");
    let binding =
        "{apiVersion: v1, kind: Binding, metadata: {name: a}, target: {kind: Node, name: node01}}";
    let eviction = "{apiVersion: policy/v1, kind: Eviction, metadata: {name: a}}";
    for (path, text, kind) in [
        ("binding", binding, "Binding"),
        ("eviction", eviction, "Eviction"),
    ] {
        let said = create(&mut bench, &format!("{PODS}/a/{path}"), text);
        assert!(
            said.ends_with(&format!("denied request: {kind} of a")),
            "{said}"
        );
    }
}

#[test]
fn mutations_are_applied() {
    let mut bench = bench();
    let text = "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: m}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{metadata: Object.metadata{labels: {'marked': 'yes'}}, spec: Object.spec{containers:
        [Object.spec.containers{name: 'side', image: 'busybox'}]}}
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: \"add\", path: \"/metadata/labels/\" + jsonpatch.escapeKey(\"a/b\"), value: \"c\"}]'
";
    let path = format!("{ADMISSION}/mutatingadmissionpolicies");
    assert_eq!(create(&mut bench, &path, text), "");
    let binding = "{apiVersion: admissionregistration.k8s.io/v1, kind: \
                   MutatingAdmissionPolicyBinding, metadata: {name: m}, spec: {policyName: m}}";
    let path = format!("{ADMISSION}/mutatingadmissionpolicybindings");
    assert_eq!(create(&mut bench, &path, binding), "");
    assert_eq!(create(&mut bench, PODS, &pod("a", "{team: x}")), "");
    let made = bench.get(&format!("{PODS}/a"));
    let labels = r#"{"a/b":"c","marked":"yes","team":"x"}"#;
    assert_eq!(made.at("metadata.labels").to_json(), labels);
    let names: Vec<&str> = made
        .list_at("spec.containers")
        .iter()
        .map(|c| c.str("name"))
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"side") && names.contains(&"c"));
}

#[test]
fn what_is_one_value_is_not_mutated_in_part() {
    let refused = |expression: &str| {
        let mut bench = bench();
        let text = format!(
            "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {{name: m}}
spec:
  matchConstraints: {{resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]}}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: {{expression: \"{expression}\"}}
"
        );
        let path = format!("{ADMISSION}/mutatingadmissionpolicies");
        assert_eq!(create(&mut bench, &path, &text), "");
        let binding = "{apiVersion: admissionregistration.k8s.io/v1, kind: \
                       MutatingAdmissionPolicyBinding, metadata: {name: m}, spec: {policyName: m}}";
        let path = format!("{ADMISSION}/mutatingadmissionpolicybindings");
        assert_eq!(create(&mut bench, &path, binding), "");
        create(&mut bench, PODS, &pod("a", "{team: x}"))
    };
    let start = "422 policy 'm' with binding 'm' denied request: error \
                 applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or \
                 structs: ";
    for (expression, path) in [
        (
            "Object{spec: Object.spec{nodeSelector: {'disk': 'ssd'}}}",
            ".spec.nodeSelector",
        ),
        (
            "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'c', args: ['-v']}]}}",
            ".spec.containers[0].args",
        ),
    ] {
        assert_eq!(refused(expression), format!("{start}{path}"));
    }
    assert_eq!(refused("Object{spec: Object.spec{priority: 0}}"), "");
}

#[test]
fn namespaces_set_the_standard() {
    let mut bench = bench();
    let path = "/api/v1/namespaces/default";
    let mut namespace = bench.get(path);
    namespace.set(
        "metadata.labels",
        object! { "pod-security.kubernetes.io/enforce": "baseline" },
    );
    let (code, _) = bench.call(Method::Put, path, namespace.clone());
    assert_eq!(code, 200);
    assert_eq!(create(&mut bench, PODS, &pod("a", "{}")), "");
    let net = "{apiVersion: v1, kind: Pod, metadata: {name: net}, spec: {hostNetwork: true, \
               containers: [{name: c, image: nginx}]}}";
    assert_eq!(
        create(&mut bench, PODS, net),
        "403 pods \"net\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces \
         (hostNetwork=true)"
    );
    let mut namespace = bench.get(path);
    namespace.set(
        "metadata.labels",
        object! { "pod-security.kubernetes.io/warn-version": "1.30" },
    );
    let (code, answer) = bench.call(Method::Put, path, namespace);
    assert_eq!(code, 422);
    assert!(
        answer
            .str("message")
            .ends_with("must be \"latest\" or \"v1.x\"")
    );
}

#[test]
fn a_policy_may_note_in_the_audit_log_what_it_lets_pass() {
    let audit = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: \
                 [{level: Metadata, verbs: [create], resources: [{group: '', resources: [pods]}]}]";
    let policies = Policy::read(audit).expect("an audit policy");
    let mut bench = Bench::with(Config {
        audit_policy: Some(policies.into()),
        ..Config::default()
    });
    bench.service_account("default");
    policy(
        &mut bench,
        "  validations: [{expression: 'object.metadata.name != \"bad\"', message: odd}]\n\
         \x20 auditAnnotations: [{key: name, valueExpression: string(object.metadata.name)}]\n",
        "validationActions: [Audit]",
    );
    assert_eq!(create(&mut bench, PODS, &pod("good", "{}")), "");
    assert_eq!(create(&mut bench, PODS, &pod("bad", "{}")), "");
    let noted = |line: &String| {
        let event = Value::from_json(line.as_bytes()).expect("an event");
        let mut notes = event.get("annotations").clone();
        let failure = "validation.policy.admission.k8s.io/validation_failure";
        let failure = notes.remove_path(&[failure]);
        let failure = failure.map_or_else(String::new, |failure| failure.as_str().to_owned());
        (notes.to_json(), failure)
    };
    let noted: Vec<(String, String)> = bench.audit.iter().map(noted).collect();
    let expected = |name: &str, failure: &str| {
        let notes = format!(
            "{{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":\"\",\
             \"p/name\":\"{name}\",\"pod-security.kubernetes.io/enforce-policy\":\
             \"privileged:latest\"}}"
        );
        (notes, failure.to_owned())
    };
    let failure = "[{\"message\":\"odd\",\"policy\":\"p\",\"binding\":\"b\",\
                   \"expressionIndex\":0,\"validationActions\":[\"Audit\"]}]";
    assert_eq!(noted, [expected("good", ""), expected("bad", failure)]);
}
