//! What expressions are worth, in tables.

use super::*;
use crate::object;

fn pod() -> Value {
    object! {
        "metadata": {
            "name": "web", "labels": { "app": "web", "a.b/c-d": "x" },
            "creationTimestamp": "2026-01-05T09:00:00Z",
        },
        "spec": {
            "replicas": 3, "nothing": null, "half": 0.5,
            "containers": [
                { "name": "a", "image": "nginx:1.27", "memory": "64Mi" },
                { "name": "b", "image": "busybox" },
            ],
        },
        "status": { "readyReplicas": 2, "phase": "Running" },
    }
}

fn run(source: &str) -> Result<String, String> {
    let program = Program::compile_for(source, &["self"]).map_err(|e| e.message)?;
    let bindings = Bindings::new().with("self", &pod());
    program
        .eval(&bindings)
        .map(|val| val.to_string())
        .map_err(|e| e.message)
}

/// Each source is worth what stands beside it.
#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (source, expect) in table {
        assert_eq!(run(source).as_deref(), Ok(*expect), "{source}");
    }
}

/// Each source fails with what stands beside it.
#[track_caller]
fn check_errors(table: &[(&str, &str)]) {
    for (source, expect) in table {
        assert_eq!(run(source), Err((*expect).to_owned()), "{source}");
    }
}

#[test]
fn arithmetic() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 / 2", "3"),
        ("-7 % 3", "-1"),
        ("7u - 2u", "5u"),
        ("1.5 * 2.0", "3.0"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("--3", "3"),
        ("'a' + 'b'", "\"ab\""),
        ("[1] + [2]", "[1, 2]"),
        ("b'a' + b'b'", "b\"ab\""),
    ]);
    check_errors(&[
        ("9223372036854775807 + 1", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("1 + 1.0", "no such overload"),
        ("1 + 'a'", "no such overload"),
        ("-'a'", "no such overload"),
    ]);
}

#[test]
fn comparison_and_logic() {
    check(&[
        ("1 == 1.0 && 1u == 1", "true"),
        ("1 < 2.5", "true"),
        ("'a' < 'b'", "true"),
        ("1 == 'a'", "false"),
        ("null == null", "true"),
        ("[1, {'a': 2}] == [1.0, {'a': 2u}]", "true"),
        (
            "self.metadata.labels == {'app': 'web', 'a.b/c-d': 'x'}",
            "true",
        ),
        ("2 in [1, 2]", "true"),
        ("'app' in self.metadata.labels", "true"),
        ("3 in self.spec", "false"),
        ("true ? 1 : 2", "1"),
        ("!!true", "true"),
        ("false && 1 / 0 > 0", "false"),
        ("1 / 0 > 0 && false", "false"),
        ("1 / 0 > 0 || true", "true"),
        ("self.missing || true", "true"),
        ("1 < 2 == true", "true"),
    ]);
    check_errors(&[
        ("1 / 0 > 0 && true", "division by zero"),
        ("1 && true", "no such overload"),
        ("1 ? 2 : 3", "no such overload"),
        ("1 < 'a'", "no such overload"),
        ("[1] < [2]", "no such overload"),
        ("1 in 2", "no such overload"),
    ]);
}

#[test]
fn fields_and_indexes() {
    check(&[
        ("self.spec.replicas", "3"),
        ("self.metadata.labels['a.b/c-d']", "\"x\""),
        ("self.metadata.labels.`a.b/c-d`", "\"x\""),
        ("self.metadata.labels.a__dot__b__slash__c__dash__d", "\"x\""),
        ("self['spec']['containers'][1].name", "\"b\""),
        ("self.spec.nothing == null", "true"),
        ("self.spec.half", "0.5"),
        ("has(self.spec.replicas)", "true"),
        ("has(self.spec.paused)", "false"),
        ("{'a': {'b': 1}}.a.b", "1"),
        ("[1, 2][1.0]", "2"),
        ("self.status", r#"{"phase":"Running","readyReplicas":2}"#),
        ("{1: 'x', true: 'y'}[1u]", "\"x\""),
    ]);
    check_errors(&[
        ("self.status.conditions", "no such key: conditions"),
        ("has(self.nothing.here)", "no such key: nothing"),
        ("[1][1]", "index out of bounds: 1"),
        ("[1][-1]", "index out of bounds: -1"),
        ("[1]['a']", "unsupported index type 'string' in list"),
        ("self.spec.replicas.x", "no such overload"),
        ("{'a': 1}['b']", "no such key: b"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key: \"a\""),
        ("{1.5: 1}", "unsupported key type: double"),
    ]);
}

#[test]
fn macros_over_lists_and_maps() {
    check(&[
        ("[1, 2, 3].all(x, x > 0)", "true"),
        ("[].all(x, false)", "true"),
        ("[1, 'a'].exists(x, x == 1)", "true"),
        ("[0, 1].exists(x, 1 / x == 1)", "true"),
        ("[0, 1].all(x, 1 / x == 2)", "false"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("self.spec.containers.map(c, c.name)", r#"["a", "b"]"#),
        (
            "self.spec.containers.filter(c, c.image.contains(':'))[0].name",
            "\"a\"",
        ),
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
        ("self.metadata.labels.all(k, k != '')", "true"),
        (
            "self.metadata.labels.exists(k, v, v == 'web' && k == 'app')",
            "true",
        ),
        (
            "['x', 'y'].transformList(i, v, v + string(i))",
            r#"["x0", "y1"]"#,
        ),
        ("{'a': 1}.transformMap(k, v, v + 1)", "{\"a\": 2}"),
        ("cel.bind(n, 2 + 3, n * n)", "25"),
        ("[1].all(x, [2].all(y, x < y))", "true"),
        ("[1].map(x, x).map(x, x + 1)", "[2]"),
    ]);
    check_errors(&[
        ("[0].exists(x, 1 / x == 1)", "division by zero"),
        ("1.all(x, true)", "no such overload"),
        ("[1].filter(x, x)", "no such overload"),
        (
            "[1].all(x, y > 0)",
            "undeclared reference to 'y' (in container '')",
        ),
        (
            "[1].all(x, true) && x == 1",
            "undeclared reference to 'x' (in container '')",
        ),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("size('añb')", "3"),
        ("'kube'.startsWith('ku') && 'kube'.endsWith('be')", "true"),
        ("'v1.36.2'.matches('^v[0-9]+\\\\.[0-9]+')", "true"),
        ("'a1b22'.find('[0-9]+')", "\"1\""),
        ("'a1b22'.findAll('[0-9]+')", "[\"1\", \"22\"]"),
        ("'abc'.charAt(1)", "\"b\""),
        ("'abcabc'.indexOf('c') + 'abcabc'.lastIndexOf('c')", "7"),
        ("'abcabc'.indexOf('a', 1)", "3"),
        ("'abc'.indexOf('z')", "-1"),
        ("'AbC'.lowerAscii() + 'AbC'.upperAscii()", "\"abcABC\""),
        ("'aXbX'.replace('X', '-')", "\"a-b-\""),
        ("'aXbX'.replace('X', '-', 1)", "\"a-bX\""),
        ("'a,b,c'.split(',')", r#"["a", "b", "c"]"#),
        ("'a,b,c'.split(',', 2)", r#"["a", "b,c"]"#),
        ("'abc'.split('')", r#"["a", "b", "c"]"#),
        ("'abcd'.substring(1, 3) + 'abcd'.substring(3)", "\"bcd\""),
        ("'  x '.trim()", "\"x\""),
        ("['a', 'b'].join('-') + ['a', 'b'].join()", "\"a-bab\""),
        (
            "'%s has %d, %.2f%%'.format(['web', 3, 0.5])",
            "\"web has 3, 0.50%\"",
        ),
        ("'abc'.reverse()", "\"cba\""),
        (
            "base64.encode(b'b') + string(base64.decode('Yg=='))",
            "\"Yg==b\"",
        ),
    ]);
    check_errors(&[
        ("'abc'.charAt(4)", "index out of range: 4"),
        (
            "'abc'.substring(2, 1)",
            "invalid substring range. start: 2, end: 1",
        ),
        ("1.contains('a')", "no such overload"),
        ("[1].join('-')", "no such overload"),
    ]);
    assert!(run("'a'.matches('(')").is_err());
}

#[test]
fn conversions() {
    check(&[
        ("int('12') + int(3.9) + int(4u)", "19"),
        ("string(1.5) + string(true) + string(2u)", "\"1.5true2\""),
        ("double(2) / 4.0", "0.5"),
        ("bool('true')", "true"),
        (
            "type(1) == int && type(self) == map && type([]) == list",
            "true",
        ),
        ("type(type(1))", "type"),
        ("string(b'abc')", "\"abc\""),
        ("size(bytes('añ'))", "3"),
        ("dyn(1) == 1.0", "true"),
    ]);
    check_errors(&[
        (
            "int('a')",
            "strconv.ParseInt: parsing \"a\": invalid syntax",
        ),
        ("int('99999999999999999999')", {
            "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
        }),
        ("uint(-1)", "unsigned integer overflow"),
        ("int(1e30)", "integer overflow"),
        (
            "bool('maybe')",
            "strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        ("string([1])", "no such overload"),
    ]);
}

#[test]
fn times() {
    check(&[
        (
            "timestamp(self.metadata.creationTimestamp).getFullYear()",
            "2026",
        ),
        ("timestamp('2026-01-05T09:00:00Z') + duration('90m')", {
            "timestamp(\"2026-01-05T10:30:00Z\")"
        }),
        (
            "timestamp('2026-01-05T10:00:00Z') - timestamp('2026-01-05T09:00:00Z')",
            { "duration(\"3600s\")" },
        ),
        (
            "timestamp('2026-01-05T11:00:00+01:00') < timestamp('2026-01-05T10:00:01Z')",
            "true",
        ),
        ("duration('1h30m').getMinutes()", "90"),
        ("duration('1h') > duration('59m')", "true"),
        ("timestamp('2026-01-05T09:00:00Z').getHours('+02:00')", "11"),
    ]);
    check_errors(&[
        ("duration('1 hour')", "time: invalid duration \"1 hour\""),
        (
            "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
            "timestamp overflow",
        ),
    ]);
}

#[test]
fn lists_and_sets() {
    check(&[
        ("[1, 3, 2].isSorted() || ![1, 2].isSorted()", "false"),
        ("[1, 2, 3].sum() + [].sum()", "6"),
        ("[1.0, 2.5].sum()", "3.5"),
        ("[3, 1].min() + [3, 1].max()", "4"),
        ("[1, 2, 1].indexOf(1) + [1, 2, 1].lastIndexOf(1)", "2"),
        ("[[1], [2, 3]].flatten()", "[1, 2, 3]"),
        (
            "[2, 1].sort() + [1, 1].distinct() + [1, 2, 3].slice(1, 2)",
            "[1, 2, 1, 2]",
        ),
        (
            "sets.contains([1, 2], [2]) && sets.equivalent([1, 1], [1])",
            "true",
        ),
        ("sets.intersects([1], [2])", "false"),
        ("math.greatest(1, 5, 3) - math.least([4, 2])", "3"),
    ]);
    check_errors(&[
        ("[].min()", "min called on empty list"),
        ("['a'].sum()", "no such overload"),
        ("[1, 'a'].sort()", "no such overload"),
        ("[0.0 / 0.0, 1.0].sort()", "no such overload"),
        ("[1].slice(0, 2)", "cannot slice(0, 2), list is length 1"),
    ]);
}

#[test]
fn quantities() {
    check(&[
        ("quantity('64Mi').isLessThan(quantity('1Gi'))", "true"),
        ("quantity('1500m').compareTo(quantity('1.5'))", "0"),
        (
            "quantity('1').add(quantity('500m')) == quantity('1500m')",
            "true",
        ),
        ("quantity('1Ki').sub(quantity('24')).asInteger()", "1000"),
        ("quantity('1').add(1).asInteger()", "2"),
        ("quantity('500m').isInteger()", "false"),
        ("quantity('500m').asApproximateFloat()", "0.5"),
        ("quantity('-1').sign()", "-1"),
        ("isQuantity('lots')", "false"),
    ]);
    check_errors(&[
        (
            "quantity('500m').asInteger()",
            "cannot convert value to integer",
        ),
        ("quantity('lots')", {
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        }),
    ]);
}

#[test]
fn optionals() {
    check(&[
        ("self.?status.?missing.orValue(7)", "7"),
        ("self.?status.readyReplicas.orValue(7)", "2"),
        ("self.?nothing.here.there.hasValue()", "false"),
        ("self.metadata.labels[?'app'].value()", "\"web\""),
        ("[1][?3].orValue(0)", "0"),
        ("optional.of(1).or(optional.of(2)).value()", "1"),
        ("optional.none().or(optional.of(2)).value()", "2"),
        ("optional.ofNonZeroValue('').hasValue()", "false"),
        ("[?optional.none(), ?optional.of(1)]", "[1]"),
        (
            "{?'a': optional.none(), ?'b': optional.of(1)}",
            "{\"b\": 1}",
        ),
        ("optional.of(2).optMap(x, x * 2).value()", "4"),
        ("optional.none().optMap(x, x * 2).hasValue()", "false"),
    ]);
    check_errors(&[("optional.none().value()", "optional.none() dereference")]);
}

#[test]
fn undeclared_names_are_found_before_running() {
    let error = Program::compile_for("self.x &&\n  other > 1", &["self"]).expect_err("other");
    let expect = "ERROR: <input>:2:3: undeclared reference to 'other' (in container '')\n \
                  |   other > 1\n | ..^";
    assert_eq!(error.to_string(), expect);
    let late = Program::compile("other > 1")
        .expect("compiles")
        .eval(&Bindings::new());
    assert_eq!(
        late.map_err(|e| e.message).err().as_deref(),
        Some("no such attribute(s): other")
    );
}

#[test]
fn evaluation_is_bounded() {
    let limit = "operation cancelled: actual cost limit exceeded";
    let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let mut nested = String::from("true");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        nested = format!("{ten}.all({name}, {nested})");
    }
    check_errors(&[(&nested, limit), (&format!("{nested} || true"), limit)]);
    let mut doubling = String::from("'0123456789'");
    for _ in 0..60 {
        doubling = format!("cel.bind(x, {doubling}, x + x)");
    }
    check_errors(&[(&format!("size({doubling})"), limit)]);
    let slow = format!(
        "'{}'.matches('{}')",
        "a".repeat(20_000),
        "(a?)".repeat(2_000)
    );
    assert!(run(&slow).is_err());
}

#[test]
fn explains_what_it_saw() {
    #[track_caller]
    fn check(source: &str, expect: &[&str]) {
        let program = Program::compile(source).expect(source);
        let seen = program.explain(&Bindings::new().with("self", &pod()));
        let seen: Vec<String> = seen.iter().map(Seen::to_string).collect();
        assert_eq!(seen, expect, "{source}");
    }
    check(
        "self.status.readyReplicas == 3",
        &["self.status.readyReplicas was 2"],
    );
    check(
        "self.status.readyReplicas == self.spec.replicas",
        &[
            "self.status.readyReplicas was 2",
            "self.spec.replicas was 3",
        ],
    );
    check(
        "self.status.phase == 'Running' && self.spec.replicas > 5",
        &["self.spec.replicas was 3"],
    );
    check(
        "self.spec.replicas > 5 || self.status.phase == 'Failed'",
        &[
            "self.spec.replicas was 3",
            "self.status.phase was \"Running\"",
        ],
    );
    check(
        "!has(self.spec.replicas)",
        &["has(self.spec.replicas) was true"],
    );
    check(
        "self.status.availableReplicas >= 1",
        &["self.status.availableReplicas could not be told: no such key: availableReplicas"],
    );
    check(
        "self.metadata.name.startsWith('db')",
        &["self.metadata.name was \"web\""],
    );
    check(
        "self.metadata.labels.all(k, k.size() == 3)",
        &[
            r#"self.metadata.labels was {"a.b/c-d":"x","app":"web"}"#,
            "k was \"a.b/c-d\"",
            "k.size() was 7",
        ],
    );
    check(
        "cel.bind(n, self.spec.replicas, n > 5)",
        &["self.spec.replicas was 3", "n was 3"],
    );
    check("true", &[]);
}

#[test]
fn addresses_urls_versions_and_formats() {
    check(&[
        ("ip('10.0.0.1').family() + ip('::1').family()", "10"),
        ("isIP('10.0.0.01') || isIP('::ffff:1.2.3.4')", "false"),
        ("ip.isCanonical('2001:DB8::1')", "false"),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", "true"),
        ("cidr('10.0.0.0/8').containsIP(ip('11.1.2.3'))", "false"),
        (
            "cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
            "true",
        ),
        ("string(cidr('10.1.2.3/16').masked())", "\"10.1.0.0/16\""),
        ("cidr('10.1.2.3/16').ip() == ip('10.1.2.3')", "true"),
        (
            "ip('192.168.0.1').isGlobalUnicast() && ip('::1').isLoopback()",
            "true",
        ),
        ("isCIDR('10.0.0.0/33')", "false"),
        (
            "url('https://u@a.b:80/p/q?x=1&x=2&y=a%20b#f').getHost()",
            "\"a.b:80\"",
        ),
        (
            "url('https://a.b:80/p').getHostname() + url('https://a.b:80/p').getPort()",
            "\"a.b80\"",
        ),
        ("url('https://a.b/p%20q?x').getEscapedPath()", "\"/p%20q\""),
        (
            "url('https://a.b/?x=1&x=2').getQuery()",
            r#"{"x": ["1", "2"]}"#,
        ),
        ("url('http://[::1]:8080/').getHostname()", "\"::1\""),
        ("isURL('../relative') || isURL('')", "false"),
        ("semver('1.2.3').isLessThan(semver('1.10.0'))", "true"),
        (
            "semver('1.0.0-alpha.2').compareTo(semver('1.0.0-alpha.10'))",
            "-1",
        ),
        (
            "semver('v1.2', true).minor() + semver('1.2.3').major()",
            "3",
        ),
        ("isSemver('1.2') || isSemver('01.2.3')", "false"),
        ("format.dns1123Label().validate('web').hasValue()", "false"),
        (
            "format.named('uuid').hasValue() && !format.named('x').hasValue()",
            "true",
        ),
        (
            "format.byte().validate('!').value()",
            r#"["invalid base64"]"#,
        ),
        (
            "{'a': 1}.transformMapEntry(k, v, {string(v): k})",
            r#"{"1": "a"}"#,
        ),
    ]);
    check_errors(&[
        (
            "ip('::ffff:1.2.3.4')",
            "IPv4-mapped IPv6 address \"::ffff:1.2.3.4\" is not allowed",
        ),
        ("semver('1.2')", "No Major.Minor.Patch elements found"),
    ]);
}

/// What an expression comes to before it runs: its type, or all that is wrong with it.
#[track_caller]
fn check_types(source: &str, expect: &str) {
    let spec = [("replicas", Type::Int), ("paused", Type::Bool)];
    let object = [
        ("spec", Type::object("Deployment.spec", spec)),
        ("names", Type::list(Type::String)),
        ("labels", Type::map(Type::String, Type::String)),
    ];
    let env = Env::new()
        .with("self", Type::object("Deployment", object))
        .with("any", Type::Dyn);
    let found = match Program::compile_in(source, &env) {
        Ok(program) => program.result_type().to_string(),
        Err(errors) => errors.to_string(),
    };
    assert_eq!(found, expect, "{source}");
}

#[test]
fn types_are_found_before_running() {
    let int_string = "ERROR: <input>:1:15: found no matching overload for '_+_' applied to \
                      '(int, string)'\n | self.spec.replicas + 'a'\n";
    check_types("self.spec.replicas > 3", "bool");
    check_types("self.names.map(n, n.size())", "list(int)");
    check_types("self.labels.filter(k, k != '')", "list(string)");
    check_types("any.a.b == 1 ? self.spec : null", "Deployment.spec");
    check_types("self.?spec.replicas.orValue(1)", "int");
    check_types("[1, 2].sum() + size(self.names)", "int");
    check_types("cel.bind(n, self.names[0], n + 'x')", "string");
    check_types("{'a': 1}", "map(string, int)");
    let text = int_string.replace(":1:15:", ":1:20:");
    check_types(
        "self.spec.replicas + 'a'",
        &format!("{text} | ...................^"),
    );
    check_types(
        "self.spec.nothing",
        "ERROR: <input>:1:10: undefined field 'nothing'\n | self.spec.nothing\n | .........^",
    );
    check_types(
        "unknown(1)",
        "ERROR: <input>:1:8: undeclared reference to 'unknown' (in container '')\n | \
         unknown(1)\n | .......^",
    );
    check_types(
        "self.names.contains('a') && nope",
        "ERROR: <input>:1:20: found no matching overload for 'contains' applied to \
         'list(string).(string)'\n | self.names.contains('a') && nope\n | \
         ...................^\nERROR: <input>:1:29: undeclared reference to 'nope' (in container \
         '')\n | self.names.contains('a') && nope\n | ............................^",
    );
    check_types(
        "[1, 'a']",
        "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^",
    );
    check_types(
        "self.spec.replicas.x",
        "ERROR: <input>:1:19: type 'int' does not support field selection\n | \
         self.spec.replicas.x\n | ..................^",
    );
    check_types(
        "self.names[0].matches('(')",
        "ERROR: <input>:1:23: invalid matches argument\n | self.names[0].matches('(')\n | \
         ......................^",
    );
}

#[test]
fn unknown_functions_are_undeclared() {
    check_errors(&[
        ("x.fly()", "undeclared reference to 'x' (in container '')"),
        (
            "1 + fly(2)",
            "undeclared reference to 'fly' (in container '')",
        ),
        (
            "Pod{a: 1}",
            "undeclared reference to 'Pod' (in container '')",
        ),
        ("size(1, 2)", {
            "found no matching overload for 'size' applied to '(int, int)'"
        }),
        ("'a'.contains()", {
            "found no matching overload for 'contains' applied to 'string.()'"
        }),
    ]);
}

#[test]
fn structural_schemas_give_types() {
    let schema = object! {
        "type": "object",
        "properties": {
            "spec": { "type": "object", "properties": {
                "at": { "type": "string", "format": "date-time" },
                "ratio": { "type": "number" },
                "port": { "x-kubernetes-int-or-string": true },
                "tags": { "type": "object", "additionalProperties": { "type": "string" } },
            } },
        },
    };
    let ty = Type::of_structural(&schema, "Widget", true).expect("a type");
    let env = Env::new().with("self", ty.clone());
    let value = object! {
        "metadata": { "name": "w" },
        "spec": { "at": "2026-01-05T09:00:00Z", "ratio": 2, "tags": { "a": "b" } },
    };
    let run = |source: &str| {
        let program = Program::compile_in(source, &env).map_err(|e| e.to_string())?;
        let bindings = Bindings::new().with_val("self", ty.read(&value));
        let val = program.eval(&bindings).map_err(|e| e.message)?;
        Ok::<String, String>(val.to_string())
    };
    assert_eq!(run("self.spec.at.getHours()").as_deref(), Ok("9"));
    assert_eq!(run("self.spec.ratio / 4.0").as_deref(), Ok("0.5"));
    assert_eq!(
        run("self.spec.tags.a + self.metadata.name").as_deref(),
        Ok("\"bw\"")
    );
    assert_eq!(run("self.spec.port"), Err("no such key: port".to_owned()));
    assert!(run("self.metadata.labels").is_err_and(|e| e.contains("undefined field 'labels'")));
}

#[test]
fn the_authorizer_is_asked() {
    #[derive(Debug)]
    struct OnlyPods;
    impl Authorize for OnlyPods {
        fn decide(&self, ask: &Ask) -> (bool, String) {
            (
                ask.resource.as_str() == "pods",
                format!("{} {}", ask.verb, ask.namespace),
            )
        }
    }
    let run = |source: &str| {
        let env = Env::new().with(
            "authorizer",
            Type::opaque("kubernetes.authorization.Authorizer"),
        );
        let program = Program::compile_in(source, &env).map_err(|e| e.to_string())?;
        let authorizer = Opaque::authorizer(std::rc::Rc::new(OnlyPods));
        let val = Val::Opaque(std::rc::Rc::new(authorizer));
        let done = program.eval(&Bindings::new().with_val("authorizer", val));
        done.map(|val| val.to_string()).map_err(|e| e.message)
    };
    let pods = "authorizer.group('').resource('pods').namespace('x').check('get')";
    assert_eq!(run(&format!("{pods}.allowed()")).as_deref(), Ok("true"));
    assert_eq!(run(&format!("{pods}.reason()")).as_deref(), Ok("\"get x\""));
    let path = "authorizer.path('/x').check('get').allowed()";
    assert_eq!(run(path).as_deref(), Ok("false"));
    assert!(run("authorizer.resource('pods')").is_err_and(|e| e.contains("no matching overload")));
}
