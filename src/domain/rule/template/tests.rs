use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

const DEFINITION: &str = "{{- $__aw := 0.0 -}}{{- range $k, $v := $values -}}{{- if eq $k \"B\" -}}\
                          {{- $__aw = $v.Value -}}{{- end -}}{{- end }}";
const ALONE: &str = "{{ with $values.B }}{{ . }}{{ end }}";

fn rewritten(text: &str) -> String {
    rewrite(text, "B")
        .unwrap_or_else(|e| panic!("{text}: {e}"))
        .into_owned()
}

#[test]
fn prints_a_value_that_stands_alone_from_its_node() {
    for (text, expected) in [
        ("{{ $value }}", ALONE.to_owned()),
        ("{{$value}}", ALONE.to_owned()),
        ("{{\n  $value\n}}", ALONE.to_owned()),
        ("{{ .Value }}", ALONE.to_owned()),
        ("{{ $.Value }}", ALONE.to_owned()),
        (
            "High error rate: {{ $value }} errors/sec",
            format!("High error rate: {ALONE} errors/sec"),
        ),
        (
            "{{ $value }} of {{ $labels.host }}: {{ .Value }}",
            format!("{ALONE} of {{{{ $labels.host }}}}: {ALONE}"),
        ),
        (
            "a {{- $value -}} b",
            "a {{- with $values.B }}{{ . }}{{ end -}} b".to_owned(),
        ),
        (
            "a {{- .Value }} b",
            "a {{- with $values.B }}{{ . }}{{ end }} b".to_owned(),
        ),
        (
            "a {{ $value -}} b",
            "a {{ with $values.B }}{{ . }}{{ end -}} b".to_owned(),
        ),
        (
            "{{ if eq $labels.a \"}}\" }}{{ .Value }}{{ end }}",
            format!("{{{{ if eq $labels.a \"}}}}\" }}}}{ALONE}{{{{ end }}}}"),
        ),
        (
            "{{/* $value }} */}}{{ $value }}",
            format!("{{{{/* $value }}}} */}}}}{ALONE}"),
        ),
        ("größer: {{ $value }} µs", format!("größer: {ALONE} µs")),
    ] {
        assert_eq!(rewritten(text), expected, "{text}");
    }
}

#[test]
fn gives_an_operand_the_number() {
    for (text, expected) in [
        ("{{ printf \"%.2f\" $value }}", "{{ printf \"%.2f\" $__aw }}"),
        ("{{ $value | humanize }}%", "{{ $__aw | humanize }}%"),
        ("{{ .Value | humanize }}", "{{ $__aw | humanize }}"),
        ("{{ humanizeDuration $.Value }}", "{{ humanizeDuration $__aw }}"),
        ("{{ humanize ($value) }}", "{{ humanize ($__aw) }}"),
        (
            "{{if gt $value 5.0}}many{{end}}",
            "{{if gt $__aw 5.0}}many{{end}}",
        ),
        ("{{if.Value}}some{{end}}", "{{if $__aw}}some{{end}}"),
        ("{{ $x := .Value }}{{ $x }}", "{{ $x := $__aw }}{{ $x }}"),
        (
            "{{ with .Value }}{{ . }}{{ end }}",
            "{{ with $__aw }}{{ . }}{{ end }}",
        ),
        (
            "{{ $value }} = {{ $value | humanize }}",
            &format!("{ALONE} = {{{{ $__aw | humanize }}}}"),
        ),
    ] {
        assert_eq!(rewritten(text), format!("{DEFINITION}{expected}"), "{text}");
    }
}

#[test]
fn knows_where_the_dot_is_the_alert() {
    for (text, expected) in [
        (
            "{{ if true }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}",
            "{{ if true }}@{{ else }}@{{ end }}",
        ),
        (
            "{{ if a }}x{{ else if b }}{{ .Value }}{{ end }}",
            "{{ if a }}x{{ else if b }}@{{ end }}",
        ),
        (
            "{{ with $values.A }}{{ .Value }}{{ end }}{{ .Value }}",
            "{{ with $values.A }}{{ .Value }}{{ end }}@",
        ),
        (
            "{{ with a }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}",
            "{{ with a }}{{ .Value }}{{ else }}@{{ end }}",
        ),
        (
            "{{ with a }}x{{ else with b }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}",
            "{{ with a }}x{{ else with b }}{{ .Value }}{{ else }}@{{ end }}",
        ),
        (
            "{{ range $values }}{{ .Value }}{{ $value }}{{ $.Value }}{{ end }}",
            "{{ range $values }}{{ .Value }}@@{{ end }}",
        ),
        (
            "{{ range a }}{{ if b }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}{{ end }}{{ .Value }}",
            "{{ range a }}{{ if b }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}{{ end }}@",
        ),
        (
            "{{- range a -}}{{ continue }}{{- end -}}{{ .Value }}",
            "{{- range a -}}{{ continue }}{{- end -}}@",
        ),
        (
            "{{ define \"x\" }}{{ if a }}{{ .Value }}{{ end }}{{ end }}{{ .Value }}",
            "{{ define \"x\" }}{{ if a }}{{ .Value }}{{ end }}{{ end }}@",
        ),
        (
            "{{ block \"x\" a }}{{ .Value }}{{ end }}{{ $value }}",
            "{{ block \"x\" a }}{{ .Value }}{{ end }}@",
        ),
        ("{{ with . }}{{ .Value }}{{ end }}", "{{ with . }}@{{ end }}"),
        ("{{ with $ }}{{ .Value }}{{ end }}", "{{ with $ }}@{{ end }}"),
        (
            "{{ with $a := . }}{{ .Value }}{{ else }}{{ .Value }}{{ end }}",
            "{{ with $a := . }}@{{ else }}@{{ end }}",
        ),
        (
            "{{ range a }}{{ with . }}{{ .Value }}{{ end }}{{ with $ }}{{ .Value }}{{ end }}{{ end }}",
            "{{ range a }}{{ with . }}{{ .Value }}{{ end }}{{ with $ }}@{{ end }}{{ end }}",
        ),
        (
            "{{ with a }}x{{ else with . }}{{ .Value }}{{ end }}",
            "{{ with a }}x{{ else with . }}@{{ end }}",
        ),
    ] {
        assert_eq!(rewritten(text), expected.replace('@', ALONE), "{text}");
    }
}

#[test]
fn leaves_a_variable_of_the_same_name_alone() {
    for (text, expected) in [
        (
            "{{ range $i, $value := a }}{{ $value }}{{ end }}{{ $value }}",
            format!("{{{{ range $i, $value := a }}}}{{{{ $value }}}}{{{{ end }}}}{ALONE}"),
        ),
        (
            "{{ range $value, $i := a }}{{ $value }}{{ end }}",
            "{{ range $value, $i := a }}{{ $value }}{{ end }}".to_owned(),
        ),
        (
            "{{ if a }}{{ $value := 1 }}{{ $value }}{{ end }}{{ $value }}",
            format!("{{{{ if a }}}}{{{{ $value := 1 }}}}{{{{ $value }}}}{{{{ end }}}}{ALONE}"),
        ),
        (
            "{{ $value := .Value | humanize }}{{ $value }}",
            format!("{DEFINITION}{{{{ $value := $__aw | humanize }}}}{{{{ $value }}}}"),
        ),
        (
            "{{ $value := 1 }}{{ $value }} {{ .Value }} {{ humanize $.Value }}",
            format!("{DEFINITION}{{{{ $value := 1 }}}}{{{{ $value }}}} {ALONE} {{{{ humanize $__aw }}}}"),
        ),
        (
            "{{ if a }}{{ $value = 1 }}{{ end }}{{ $value }}",
            "{{ if a }}{{ $value = 1 }}{{ end }}{{ $value }}".to_owned(),
        ),
    ] {
        assert_eq!(rewritten(text), expected, "{text}");
    }
}

#[test]
fn returns_a_text_without_the_value_as_it_is() {
    for text in [
        "",
        "plain",
        "a price of $value and a .Value",
        r#"{"a":{"b":"$value"}}"#,
        "{{ $values.B }} {{ $values.B.Value }} {{ $valueOf }} {{ $labels.value }}",
        r#"{{ "{{ $value }}" }} {{ `.Value` }} {{ "a\".Value" }} {{ '"' }}"#,
        "{{/* {{ $value }} */}}",
        "{{- /* \" */ -}}",
        "{{ .Values }} {{ .Value.Foo }} {{ $x.Value }} {{ (f).Value }} {{ .Labels.Value }} {{ 1.5 }} {{ .5 }}",
    ] {
        assert!(
            matches!(rewrite(text, "B"), Ok(Cow::Borrowed(same)) if same == text),
            "{text}"
        );
    }
}

#[test]
fn a_template_within_the_text_that_is_given_the_alert_means_the_number_too() {
    const WITHIN: &str = "{{ with $.Values.B }}{{ . }}{{ end }}";
    let definition = DEFINITION.replace("$values", "$.Values");
    for (text, expected) in [
        (
            "{{ define \"x\" }}{{ .Value }}{{ end }}{{ template \"x\" . }}",
            format!("{{{{ define \"x\" }}}}{WITHIN}{{{{ end }}}}{{{{ template \"x\" . }}}}"),
        ),
        (
            "{{ define `x` }}{{ humanize .Value }}{{ $.Value }}{{ end }}{{ template \"x\" $ }}{{ humanize $value }}",
            format!(
                "{DEFINITION}{{{{ define `x` }}}}{definition}{{{{ humanize $__aw }}}}{WITHIN}{{{{ end }}}}{{{{ template \"x\" $ }}}}\
                 {{{{ humanize $__aw }}}}"
            ),
        ),
        (
            "{{ define \"x\" -}} {{ humanize .Value }}{{ end }}{{ template \"x\" . }}",
            format!(
                "{{{{ define \"x\" -}}}}{} {{{{ humanize $__aw }}}}{{{{ end }}}}{{{{ template \"x\" . }}}}",
                definition.replace("{{- end }}", "{{- end -}}")
            ),
        ),
        (
            "{{ block \"x\" . }}{{ .Value }}{{ end }}",
            format!("{{{{ block \"x\" . }}}}{WITHIN}{{{{ end }}}}"),
        ),
    ] {
        assert_eq!(rewritten(text), expected, "{text}");
    }
    // Of these nobody knows what they are given, or they are given something else too.
    for text in [
        "{{ define \"x\" }}{{ .Value }}{{ $value }}{{ end }}",
        "{{ define \"x\" }}{{ .Value }}{{ end }}{{ template \"x\" . }}{{ template \"x\" $labels }}",
        "{{ define \"x\" }}{{ .Value }}{{ end }}{{ range $values }}{{ template \"x\" . }}{{ end }}",
        "{{ define \"x\" }}{{ .Value }}{{ end }}{{ template \"x\" }}",
    ] {
        assert_eq!(rewritten(text), text);
    }
}

#[test]
fn takes_the_number_from_the_node_it_is_told() {
    let text = rewrite("{{ $value }} {{ $value | humanize }}", "query").unwrap();
    assert!(text.contains("{{- if eq $k \"query\" -}}"), "{text}");
    assert!(text.contains("{{ with $values.query }}"), "{text}");
}

#[test]
fn names_the_place_of_a_mistake() {
    use Problem::{MissingEnd, Stray, UnclosedAction, UnclosedComment, UnclosedString};
    for (text, line, column, problem) in [
        ("{{ $value", 1, 1, UnclosedAction),
        ("ü {{ $value }", 1, 3, UnclosedAction),
        ("{{ $value {{ $value }}", 1, 1, UnclosedAction),
        ("a\nb {{", 2, 3, UnclosedAction),
        ("{{/* $value }}", 1, 1, UnclosedComment),
        ("{{ printf \"%f $value }}", 1, 11, UnclosedString),
        ("{{ printf \"%f\n\" $value }}", 1, 11, UnclosedString),
        ("{{ `a }}", 1, 4, UnclosedString),
        ("{{ \"\\\" }}", 1, 4, UnclosedString),
        ("{{ $value }}{{ end }}", 1, 13, Stray),
        ("{{ else }}", 1, 1, Stray),
        ("x {{ if a }}{{ $value }}", 1, 3, MissingEnd),
        ("{{ if a }}\n{{ range b }}{{ end }}", 1, 1, MissingEnd),
        ("{{ if a }}\n{{ range b }}", 2, 1, MissingEnd),
    ] {
        assert_eq!(
            rewrite(text, "B"),
            Err(TemplateError {
                line,
                column,
                problem
            }),
            "{text}"
        );
    }
    let message = rewrite("{{ if a }}", "B").unwrap_err().to_string();
    assert_eq!(
        message,
        "line 1, column 1: this block is never closed: {{ end }} is missing"
    );
}

#[test]
fn tells_which_texts_change_with_the_value() {
    for (text, expected) in [
        ("{{ $value }}", true),
        ("{{ if gt $value 5.0 }}critical{{ else }}warning{{ end }}", true),
        ("{{ .Value }}", true),
        ("{{ range a }}{{ $.Value }}{{ end }}", true),
        ("{{ $values.A.Value }}", true),
        ("{{ range .Values }}{{ end }}", true),
        ("{{ $labels.value }}", false),
        ("{{ range a }}{{ .Value }}{{ end }}", false),
        ("$value", false),
        ("{{ \"$value\" }}", false),
        ("critical", false),
        ("{{ $value", false),
    ] {
        assert_eq!(mentions_value(text), expected, "{text}");
    }
}

#[test]
fn names_what_grafana_does_not_have() {
    use Unknown::{Dash, Field, Function, Query, Variable, Within};
    let all: [(&str, &[Unknown]); 15] = [
        (
            "{{ humanize $value }} {{ .Labels.a }} {{ index $labels \"a\" }} {{ $.Values.A }} {{ $values }}",
            &[],
        ),
        (
            "{{ if and true (not (eq .Value 1.5)) }}{{ printf \"%v\" nil }}{{ else }}{{ len $labels }}{{ end }}",
            &[],
        ),
        (
            "{{ range $k, $v := $labels }}{{ $k }}{{ $v }}{{ end }} {{ $x := 1 }}{{ $x }} {{ $ }}",
            &[],
        ),
        (
            "humanise $x .Other {{ \"humanise\" }} {{/* humanise */}} {{ 1e3 }} {{ 0x1F }}",
            &[],
        ),
        (
            "{{ humanise $value }} {{ humanise 1 }}",
            &[Function("humanise".into())],
        ),
        (
            "{{ with query \"up\" }}{{ . | first | value }}{{ end }}",
            &[
                Query("first".into()),
                Query("query".into()),
                Query("value".into()),
            ],
        ),
        (
            "{{ $externalLabels.cluster }}",
            &[Variable("$externalLabels".into())],
        ),
        (
            "{{ define \"x\" }}{{ $labels }}{{ $ }}{{ end }}",
            &[Within("$labels".into())],
        ),
        (
            "{{ define \"x\" }}{{ $a := . }}{{ end }}{{ $a }}",
            &[Variable("$a".into())],
        ),
        (
            "{{ .ExternalLabels.cluster }} {{ $.ExternalURL }}",
            &[Field(".ExternalLabels".into()), Field(".ExternalURL".into())],
        ),
        ("{{ range $values }}{{ .Whatever }}{{ end }}", &[]),
        (
            "{{ define \"x\" }}{{ .Own }}{{ end }}{{ template \"x\" . }}",
            &[Field(".Own".into())],
        ),
        ("{{ humanise", &[]),
        (
            "{{ $labels.my-label }} {{ if eq .Labels.a-1-first \"x\" }}{{ end }}",
            &[Dash("a-1-first".into()), Dash("my-label".into())],
        ),
        ("{{ $labels.a_b }}-{{ .Labels.c -}}", &[]),
    ];
    for (text, expected) in all {
        assert_eq!(unknown(text).into_iter().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn checks_that_everything_is_closed_and_no_more() {
    for good in [
        "",
        "{{ humanise .Whatever $x }}",
        "{{ if a }}{{ end }}",
        "a } b }} c",
        "{ {",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for (bad, problem) in [
        ("{{ .CommonLabels", Problem::UnclosedAction),
        ("{{ range .Alerts }}", Problem::MissingEnd),
        ("{{ end }}", Problem::Stray),
    ] {
        assert_eq!(check(bad).map_err(|e| e.problem), Err(problem), "{bad}");
    }
}

/// Work that grows with the square of this length doesn't end within the time that anybody waits for a test.
#[test]
fn a_text_of_nothing_but_blocks_is_read_in_one_go() {
    let many = 1 << 18;
    assert!(rewrite(&"{{if .Value}}".repeat(many), "B").is_err());
    let many = 1 << 12;
    for text in [
        format!("{}{}", "{{if .Value}}".repeat(many), "{{end}}".repeat(many)),
        "{{define \"x\"}}{{.Value}}{{end}}{{template \"x\" .}}".repeat(many),
        "{{".repeat(many),
        "{{/*".repeat(many),
        "{{`".repeat(many),
        format!("{{{{ {} }}}}", "$value, ".repeat(many)),
        format!("{{{{ {} }}}}", ".Value".repeat(many)),
    ] {
        let _ = (
            rewrite(&text, "B"),
            mentions_value(&text),
            unknown(&text),
            check(&text),
        );
    }
}

proptest! {
    #[test]
    fn never_panics(text in "(?s).{0,40}|(\\{\\{-? ?|\\$value|\\.Value|end|if |with |range |else|\"|`|/\\*|\\*/|:=| ?-?\\}\\}|ü|\n){0,16}") {
        let _ = (mentions_value(&text), unknown(&text), check(&text), calls(&text));
        if let Ok(rewritten) = rewrite(&text, "B") {
            prop_assert!(rewrite(&rewritten, "B").is_ok(), "{}", rewritten);
        }
    }

    #[test]
    fn keeps_every_word_around_the_value(before in "[^{]{0,12}", after in "[^{]{0,12}") {
        prop_assert_eq!(rewritten(&format!("{before}{{{{ $value }}}}{after}")), format!("{before}{ALONE}{after}"));
    }
}

#[test]
fn the_templates_that_a_text_calls_and_does_not_define_are_known() {
    for (text, called) in [
        (
            "{{ template \"a\" . }}{{template `b`}}{{- template \"a\" $ -}}",
            &["a", "b"][..],
        ),
        (
            "{{ define \"a\" }}{{ template \"b\" . }}{{ end }}{{ template \"a\" . }}",
            &["b"],
        ),
        ("{{ block \"a\" . }}{{ end }}{{ template \"a\" . }}", &[]),
        ("{{ if .Labels }}{{ template \"a\" . }}{{ end }}", &["a"]),
        (
            "{{ (tmpl.Exec \"a\" . | data.JSON).x }}{{ $y := tmpl.Exec `b` . }}",
            &["a", "b"],
        ),
        ("{{/* template `a` */}}{{ \"template\" }}{{ x.Exec `a` }}", &[]),
        ("{{ template \"a\" . }}{{ if }", &["a"]),
    ] {
        assert_eq!(calls(text).into_iter().collect::<Vec<_>>(), called, "{text}");
    }
}
