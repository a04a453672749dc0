use std::fmt::Write;

use super::*;
use crate::domain::lint::finding::{Finding, Part, SCHEMA};
use crate::domain::lint::path::Path as Field;

const RULE: &str = "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata:\n  name: a\n";

fn read(text: &str) -> (Vec<Source>, Resources) {
    let sources = vec![Source::new("a.yaml", text.to_owned())];
    let resources = resources(&sources, "revel");
    (sources, resources)
}

/// What is shown of a field: line, column, and the text.
fn shown(text: &str, field: &str, part: Part) -> (usize, usize, String) {
    let (sources, read) = read(text);
    assert!(read.problems.is_empty(), "{:#?}", read.problems);
    let finding = Finding::new(&SCHEMA, 0, Field::parse(field), "").at(part);
    let spot = read.spot(&sources, &finding).unwrap();
    let text = sources[0]
        .text
        .get(spot.bytes.0..spot.bytes.1)
        .unwrap()
        .to_owned();
    (spot.start.0, spot.start.1, text)
}

#[test]
fn documents_lists_and_other_groups_are_told_apart() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: alerting.letsrevel.io/v1alpha1, kind: Silence, metadata: {name: s, namespace: shop}}\n- {apiVersion: v1, kind: Secret}\n";
    let text = format!(
        "# head\n---\n{RULE}---\n{config}---\n---\n{list}--- # json\n{{\"apiVersion\": \"alerting.letsrevel.io/v1alpha1\", \"kind\": \"ContactPoint\"}}\n"
    );
    let (_, read) = read(&text);
    let called: Vec<_> = read
        .objects
        .iter()
        .map(|o| (o.kind.as_str(), o.namespace.as_str(), o.name.as_str()))
        .collect();
    assert_eq!(
        called,
        [
            ("AlertRule", "revel", "a"),
            ("Silence", "shop", "s"),
            ("ContactPoint", "revel", "")
        ]
    );
    assert_eq!((read.others, read.problems.len()), (2, 0));
}

#[test]
fn a_document_that_cannot_be_read_hurts_no_other() {
    let text = format!("{RULE}spec:\n  a: [1\n---\n{RULE}");
    let (_, read) = read(&text);
    assert_eq!(read.objects.len(), 1);
    let [problem] = read.problems.as_slice() else {
        panic!("{:#?}", read.problems)
    };
    assert_eq!(problem.rule.name, "yaml");
    let (_, twice) = self::read("a: 1\nb: 2\na: 3\n");
    assert_eq!(
        (twice.problems[0].message.as_str(), twice.problems[0].spot.start),
        ("a is given twice in one mapping", (3, 1))
    );
}

#[test]
fn numbers_that_json_does_not_have_are_refused_as_kubectl_does() {
    for (value, is_refused) in [
        (".inf", true),
        ("-.Inf", true),
        ("+.INF", true),
        (".nan", true),
        ("\".inf\"", false),
        (".infinite", false),
        ("-.nan", false),
    ] {
        let (_, read) = read(&format!("{RULE}spec:\n  labels: {{a: {value}}}\n"));
        let told: Vec<_> = read
            .problems
            .iter()
            .map(|problem| (problem.rule.name, problem.spot.start))
            .collect();
        let expected = if is_refused {
            vec![("yaml", (6, 15))]
        } else {
            vec![]
        };
        assert_eq!(told, expected, "{value}");
    }
    // A key is made a text of.
    let (_, read) = read(&format!("{RULE}spec:\n  labels: {{.inf: a}}\n"));
    assert!(read.problems.is_empty(), "{:#?}", read.problems);
}

#[test]
fn templates_that_nobody_has_rendered_are_named_as_that() {
    for (text, line, column) in [
        (format!("{RULE}spec:\n  query: {{{{ .Values.query }}}}\n"), 6, 10),
        (format!("{{{{- if .Values.on }}}}\n{RULE}{{{{- end }}}}\n"), 1, 1),
        (
            format!("{RULE}  labels:\n    {{{{- include \"x\" . | nindent 4 }}}}\n"),
            6,
            5,
        ),
        (
            format!("{RULE}spec:\n  routes:\n  - {{{{ .Values.route }}}}\n"),
            7,
            5,
        ),
    ] {
        let (_, read) = read(&text);
        let [problem] = read.problems.as_slice() else {
            panic!("{text}: {:#?}", read.problems)
        };
        assert_eq!(
            (problem.rule.name, problem.spot.start),
            ("helm-braces", (line, column)),
            "{text}"
        );
    }
}

#[test]
fn a_byte_of_a_text_is_found_however_the_text_is_written() {
    let value = "sum(rate(x[5m])\n) > 5 ü";
    let at = value.find('>').unwrap();
    for (written, line, column) in [
        ("query: |\n    sum(rate(x[5m])\n    ) > 5 ü\n", 7, 7),
        ("query: |4-\n      sum(rate(x[5m])\n      ) > 5 ü\n", 7, 9),
        ("query: \"sum(rate(x[5m])\\n) > 5 \\u00fc\"\n", 5, 30),
        ("query: 'sum(rate(x[5m])\n\n    ) > 5 ü'\n", 7, 7),
        ("query:\n    sum(rate(x[5m])\n\n    ) > 5 ü\n", 8, 7),
        ("query: >-\n    sum(rate(x[5m])\n\n    ) > 5 ü\n", 8, 7),
    ] {
        let text =
            format!("{RULE}spec:\n  {written}").replace("metadata:\n  name: a\n", "metadata: {name: a}\n");
        let (_, read) = read(&text);
        let query = read.objects[0].spec()["query"].as_str().unwrap();
        assert_eq!(query.trim(), value, "{written}");
        let at = query.find('>').unwrap_or(at);
        let (found_line, found_column, _) = shown(&text, "spec.query", Part::Byte(at));
        assert_eq!((found_line, found_column), (line, column), "{text}");
        let end = shown(&text, "spec.query", Part::Byte(query.trim().len()));
        assert_eq!(end.0, line, "the end of {text}");
    }
}

#[test]
fn what_is_not_there_is_shown_at_what_holds_it() {
    let text = format!("{RULE}spec:\n  labels: {{team: web}}\n  data:\n  - refId: A\n");
    for (field, part, expected) in [
        ("spec.labels.team", Part::Value, (6, 18, "web")),
        ("spec.labels.team", Part::Key, (6, 12, "team")),
        ("spec.labels", Part::Value, (6, 3, "labels")),
        ("spec.labels.other", Part::Value, (6, 3, "labels")),
        ("spec.query", Part::Value, (5, 1, "spec")),
        ("spec.data[0].model", Part::Value, (8, 5, "refId")),
        ("", Part::Key, (1, 1, "apiVersion")),
        ("metadata.name", Part::Value, (4, 9, "a")),
    ] {
        let (line, column, text) = shown(&text, field, part);
        assert_eq!((line, column, text.as_str()), expected, "{field}");
    }
}

#[test]
fn aliases_are_what_they_stand_for_and_fill_no_memory() {
    let text =
        format!("{RULE}spec:\n  labels: &l {{team: web}}\n  annotations:\n    <<: *l\n    summary: s\n");
    let (_, found) = read(&text);
    assert_eq!(
        found.objects[0].spec()["annotations"],
        serde_json::json!({"team": "web", "summary": "s"})
    );
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let all = vec![format!("*a{}", i - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{i}: &a{i} [{all}]");
    }
    for hostile in [
        bomb,
        "a: &a [*a]\n".to_owned(),
        "[".repeat(100_000),
        "? [a]\n: b\n".to_owned(),
    ] {
        let (_, read) = read(&hostile);
        assert_eq!(
            (read.objects.len(), read.problems.len()),
            (0, 1),
            "{}",
            hostile.get(..40).unwrap_or(&hostile)
        );
    }
}

#[test]
fn whatever_bytes_are_there_reading_them_ends() {
    use proptest::prelude::*;
    let part = prop_oneof![
        Just("---\n".to_owned()),
        Just(RULE.to_owned()),
        Just("spec:\n  query: |\n    a\n".to_owned()),
        "[ \\n\\t:{}\\[\\]&*!|>'\"%#,?ü-]{0,12}",
    ];
    proptest!(|(parts in proptest::collection::vec(part, 0..8))| {
        let text = parts.concat();
        let (sources, read) = read(&text);
        for (i, _) in read.objects.iter().enumerate() {
            for part in [Part::Key, Part::Value, Part::Byte(3)] {
                let finding = Finding::new(&SCHEMA, i, Field::parse("spec.query"), "").at(part);
                let spot = read.spot(&sources, &finding).expect("a place");
                prop_assert!(sources[0].text.get(spot.bytes.0..spot.bytes.1).is_some());
            }
        }
    });
}

#[test]
fn what_an_api_server_would_refuse_is_told_with_its_line() {
    let refused = |spec: &str| {
        let (sources, read) = read(&format!("{RULE}spec:\n{spec}"));
        refusal(&read, &sources, &Schemas::default(), 0, &read.objects[0])
    };
    let number = refused("  query: up > 1\n  for: 5\n").unwrap();
    assert!(number.starts_with("a.yaml:7: AlertRule a: "), "{number}");
    let slip = refused("  query: up > 1\n  sevrity: high\n").unwrap();
    assert!(
        slip.starts_with("a.yaml:7: AlertRule a: ") && slip.contains("severity"),
        "{slip}"
    );
    assert_eq!(refused("  query: up > 1\n  severity: high\n"), None);
}
