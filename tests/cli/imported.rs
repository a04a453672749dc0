//! `alertwright import`: what people write for other programs means the same in the resources.

use serde_json::{Value, json};

use super::{run, text};

/// What is written, what is said of it, and how it ends.
fn import(input: &str, more: &[&str]) -> (String, String, i32) {
    let output = run(&[&["import", "-f", "-"][..], more].concat(), input);
    let code = output.status.code().unwrap_or(-1);
    (text(&output.stdout), text(&output.stderr), code)
}

/// The resources that come of it.
fn made(input: &str, more: &[&str]) -> Vec<Value> {
    let (all, said, _) = import(input, more);
    let all = all.split("---\n").filter(|text| !text.trim().is_empty());
    let all: Vec<Value> = all
        .filter_map(|text| serde_saphyr::from_str::<Value>(text).ok())
        .filter(Value::is_object)
        .collect();
    assert!(!all.is_empty(), "{said}");
    all
}

/// What isn't carried over, by what it is called.
fn left(input: &str, more: &[&str]) -> Vec<(String, String)> {
    let (_, said, _) = import(input, &[&["-o", "json"][..], more].concat());
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let left = report["notCarriedOver"].as_array().unwrap().iter();
    let word = |left: &Value, field: &str| left[field].as_str().unwrap().to_owned();
    left.map(|left| (word(left, "source"), word(left, "why")))
        .collect()
}

const RULES: &str = "
groups:
- name: off
  interval: 0
  labels: {of: 0x10}
  rules:
  - alert: 404
    expr: EXPR
    for: 0
    labels: {a: 0777, b: yes, c: 1.10, d: n, e: .inf, f: 2024-01-01, g: 1_000}
    annotations: {runbook: 1.10, is: On}
  - {alert: yes, expr: 1e3}
";

#[test]
fn plain_texts_of_a_rule_file_stay_as_they_are_written() {
    for (from, expr) in [
        ("prometheus", "up == 0"),
        ("loki", "'sum(rate({app=\"a\"}[5m])) > 0'"),
    ] {
        let rules = RULES.replace("EXPR", expr);
        let (_, said, code) = import(&rules, &["--from", from]);
        assert_eq!(code, 0, "{said}");
        let all = made(&rules, &["--from", from]);
        let spec = &all[0]["spec"];
        assert_eq!(all[0]["metadata"]["name"], "404", "{spec}");
        assert_eq!(spec["group"], "imported: off", "{spec}");
        for (label, value) in [
            ("of", "0x10"),
            ("a", "0777"),
            ("b", "yes"),
            ("c", "1.10"),
            ("d", "n"),
            ("e", ".inf"),
            ("f", "2024-01-01"),
            ("g", "1_000"),
        ] {
            assert_eq!(spec["labels"][label], value, "{label}");
        }
        assert_eq!(spec["annotations"]["runbook"], "1.10");
        assert_eq!(spec["annotations"]["is"], "On");
        assert_eq!(all[1]["spec"]["query"], "1e3");
    }
}

#[test]
fn plain_texts_of_an_alertmanager_stay_as_they_are_written() {
    let input = "
route:
  receiver: on
  group_by: [1.10, y]
  routes:
  - match: {enabled: yes, version: 1.10, oct: 0777}
    match_re: {x: 0x10}
    continue: yes
receivers:
- name: on
  slack_configs: [{api_url: https://x.example/s3cr3t, channel: 0123, send_resolved: no}]
";
    let all = made(input, &[]);
    let of = |kind: &str| &all.iter().find(|one| one["kind"] == kind).unwrap()["spec"];
    let policy = of("NotificationPolicy");
    assert_eq!(policy["groupBy"], serde_json::json!(["1.10", "y"]), "{policy}");
    let route = &policy["routes"][0];
    assert_eq!(
        route["matchers"],
        serde_json::json!([
            "enabled=\"yes\"",
            "oct=\"0777\"",
            "version=\"1.10\"",
            "x=~\"0x10\""
        ]),
        "{route}"
    );
    assert_eq!(route["continue"], true);
    let point = of("ContactPoint").to_string();
    assert!(point.contains("\"0123\""), "{point}");
    assert!(point.contains("\"disableResolveMessage\":true"), "{point}");
}

#[test]
fn what_kubectl_reads_is_taken_as_kubectl_does_and_each_alert_that_is_lost_is_named() {
    let of = |name: &str, label: &str| {
        format!(
            "
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {{name: a}}
spec:
  groups:
  - name: {name}
    rules:
    - {{alert: One, expr: up == 0, labels: {{a: {label}}}}}
    - {{alert: Two, expr: up == 0}}
"
        )
    };
    let lost = left(&of("off", "x"), &[]);
    assert_eq!(
        lost,
        [
            (
                "false/One".to_owned(),
                "its group can't be read: name: a text is expected, and this is false; put it in quotes"
                    .to_owned()
            ),
            (
                "false/Two".to_owned(),
                "its group can't be read: name: a text is expected, and this is false; put it in quotes"
                    .to_owned()
            ),
        ]
    );
    let lost = left(&of("g", "yes"), &[]);
    assert_eq!(
        lost,
        [(
            "g/One".to_owned(),
            "can't be read: labels.a: a text is expected, and this is true; put it in quotes".to_owned()
        )]
    );
    // It is the API server that would refuse it.
    let lost = left(&of("g", ".inf"), &[]);
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].1.contains("kubectl refuses it"), "{lost:?}");
}

/// The only resource of a kind.
fn of<'a>(all: &'a [Value], kind: &str) -> &'a Value {
    let mut found = all.iter().filter(|one| one["kind"] == kind);
    let first = found.next().unwrap_or_else(|| panic!("no {kind}: {all:?}"));
    assert!(found.next().is_none(), "several of {kind}: {all:?}");
    &first["spec"]
}

/// What isn't carried over of the resources, all of it.
fn lost(input: &str) -> Vec<String> {
    let (_, said, _) = import(input, &["-o", "json"]);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let all = report["resources"].as_array().unwrap().iter();
    let all = all.flat_map(|made| made["lost"].as_array().unwrap().iter());
    all.map(|lost| lost.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_recording_rule_of_grafanas_writes_where_it_says() {
    let rule = |model: &str, target: &str| {
        format!(
            "
groups:
- name: g
  folder: F
  interval: 60s
  rules:
  - uid: r
    title: rec
    data: [{{refId: A, relativeTimeRange: {{from: 300, to: 0}}, datasourceUid: prom, model: {{{model}expr: up, instant: true, refId: A}}}}]
    record: {{metric: x_y, from: A, {target}}}
"
        )
    };
    let typed = "datasource: {type: prometheus, uid: prom}, ";
    for model in [typed, ""] {
        for field in [
            "targetDatasourceUid",
            "targetDatasourceUID",
            "target_datasource_uid",
        ] {
            let input = rule(model, &format!("{field}: zz"));
            let all = made(&input, &[]);
            let spec = of(&all, "AlertRule");
            assert_eq!(spec["record"]["targetDatasource"]["uid"], "zz", "{spec}");
            assert_eq!(import(&input, &[]).2, 0, "{field}");
        }
    }
}

#[test]
fn a_data_source_whose_type_nobody_says_is_not_known_and_one_that_is_neither_is_told() {
    let rule = |model: &str| {
        format!(
            "
groups:
- name: g
  folder: F
  interval: 1m
  rules:
  - title: T
    condition: C
    data:
    - {{refId: A, relativeTimeRange: {{from: 600, to: 0}}, datasourceUid: PROM, model: {{{model}expr: up, instant: true, refId: A}}}}
    - {{refId: B, datasourceUid: __expr__, model: {{type: reduce, reducer: last, expression: A, refId: B}}}}
    - {{refId: C, datasourceUid: __expr__, model: {{type: threshold, expression: B, refId: C, conditions: [{{evaluator: {{type: gt, params: [5]}}}}]}}}}
"
        )
    };
    let (_, said, _) = import(&rule(""), &[]);
    assert!(
        said.contains("of which type its data source is isn't known"),
        "{said}"
    );
    let (_, said, _) = import(&rule("datasource: {type: mysql, uid: PROM}, "), &[]);
    assert!(
        said.contains("its data source is neither Loki nor Prometheus"),
        "{said}"
    );
}

#[test]
fn an_annotation_that_grafana_shows_otherwise_is_carried_over_and_no_loss() {
    let input = "
groups:
- name: g
  rules:
  - alert: A
    expr: up == 0
    annotations: {description: '{{ with query \"up\" }}{{ . | first | value }}{{ end }}'}
";
    let input = input.replace("\\\"", "\"");
    let (written, said, code) = import(&input, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("0 with a loss"), "{said}");
    let told = "# carried over as it is: annotations.description: query asks the data source again";
    assert_eq!(written.to_lowercase().matches(told).count(), 1, "{written}");
    // A label decides where an alert goes.
    let (_, said, code) = import(&input.replace("annotations:", "labels:"), &[]);
    assert_eq!(code, 4, "{said}");
}

#[test]
fn a_branch_is_muted_and_active_as_the_route_at_its_top() {
    let input = "
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: c, namespace: shop}
spec:
  route: {receiver: r, groupBy: [job], muteTimeIntervals: [we], activeTimeIntervals: [office, nowhere]}
  receivers: [{name: r, webhookConfigs: [{url: 'https://x.example'}]}]
  muteTimeIntervals:
  - {name: we, timeIntervals: [{weekdays: [saturday]}]}
  - {name: office, timeIntervals: [{weekdays: ['monday:friday']}]}
";
    let all = made(input, &[]);
    let policy = of(&all, "NotificationPolicy");
    assert_eq!(
        policy["muteTimeIntervals"],
        serde_json::json!(["shop-c-we"]),
        "{policy}"
    );
    assert_eq!(
        policy["activeTimeIntervals"],
        serde_json::json!(["shop-c-office"]),
        "{policy}"
    );
    assert_eq!(
        policy["activeTimeIntervalRefs"],
        serde_json::json!([{"grafanaName": "shop/c/nowhere"}]),
        "{policy}"
    );
    assert_eq!(policy.get("muteTimeIntervalRefs"), None);
    assert_eq!(lost(input), [""; 0]);
}

#[test]
fn a_folder_of_grafana_operator_is_in_those_above_it_and_one_that_is_not_read_is_told() {
    let of_parent = |parent: &str| {
        format!(
            "
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaAlertRuleGroup
metadata: {{name: g}}
spec:
  folderRef: own
  interval: 5m
  editable: true
  rules:
  - {{uid: u, title: T, condition: A, data: [{{refId: A, datasourceUid: p, relativeTimeRange: {{from: 600}}, model: {{expr: up}}}}]}}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaFolder
metadata: {{name: own}}
spec: {{title: My Folder, {parent}}}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaFolder
metadata: {{name: above}}
spec: {{title: A/B, uid: zz, parentFolderRef: top}}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaFolder
metadata: {{name: top}}
spec: {{title: Top}}
"
        )
    };
    for parent in ["parentFolderRef: above", "parentFolderUID: zz"] {
        let input = of_parent(parent);
        let all = made(&input, &[]);
        let spec = of(&all, "AlertRule");
        assert_eq!(spec["folder"], r"Top/A\/B/My Folder", "{parent}: {spec}");
        assert_eq!(spec["editable"], true);
        assert_eq!(lost(&input), [""; 0]);
    }
    for (parent, told) in [
        ("parentFolderRef: none", "folder: it is in GrafanaFolder none,"),
        (
            "parentFolderUID: none",
            "folder: it is in the folder with the uid none,",
        ),
        ("parentFolderRef: own", "folder: GrafanaFolder own is in itself"),
    ] {
        let lost = lost(&of_parent(parent));
        assert_eq!(lost.len(), 1, "{parent}: {lost:?}");
        assert!(lost[0].starts_with(told), "{lost:?}");
    }
}

#[test]
fn what_is_of_several_organisations_of_grafanas_is_told() {
    let of_orgs = |second: u8| {
        format!(
            "
contactPoints:
- {{orgId: 1, name: cp, receivers: [{{uid: a, type: email, settings: {{addresses: a@example.org}}}}]}}
- {{orgId: {second}, name: cp2, receivers: [{{uid: c, type: email, settings: {{addresses: c@example.org}}}}]}}
muteTimes:
- {{name: n, time_intervals: [{{months: ['1']}}]}}
"
        )
    };
    assert_eq!((left(&of_orgs(1), &[]), lost(&of_orgs(1))), (vec![], vec![]));
    let told = left(&of_orgs(2), &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].0 == "orgId" && told[0].1.contains("organisations 1, 2,"),
        "{told:?}"
    );
    let lost = lost(&of_orgs(2));
    assert_eq!(
        lost.iter().filter(|lost| lost.starts_with("orgId 2: ")).count(),
        1,
        "{lost:?}"
    );
}

#[test]
fn a_policy_of_grafana_operator_that_selects_routes_which_are_not_read_is_told() {
    let policy = "
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaNotificationPolicy
metadata: {name: p}
spec: {route: {receiver: mail, routes: [{receiver: mail, routeSelector: {matchLabels: {a: b}}}]}}
";
    let route = "
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaNotificationPolicyRoute
metadata: {name: r, labels: {a: b}}
spec: {receiver: mail, object_matchers: [[team, =, a]]}
";
    let told = left(policy, &[]);
    assert!(
        told.len() == 1
            && told[0]
                .1
                .starts_with("routeSelector: no GrafanaNotificationPolicyRoute"),
        "{told:?}"
    );
    let told = left(&format!("{policy}{route}"), &[]);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn routes_of_grafana_operator_stand_where_they_are_selected_and_end_there() {
    let of = |kind: &str, name: &str, labels: &str, spec: &str| {
        format!(
            "---\napiVersion: grafana.integreatly.org/v1beta1\nkind: {kind}\nmetadata: {{name: {name}, namespace: n, labels: {{{labels}}}}}\nspec: {spec}\n"
        )
    };
    let point = of(
        "GrafanaContactPoint",
        "mail",
        "",
        "{name: mail, type: email, settings: {addresses: a@b.example}}",
    );
    let policy = of(
        "GrafanaNotificationPolicy",
        "p",
        "",
        "{route: {receiver: mail, group_by: [a], routeSelector: {matchLabels: {at: top}}}}",
    );
    let route = |name: &str, at: &str, more: &str| {
        let spec = format!("{{receiver: mail, object_matchers: [[q, =, {name}]]{more}}}");
        of(
            "GrafanaNotificationPolicyRoute",
            name,
            &format!("at: {at}"),
            &spec,
        )
    };
    let ends = route("ends", "top", "");
    let goes_on = route(
        "goes-on",
        "top",
        ", continue: true, routes: [{receiver: mail, routeSelector: {matchLabels: {at: below}}}]",
    );
    let below = route("below", "below", "");
    let nobodys = route("nobodys", "elsewhere", "");
    let text = [point, policy, ends, goes_on, below, nobodys].concat();
    let (_, told, _) = import(&text, &["-n", "monitoring"]);
    let made = made(&text, &["-n", "monitoring"]);
    let branch = |name: &str| {
        let is_it = |made: &&Value| made["kind"] == "NotificationPolicy" && made["metadata"]["name"] == name;
        made.iter().find(is_it).map(|made| made["spec"].clone())
    };
    let ends = branch("ends").expect("a branch");
    assert_eq!(ends["parentRef"], json!({"name": "root"}), "{ends}");
    assert_eq!(ends["exclusive"], true, "{ends}");
    let goes_on = branch("goes-on").expect("a branch");
    assert_eq!(goes_on.get("exclusive"), None, "{goes_on}");
    let nested = goes_on.pointer("/routes/0/routes/0/matchers");
    assert_eq!(nested, Some(&json!(["q=\"below\""])), "{goes_on}");
    assert_eq!((branch("below"), branch("nobodys")), (None, None), "{made:?}");
    assert!(told.contains("no policy that is read selects it"), "{told}");
    assert_eq!(
        told.matches("alerts of its own namespace's AlertRules alone")
            .count(),
        2,
        "{told}"
    );
}

#[test]
fn folders_of_grafana_operator_are_those_of_their_namespace() {
    let folder = |namespace: &str, title: &str| {
        format!(
            "apiVersion: grafana.integreatly.org/v1beta1\nkind: GrafanaFolder\nmetadata: {{name: own{namespace}}}\nspec: {{title: {title}}}\n---\n"
        )
    };
    let group = |namespace: &str| {
        format!(
            "
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaAlertRuleGroup
metadata: {{name: g{namespace}}}
spec:
  folderRef: own
  interval: 5m
  rules:
  - {{uid: u, title: T, condition: A, data: [{{refId: A, datasourceUid: p, relativeTimeRange: {{from: 600}}, model: {{expr: up}}}}]}}
"
        )
    };
    let both = folder(", namespace: a", "Of A") + &folder(", namespace: b", "Of B");
    for (namespace, title) in [("a", "Of A"), ("b", "Of B")] {
        let all = made(
            &format!("{both}{}", group(&format!(", namespace: {namespace}"))),
            &[],
        );
        assert_eq!(of(&all, "AlertRule")["folder"], title, "{namespace}");
    }
    // Files need not say it.
    let all = made(&(folder(", namespace: a", "Of A") + &group("")), &[]);
    assert_eq!(of(&all, "AlertRule")["folder"], "Of A");
}
