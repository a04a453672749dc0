//! The ten rules of the first user, on logs that trip them and on logs that come close.

use alertwright::api::AlertRule;
use alertwright_testbed::{Loki, any_release, apply, trial::Need};
use serde_json::{Value, json};

use crate::rule_states::state;
use crate::world::{self, World};

/// Lines of one stream: level, line, how many that trip the rule, how many that just don't.
const LOGS: [(&str, &str, usize, usize); 11] = [
    // HighErrorRate: more than 0.1/s over 5 minutes are more than 30.
    ("error", r#"{"event": "unhandled_exception"}"#, 40, 25),
    ("info", r#"{"event": "stripe_refund_timeout"}"#, 6, 5),
    // HighAuthFailureRate: more than 1/s over 5 minutes are more than 300.
    ("warning", r#"{"event": "password_reset_token_failed"}"#, 350, 280),
    ("error", r#"{"event": "gdpr_export_failed"}"#, 1, 0),
    ("error", r#"{"event": "gdpr_export_completed"}"#, 0, 5),
    (
        "error",
        r#"{"event": "questionnaire_evaluation_task_failed"}"#,
        4,
        3,
    ),
    (
        "info",
        r#"{"event": "questionnaire_llm_evaluation_completed", "tokens_used": 250000}"#,
        5,
        4,
    ),
    ("error", r#"{"event": "Lost connection to Postgres"}"#, 11, 10),
    // CeleryTaskFailures: more than 0.5/s over 10 minutes are more than 300, and the four or three above count too.
    ("error", r#"{"event": "email_task_failed"}"#, 340, 290),
    (
        "info",
        r#"{"event": "questionnaire_missing_mandatory_questions"}"#,
        11,
        10,
    ),
    (
        "info",
        r#"{"event": "account_deletion_blocked_owns_organizations"}"#,
        6,
        5,
    ),
];

async fn push(service: &str, count: impl Fn(usize, usize) -> usize) {
    let loki = Loki::shared().await;
    for level in ["error", "warning", "info"] {
        let lines: Vec<&str> = LOGS
            .iter()
            .filter(|(of, ..)| *of == level)
            .flat_map(|(_, line, trips, close)| std::iter::repeat_n(*line, count(*trips, *close)))
            .collect();
        loki.push(&[("service", service), ("level", level)], &lines).await;
    }
}

/// Applies the ten rules for a service of this test, in a folder of their own, and gives their names.
async fn apply(w: &World, service: &str) -> Vec<String> {
    let path = world::root().join("deploy/examples/revel/alert-rules.yaml");
    let yaml = std::fs::read_to_string(path).expect("the example");
    let yaml = yaml.replace("service=\"revel\"", &format!("service=\"{service}\""));
    let mut rules: Vec<Value> = serde_saphyr::from_multiple(&yaml).expect("YAML");
    let mut names = Vec::new();
    for rule in &mut rules {
        let name = format!(
            "{service}-{}",
            rule["metadata"]["name"].as_str().unwrap_or_default()
        );
        rule["metadata"]["name"] = json!(name);
        rule["spec"]["for"] = json!("0s");
        rule["spec"]["interval"] = json!("2s");
        rule["spec"]["folder"] = json!(service);
        names.push(name);
    }
    let documents: Vec<_> = rules.iter().map(Value::to_string).collect();
    w.apply(&documents.join("\n---\n")).await;
    names
}

#[apply(any_release)]
async fn each_of_the_ten_rules_fires_on_the_logs_it_is_for_and_on_no_fewer() {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let (bad, calm) = (format!("bad-{}", w.ns), format!("calm-{}", w.ns));
    push(&bad, |trips, _| trips).await;
    push(&calm, |_, close| close).await;
    let (bad_names, calm_names) = (apply(&w, &bad).await, apply(&w, &calm).await);
    assert_eq!((bad_names.len(), calm_names.len()), (10, 10));
    for name in bad_names.iter().chain(&calm_names) {
        w.synced::<AlertRule>(name).await;
    }
    for name in &calm_names {
        state(&w, name, "Normal").await;
    }
    for name in &bad_names {
        state(&w, name, "Firing").await;
    }
    // By now those that came close have been evaluated many times.
    for name in &calm_names {
        state(&w, name, "Normal").await;
    }
    for (title, key, text) in [
        (
            "StripePaymentFailures",
            "description",
            "6 payment-related failures in the last 10 minutes",
        ),
        (
            "HighLLMTokenUsage",
            "description",
            "1250000 tokens used in the last hour - check for abuse or bugs",
        ),
        ("GDPRExportFailures", "summary", "GDPR data export failed"),
    ] {
        let alerts = w.grafana.alerts().await;
        let alert = alerts
            .iter()
            .find(|alert| alert["labels"]["alertname"] == title)
            .expect("an alert of this rule");
        assert_eq!(alert["annotations"][key], text);
    }
}
