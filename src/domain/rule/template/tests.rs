use proptest::prelude::*;

use super::*;

const DEFINITION: &str = "{{- $value := 0.0 -}}{{- range $k, $v := $values -}}{{- if eq $k \"B\" -}}\
                          {{- $value = $v.Value -}}{{- end -}}{{- end }}";
const ALONE: &str = "{{ with $values.B }}{{ . }}{{ end }}";

fn rewritten(text: &str) -> String {
    rewrite_annotation(text, "B")
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
        ("{{ printf \"%.2f\" $value }}", "{{ printf \"%.2f\" $value }}"),
        ("{{ $value | humanize }}%", "{{ $value | humanize }}%"),
        ("{{ .Value | humanize }}", "{{ $value | humanize }}"),
        ("{{ humanizeDuration $.Value }}", "{{ humanizeDuration $value }}"),
        ("{{ humanize ($value) }}", "{{ humanize ($value) }}"),
        (
            "{{if gt $value 5.0}}many{{end}}",
            "{{if gt $value 5.0}}many{{end}}",
        ),
        ("{{if.Value}}some{{end}}", "{{if $value}}some{{end}}"),
        ("{{ $x := .Value }}{{ $x }}", "{{ $x := $value }}{{ $x }}"),
        (
            "{{ with .Value }}{{ . }}{{ end }}",
            "{{ with $value }}{{ . }}{{ end }}",
        ),
        (
            "{{ $value }} = {{ $value | humanize }}",
            &format!("{ALONE} = {{{{ $value | humanize }}}}"),
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
            format!("{DEFINITION}{{{{ $value := $value | humanize }}}}{{{{ $value }}}}"),
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
            matches!(rewrite_annotation(text, "B"), Ok(Cow::Borrowed(same)) if same == text),
            "{text}"
        );
    }
}

#[test]
fn takes_the_number_from_the_node_it_is_told() {
    let text = rewrite_annotation("{{ $value }} {{ $value | humanize }}", "query").unwrap();
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
            rewrite_annotation(text, "B"),
            Err(TemplateError {
                line,
                column,
                problem
            }),
            "{text}"
        );
    }
    let message = rewrite_annotation("{{ if a }}", "B").unwrap_err().to_string();
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

proptest! {
    #[test]
    fn never_panics(text in "(?s).{0,40}|(\\{\\{-? ?|\\$value|\\.Value|end|if |with |range |else|\"|`|/\\*|\\*/|:=| ?-?\\}\\}|ü|\n){0,16}") {
        let _ = mentions_value(&text);
        if let Ok(rewritten) = rewrite_annotation(&text, "B") {
            prop_assert!(rewrite_annotation(&rewritten, "B").is_ok(), "{}", rewritten);
        }
    }

    #[test]
    fn keeps_every_word_around_the_value(before in "[^{]{0,12}", after in "[^{]{0,12}") {
        prop_assert_eq!(rewritten(&format!("{before}{{{{ $value }}}}{after}")), format!("{before}{ALONE}{after}"));
    }
}
