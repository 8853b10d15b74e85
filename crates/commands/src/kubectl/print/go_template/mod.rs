//! `-o go-template=…`.
//!
//! Models text/template and cli-runtime/pkg/printers/template.go.

mod eval;
mod functions;
mod parse;
mod printf;

use api::Value;

use crate::kubectl::failure::{Failure, Outcome};

/// What a template makes of an object. Keys that are missing are `<no value>`, or a failure where
/// `strict`.
pub(crate) fn go_template(template: &str, value: &Value, strict: bool) -> Outcome<String> {
    let templates = parse::parse(template)
        .map_err(|why| Failure::message(format!("error parsing template {template}, {why}")))?;
    let (text, failed) = eval::run(template, &templates, value, strict);
    match failed {
        None => Ok(text),
        Some(why) => {
            let shown = format!(
                "{text}Error executing template: {why}. Printing more information for debugging \
                 the template:\n\ttemplate was:\n\t\t{template}\n\traw data \
                 was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
                value.to_json(),
                api::go::plain(value),
            );
            let error = Failure::message(format!("error executing template {template:?}: {why}"));
            Err(Failure::Printed(shown, Box::new(error)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(template: &str, expect: &str) {
        let value = object!({
            "kind": "Pod",
            "metadata": { "name": "web", "labels": { "app": "x", "tier": "y" } },
            "spec": { "replicas": 3, "on": true },
            "items": [{ "n": "a" }, { "n": "b" }],
        });
        match go_template(template, &value, false) {
            Ok(text) => assert_eq!(text, expect, "{template}"),
            Err(Failure::Printed(_, error)) => assert_eq!(error.text(), expect, "{template}"),
            Err(failure) => assert_eq!(failure.text(), expect, "{template}"),
        }
    }

    #[test]
    fn templates_print_as_go_does() {
        check("{{.metadata.name}}!", "web!");
        check("{{.nosuch.x}}", "<no value>");
        check(
            "{{.spec.replicas}} {{.metadata.labels}}",
            "3 map[app:x tier:y]",
        );
        check("{{range .items}}{{.n}},{{end}}", "a,b,");
        check(
            "{{range $i, $e := .items}}{{$i}}={{$e.n}} {{end}}",
            "0=a 1=b ",
        );
        check(
            "{{range $k, $v := .metadata.labels}}{{$k}}={{$v}} {{end}}",
            "app=x tier=y ",
        );
        check("{{range .none}}x{{else}}empty{{end}}", "empty");
        check(
            "{{if eq .kind \"Pod\"}}yes{{else if .x}}a{{else}}no{{end}}",
            "yes",
        );
        check("{{with .metadata}}{{.name}} {{$.kind}}{{end}}", "web Pod");
        check("{{ .metadata.name | printf \"%-5s|\" }}", "web  |");
        check("{{len .items}} {{(index .items 1).n}}", "2 b");
        check("a {{- /* note */ -}} b", "ab");
        check("{{$x := 1}}{{if .spec.on}}{{$x = 2}}{{end}}{{$x}}", "2");
        check("{{if and .spec.on (not .x)}}ok{{end}}", "ok");
        check(
            "{{range .items}}{{if eq .n \"b\"}}{{break}}{{end}}{{.n}}{{end}}",
            "a",
        );
        check(
            "{{exists . \"metadata\" \"name\"}} {{\"aGk=\" | base64decode}}",
            "true hi",
        );
        check(
            "{{define \"x\"}}<{{.n}}{{$}}>{{end}}{{range .items}}{{template \"x\" .}}{{end}}",
            "<amap[n:a]><bmap[n:b]>",
        );
        check("{{block \"b\" .spec}}{{.replicas}}{{end}}", "3");
        check(
            "{{define \"x\"}}a{{end}}{{template \"x\"}}{{template \"x\"}}",
            "aa",
        );
        check(
            "{{eq .spec.replicas 3}} {{lt .spec.replicas 10}} {{0x10}} {{1e3}}",
            "true true 16 1000",
        );
        check(
            "{{printf \"%d %s %v\" 3 .spec.replicas true}}",
            "3 %!s(int64=3) true",
        );
    }

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        check(
            "{{",
            "error: error parsing template {{, template: output:1: unclosed action\n",
        );
        check(
            "{{foo}}",
            "error: error parsing template {{foo}}, template: output:1: function \"foo\" not \
             defined\n",
        );
        check(
            "{{range .items}}",
            "error: error parsing template {{range .items}}, template: output:1: unexpected EOF\n",
        );
        check(
            "{{template \"no\" .}}",
            "error: error executing template \"{{template \\\"no\\\" .}}\": template: output:1:11: \
             executing \"output\" at <{{template \"no\" .}}>: template \"no\" not defined\n",
        );
        check(
            "{{define \"x\"}}a{{end}}{{define \"x\"}}b{{end}}",
            "error: error parsing template {{define \"x\"}}a{{end}}{{define \"x\"}}b{{end}}, template: \
             output:1: template: multiple definition of template \"x\"\n",
        );
        check(
            "{{define \"x\"}}{{len .kind .spec}}{{end}}{{template \"x\" .}}",
            "error: error executing template \"{{define \\\"x\\\"}}{{len .kind .spec}}{{end}}{{template \
             \\\"x\\\" .}}\": template: output:1:16: executing \"x\" at <len>: wrong number of args for \
             len: want 1 got 2\n",
        );
        check(
            "{{index .items 9}}",
            "error: error executing template \"{{index .items 9}}\": template: output:1:2: executing \
             \"output\" at <index .items 9>: error calling index: index out of range: 9\n",
        );
        check(
            "{{eq .spec.replicas 3.5}}",
            "error: error executing template \"{{eq .spec.replicas 3.5}}\": template: output:1:2: \
             executing \"output\" at <eq .spec.replicas 3.5>: error calling eq: incompatible types for \
             comparison: int64 and float64\n",
        );
        check(
            "{{.kind.x}}",
            "error: error executing template \"{{.kind.x}}\": template: output:1:7: executing \
             \"output\" at <.kind.x>: can't evaluate field x in type interface {}\n",
        );
    }
}
