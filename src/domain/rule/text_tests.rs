use super::*;

#[test]
fn the_value_in_annotations_is_the_number_that_was_compared() {
    let text = "{{ $value }} errors";
    let annotations = json!({ "annotations": {"summary": text, "plain": "{{ $labels.app }}"} });
    let rule = wished(annotations.clone()).rule;
    assert_eq!(
        rule.annotations["summary"],
        "{{ with $values.B }}{{ . }}{{ end }} errors"
    );
    assert_eq!(rule.annotations["plain"], "{{ $labels.app }}");
    // Nothing is split off: the value is the query's own.
    let mut whole = spec(annotations.clone());
    whole.query = Some("vector(1)".into());
    let rule = wish_in(&whole, |_| {}).unwrap().rule;
    assert_eq!(
        rule.annotations["summary"],
        "{{ with $values.A }}{{ . }}{{ end }} errors"
    );
    // What is taken verbatim stays verbatim.
    let mut verbatim = spec(annotations);
    verbatim.query = None;
    verbatim.condition = Some("A".into());
    verbatim.data =
        serde_json::from_value(json!([{"refId": "A", "datasourceUid": "x", "model": {}}])).unwrap();
    let rule = wish_in(&verbatim, |_| {}).unwrap().rule;
    assert_eq!(rule.annotations["summary"], text);
}

#[test]
fn an_annotation_that_is_no_template_is_refused_by_its_name() {
    let refusal = refused(json!({ "annotations": {"summary": "{{ $value"} }));
    assert_eq!(refusal.reason, Reason::Invalid);
    assert!(
        refusal.message.starts_with("spec.annotations[summary]: "),
        "{}",
        refusal.message
    );
}

#[test]
fn the_value_in_a_label_is_the_number_too_and_is_warned_of() {
    let wish = wished(json!({ "labels": {
        "meta": "{{ $value }} nodes", "level": "{{ if gt $value 90.0 }}critical{{ else }}warning{{ end }}", "app": "{{ $labels.app }}",
    } }));
    let labels = &wish.rule.labels;
    assert_eq!(labels["meta"], "{{ with $values.B }}{{ . }}{{ end }} nodes");
    assert!(
        labels["level"].ends_with("{{ if gt $__aw 90.0 }}critical{{ else }}warning{{ end }}"),
        "{}",
        labels["level"]
    );
    assert_eq!(labels["app"], "{{ $labels.app }}");
    let fields: Vec<_> = wish.warnings.iter().filter_map(|w| w.split(' ').next()).collect();
    assert_eq!(
        fields,
        ["spec.labels[level]", "spec.labels[meta]"],
        "{:?}",
        wish.warnings
    );
    let refusal = refused(json!({ "labels": {"a": "{{ if"} }));
    assert!(
        refusal.message.starts_with("spec.labels[a]: "),
        "{}",
        refusal.message
    );
}

#[test]
fn labels_of_the_instance_mean_the_number_too_and_are_told_as_its_own() {
    let labels = strings(&[("level", "{{ $value }}"), ("team", "a")]);
    let wish = wish_on(&spec(json!({ "labels": {"team": "b"} })), &labels, |_| {}).unwrap();
    assert_eq!(wish.rule.labels["level"], "{{ with $values.B }}{{ . }}{{ end }}");
    assert_eq!(wish.rule.labels["team"], "b");
    assert_eq!(wish.warnings.len(), 1, "{:?}", wish.warnings);
    assert!(wish.warnings[0].starts_with("the instance's labels[level] holds the value"));
}

#[test]
fn what_grafana_does_not_have_is_told_with_its_field() {
    let wish = wished(
        json!({ "annotations": {"a": "{{ query \"up\" }}{{ $value }}", "b": "{{ humanise $value }}"} }),
    );
    assert_eq!(
        wish.warnings,
        [
            "spec.annotations[a]: query asks the data source again, which Grafana never does: it finds nothing",
            "spec.annotations[b]: Grafana has no function humanise, and shows the whole text as it is written",
        ]
    );
    assert!(wish.rule.annotations["a"].ends_with("{{ with $values.B }}{{ . }}{{ end }}"));
    let mut verbatim = spec(json!({ "annotations": {"a": "{{ $value"} }));
    verbatim.query = None;
    verbatim.condition = Some("A".into());
    verbatim.data =
        serde_json::from_value(json!([{"refId": "A", "datasourceUid": "x", "model": {}}])).unwrap();
    let wish = wish_in(&verbatim, |_| {}).unwrap();
    assert_eq!(wish.warnings.len(), 1, "{:?}", wish.warnings);
    assert!(wish.warnings[0].starts_with("spec.annotations[a]: line 1, column 1"));
}

#[test]
fn half_a_link_to_a_dashboard_is_refused_by_its_annotation() {
    for (annotations, start) in [
        (
            json!({"__dashboardUid__": "d"}),
            "spec.annotations[__dashboardUid__]: needs __panelId__",
        ),
        (
            json!({"__panelId__": "7"}),
            "spec.annotations[__panelId__]: needs __dashboardUid__",
        ),
        (
            json!({"__dashboardUid__": "d", "__panelId__": "seven"}),
            "spec.annotations[__panelId__]: must be the panel's number",
        ),
    ] {
        let refusal = refused(json!({ "annotations": annotations }));
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.starts_with(start), "{}", refusal.message);
    }
    let whole = wished(json!({ "annotations": {"__dashboardUid__": "d", "__panelId__": "7"} }));
    assert_eq!(whole.rule.annotations["__panelId__"], "7");
}
