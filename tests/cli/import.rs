//! `alertwright import`: every sample is in one of the formats that are read, with all that its documentation has a field for.

use std::path::Path;

use serde_json::Value;

use super::{run, text};

/// The samples, each with how its import ends: 4 where something of it can't be carried over.
const SAMPLES: [(&str, i32); 8] = [
    ("grafana-file.yaml", 4),
    ("grafana-operator.yaml", 0),
    ("alertmanager.yaml", 4),
    ("alertmanagerconfig.yaml", 0),
    ("prometheus.yaml", 4),
    ("loki.yaml", 4),
    ("prometheusrule.yaml", 4),
    ("vmrule.yaml", 4),
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
