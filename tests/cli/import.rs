//! `alertwright import`: every sample is in one of the formats that are read, with all that its documentation has a field for.

use std::path::Path;

use serde_json::Value;

use super::{run, text};

/// The samples, each with how its import ends: 4 where something of it can't be carried over.
const SAMPLES: [(&str, i32); 10] = [
    ("grafana-file.yaml", 4),
    ("grafana-operator.yaml", 0),
    ("alertmanager.yaml", 4),
    ("alertmanagerconfig.yaml", 0),
    ("prometheus.yaml", 4),
    ("loki.yaml", 4),
    ("prometheusrule.yaml", 4),
    ("vmrule.yaml", 4),
    ("pyrra.yaml", 4),
    ("sloth.yaml", 4),
];

fn import(sample: &str, more: &[&str]) -> (String, String, i32) {
    let file = format!("import/{sample}");
    let output = run(&[&["import", "-f", &file][..], more].concat(), "");
    let code = output.status.code().unwrap_or(-1);
    (text(&output.stdout), text(&output.stderr), code)
}

/// The resources of a stream, by kind and name.
fn report(sample: &str, more: &[&str]) -> Value {
    let (_, said, _) = import(sample, &[&["-o", "json"][..], more].concat());
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("{sample}: {e}: {said}"))
}

#[test]
fn every_sample_is_recognized_and_becomes_resources_without_errors() {
    for (sample, code) in SAMPLES {
        let (made, said, ended) = import(sample, &[]);
        assert_eq!(ended, code, "{sample}: {said}");
        assert!(made.contains("kind: "), "{sample} became nothing: {said}");
        let checked = run(&["check", "-f", "-"], &made);
        let problems = text(&checked.stdout);
        assert_eq!(checked.status.code(), Some(0), "{sample}: {problems}");
    }
    let samples = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/import")).unwrap();
    let samples = samples.filter(|sample| sample.as_ref().unwrap().path().extension().is_some());
    assert_eq!(samples.count(), SAMPLES.len(), "a sample isn't tried");
}

#[test]
fn what_is_lost_is_named_with_its_reason_and_hurts_nothing_beside_it() {
    for (sample, source, why) in [
        (
            "prometheus.yaml",
            "checkout/job:checkout_errors:rate5m",
            "it records a series",
        ),
        ("prometheus.yaml", "hosts/Broken label", "labels.bad-name"),
        ("prometheus.yaml", "hosts/NoName", "expr"),
        ("vmrule.yaml", "logs/LogErrors", "vlogs"),
    ] {
        let report = report(sample, &[]);
        let left = report["notCarriedOver"].as_array().unwrap();
        let found = left.iter().find(|left| left["source"] == source);
        let found = found.unwrap_or_else(|| panic!("{source}: {report}"));
        assert!(found["why"].as_str().unwrap().contains(why), "{found}");
    }
    for (sample, name, lost) in [
        ("prometheus.yaml", "checkout-errors", "query_offset: 30s"),
        ("prometheus.yaml", "target-down", "interval: 15s is 20s here"),
        ("vmrule.yaml", "rows-rejected", "tenant: 7"),
    ] {
        let report = report(sample, &[]);
        let made = report["resources"].as_array().unwrap();
        let found = made.iter().find(|made| made["name"] == name).unwrap();
        assert!(found["lost"].to_string().contains(lost), "{found}");
    }
}

/// What a sample becomes, by kind and name, and its document.
fn rules(sample: &str, more: &[&str]) -> (Vec<String>, Vec<Value>) {
    let report = report(sample, more);
    let names = report["resources"].as_array().unwrap().iter();
    let names = names.map(|made| made["name"].as_str().unwrap().to_owned());
    let (made, _, _) = import(sample, more);
    let all = made.split("---\n").filter(|text| !text.trim().is_empty());
    let all = all.filter_map(|text| serde_saphyr::from_str::<Value>(text).ok());
    (names.collect(), all.filter(Value::is_object).collect())
}

#[test]
fn what_pyrra_makes_of_an_objective_becomes_rules_with_all_that_it_says() {
    let (names, all) = rules("pyrra.yaml", &["--datasource", "type=prometheus"]);
    assert_eq!(names.len(), 3, "{names:?}");
    let burn = &all[1]["spec"];
    assert_eq!(
        burn["query"],
        "checkout_requests:burnrate5m{job=\"checkout\",slo=\"checkout-availability\"} > (14 * (1-0.99)) and checkout_requests:burnrate1h{job=\"checkout\",slo=\"checkout-availability\"} > (14 * (1-0.99))"
    );
    assert_eq!(
        (&burn["for"], &burn["interval"], &burn["severity"]),
        (&"2m0s".into(), &"30s".into(), &"critical".into())
    );
    for (label, value) in [
        ("exhaustion", "2d"),
        ("long", "1h"),
        ("short", "5m"),
        ("slo", "checkout-availability"),
        ("team", "payments"),
    ] {
        assert_eq!(burn["labels"][label], value, "{burn}");
    }
    assert!(
        burn["annotations"]["pyrra_url"]
            .as_str()
            .unwrap()
            .ends_with("&grouping=%7Bhandler%3D%22{{$labels.handler}}%22%7D"),
        "{burn}"
    );
    assert_eq!(all[2]["spec"]["for"], "15m0s");
    // Their recording rules are what they ask for.
    let left = report("pyrra.yaml", &[]);
    let left = left["notCarriedOver"].as_array().unwrap();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(
        left.iter()
            .all(|left| left["why"].as_str().unwrap().contains("records a series"))
    );
}

#[test]
fn what_sloth_makes_of_an_objective_becomes_a_page_and_a_ticket() {
    let (names, all) = rules("sloth.yaml", &["--datasource", "type=prometheus"]);
    assert_eq!(names.len(), 2, "{names:?}");
    for (rule, severity) in all.iter().zip(["page", "ticket"]) {
        let spec = &rule["spec"];
        assert_eq!(
            (&spec["severity"], &spec["labels"]["sloth_severity"]),
            (&severity.into(), &severity.into())
        );
        assert!(
            spec["query"].as_str().unwrap().contains("without (sloth_window)"),
            "{spec}"
        );
        let title = spec["annotations"]["title"].as_str().unwrap();
        assert!(
            title.starts_with(&format!("({severity}) {{{{$labels.sloth_service}}}}")),
            "{title}"
        );
    }
    assert_eq!(
        report("sloth.yaml", &[])["notCarriedOver"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn an_objective_without_its_rules_is_named_with_what_to_import_instead() {
    for (text, source, cure) in [
        (
            "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: web, namespace: shop}\n",
            "ServiceLevelObjective shop/web",
            "kubectl get prometheusrule web -o yaml",
        ),
        (
            "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: web}\n",
            "PrometheusServiceLevel web",
            "sloth generate",
        ),
        (
            "version: prometheus/v1\nservice: web\nslos: []\n",
            "specification web",
            "sloth generate",
        ),
    ] {
        let output = run(&["import", "-f", "-", "-o", "json"], text);
        let report: Value = serde_json::from_slice(&output.stderr).unwrap();
        let left = &report["notCarriedOver"][0];
        assert_eq!(output.status.code(), Some(4), "{report}");
        assert_eq!(left["source"], source, "{report}");
        let why = left["why"].as_str().unwrap();
        assert!(why.contains("no alert rule") && why.contains(cure), "{why}");
        assert_eq!(report["passedOver"], 0);
    }
    // Beside the rules that were made of it there is nothing to say.
    assert_eq!(report("pyrra.yaml", &[])["passedOver"], 1);
    // Whoever asks for something else isn't told of it.
    let (_, said, _) = import("pyrra.yaml", &["--from", "vmrule"]);
    assert!(said.contains("there is nothing to import: 2 documents"), "{said}");
}

#[test]
fn rules_are_asked_of_what_is_named_and_those_of_loki_of_a_loki() {
    let (made, said, _) = import("prometheus.yaml", &[]);
    assert!(!made.contains("datasource:") && said.contains("--datasource names another"));
    let (made, said, _) = import("loki.yaml", &[]);
    assert_eq!(made.matches("type: loki").count(), 2, "{made}");
    assert!(!said.contains("--datasource names another"), "{said}");
    let (made, _, _) = import("prometheusrule.yaml", &["--datasource", "name=Metrics: eu"]);
    assert_eq!(made.matches(r#"name: "Metrics: eu""#).count(), 2, "{made}");
    // A language that its data source doesn't speak is told, rule by rule.
    let report = report("prometheus.yaml", &["--datasource", "type=loki"]);
    assert!(
        report["notCarriedOver"]
            .to_string()
            .contains("checkout/CheckoutErrors"),
        "{report}"
    );
}

/// A text however YAML folds and quotes it.
fn plain(text: &str) -> String {
    text.replace(|c: char| c == '"' || c.is_whitespace(), "")
        .replace(">-", "")
}

/// What no output may hold.
const SECRET: &str = "s3cr3t";

#[test]
fn secrets_are_nowhere_but_in_their_file_and_there_only_if_they_are_to_be() {
    let folder = std::env::temp_dir().join(format!("alertwright-import-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    let (empty, kept, made) = (file("empty.yaml"), file("kept.yaml"), file("made"));
    for more in [
        &[][..],
        &["-o", "json"],
        &["-d", &made],
        &["--secrets-file", &empty],
        &["--secrets-file", &kept, "--keep-secrets"],
    ] {
        let (out, said, _) = import("alertmanager.yaml", more);
        assert!(
            !out.contains(SECRET) && !said.contains(SECRET),
            "{more:?}: {out}{said}"
        );
    }
    let text = |name: &str| std::fs::read_to_string(name).unwrap();
    let point = text(&format!("{made}/contact-points/pagers.yaml"));
    assert!(
        point.contains("key: pagers.pagerduty.integrationKey") && !point.contains(SECRET),
        "{point}"
    );
    assert!(
        text(&empty).contains("pagers.pagerduty.integrationKey: \"\"") && !text(&empty).contains(SECRET),
        "{}",
        text(&empty)
    );
    let kept_text = text(&kept);
    for line in [
        "pagers.pagerduty.integrationKey: s3cr3t-pagerduty",
        "chats.slack.url: \"https://hooks.slack.example.com/services/s3cr3t-slack\"",
        "chats.slack-2.url: \"\"",
        "others.webhook.password: s3cr3t-basic",
        "pagers.victorops.url: \"https://alert.victorops.com/integrations/generic/20131114/alert/s3cr3t-victorops/web\"",
    ] {
        assert!(
            plain(&kept_text).contains(&plain(line)),
            "{line} isn't in {kept_text}"
        );
    }
    #[cfg(unix)]
    for name in [&empty, &kept] {
        let about = std::fs::metadata(name).unwrap().permissions();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&about) & 0o777,
            0o600,
            "{name}"
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_alertmanager_is_a_policy_with_its_contact_points_intervals_and_inhibitions() {
    let (made, said, _) = import("alertmanager.yaml", &[]);
    let checked = report("alertmanager.yaml", &[]);
    let names: Vec<String> = checked["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|made| {
            format!(
                "{}/{}",
                made["kind"].as_str().unwrap(),
                made["name"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            "ContactPoint/chats",
            "ContactPoint/default",
            "ContactPoint/others",
            "ContactPoint/pagers",
            "TimeInterval/nights",
            "TimeInterval/office",
            "TimeInterval/nobody",
            "InhibitionRule/inhibition-1",
            "InhibitionRule/inhibition-2",
            "NotificationPolicy/root"
        ],
        "{said}"
    );
    for part in [
        "groupWait: 45s",
        "env=~\"prod|stage\"",
        "region!=\"eu,1\"",
        "team=~\"^(web|db)$\"",
        "severity=\"critical\"",
        "- nobody\n",
        "chatID: \"-1001234\"",
    ] {
        assert!(made.contains(part), "{part} isn't in {made}");
    }
    for (source, why) in [
        ("global", "smtp_smarthost"),
        ("templates", "name the files with -f too"),
    ] {
        let left = checked["notCarriedOver"].as_array().unwrap();
        assert!(
            left.iter()
                .any(|left| left["source"] == source && left["why"].as_str().unwrap().contains(why)),
            "{checked}"
        );
    }
    for lost in [
        "slack_configs[0].actions",
        "rocketchat_configs",
        "http_config.proxy_url",
        "email_configs[0].html",
        "pagerduty_configs[1].service_key",
    ] {
        assert!(
            checked["resources"].to_string().contains(lost),
            "{lost}: {checked}"
        );
    }
}

#[test]
fn an_alertmanager_config_is_a_branch_that_refers_to_the_same_secrets() {
    let (made, said, code) = import("alertmanagerconfig.yaml", &["--parent", "shared/root"]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "  parentRef:\n    name: root\n    namespace: shared\n",
        "  matchers:\n  - team=\"payments\"\n",
        "severity=~\"critical|page\"",
        "name: payments/payments/pager",
        "          name: pagerduty\n          key: key\n",
        "\"24:26\"",
    ] {
        assert!(made.contains(part), "{part} isn't in {made}");
    }
    assert!(!made.contains("name: contact-points"), "{made}");
}

#[test]
fn what_grafana_is_provisioned_with_is_what_an_export_would_make_of_it() {
    let (made, said, _) = import("grafana-file.yaml", &[]);
    assert!(!made.contains(SECRET) && !said.contains(SECRET), "{made}{said}");
    for part in [
        "  query: sum(rate(checkout_errors_total[5m])) > 0.5\n",
        "  folder: Shop\n",
        "  uid: checkout-errors\n",
        "    summary: \"{{ $labels.job }} fails\"\n",
        "    dashboardUID: shop\n",
        "  condition: D\n",
        "- weekends\n",
        "key: on-call.slack.url\n",
        "key: on-call.pagerduty.integrationKey\n",
    ] {
        assert!(made.contains(part), "{part} isn't in {made}");
    }
    let report = report("grafana-file.yaml", &[]);
    for lost in [
        "custom_field: there is no field for it",
        "label __reserved__",
        "integrationKey is a variable of Grafana's",
    ] {
        assert!(report["resources"].to_string().contains(lost), "{lost}: {report}");
    }
    assert_eq!(report["notCarriedOver"][0]["source"], "deleteRules", "{report}");
    let file = std::env::temp_dir().join(format!("alertwright-kept-{}.yaml", std::process::id()));
    import(
        "grafana-file.yaml",
        &["--keep-secrets", "--secrets-file", &file.display().to_string()],
    );
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    for line in [
        "on-call.slack.url: \"https://hooks.slack.example.com/s3cr3t\"",
        "on-call.pagerduty.integrationKey: \"\"",
        "on-call.webhook.url: \"\"",
        "on-call.webhook.password: s3cr3t-password",
    ] {
        assert!(plain(&kept).contains(&plain(line)), "{line} isn't in {kept}");
    }
}

#[test]
fn resources_of_grafana_operator_are_the_same_with_the_secrets_that_they_name() {
    let (made, said, code) = import("grafana-operator.yaml", &[]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "  folder: Shop alerts\n",
        "type: classic_conditions",
        "          name: pagerduty\n          key: key\n",
        "  name: Pager\n",
        "receiver: mail\n",
        "team=~\"a|b\"",
        "- nights\n",
    ] {
        assert!(made.contains(part), "{part} isn't in {made}");
    }
}

#[test]
fn a_root_that_sends_nothing_and_a_name_that_two_have_are_told() {
    let nothing = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
    let output = run(&["import", "-"], nothing);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        text(&output.stderr).contains("the root sends to nobody"),
        "{}",
        text(&output.stderr)
    );
    let two = "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'https://s3cr3t'}]}]\n";
    let output = run(&["import", "-"], &format!("{two}---\n{two}"));
    assert!(
        text(&output.stderr).contains("another ContactPoint is called \"a\" already"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn flags_say_what_the_resources_are_called_where_they_are_and_what_their_severity_is() {
    let more = [
        "-n",
        "shop",
        "-i",
        "staging",
        "--prefix",
        "Imported",
        "--folder",
        "Shop/Alerts",
        "--severity-label",
        "team",
        "--adopt",
        "--recording-rules",
    ];
    let (made, _, _) = import("prometheus.yaml", &more);
    for line in [
        "  name: imported-checkout-errors\n",
        "  namespace: shop\n",
        "  instance: staging\n",
        "  folder: Shop/Alerts\n",
        "  severity: payments\n",
        "    alerting.letsrevel.io/adopt: \"true\"\n",
        "    metric: job:checkout_errors:rate5m\n",
    ] {
        assert!(made.contains(line), "{line} isn't in {made}");
    }
}

#[test]
fn a_file_that_is_no_yaml_hurts_no_other() {
    let broken = "groups:\n- name: [\n---\ngroups:\n- name: g\n  rules:\n  - alert: Up\n    expr: up == 0\n";
    let output = run(&["import", "-f", "-"], broken);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("name: up\n"));
    assert!(
        text(&output.stderr).contains("-:3  ") || text(&output.stderr).contains("-:2  "),
        "{}",
        text(&output.stderr)
    );
}
