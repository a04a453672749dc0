//! `alertwright route`: a rule that has no alerts is told from one whose alerts go somewhere.

use super::{run, text};

const FILES: &str = "
apiVersion: alerting.letsrevel.io/v1alpha1
kind: GrafanaInstance
metadata: {name: staging, namespace: alertwright-system}
spec: {url: 'http://grafana', auth: {token: {secretKeyRef: {name: g, key: t}}}, allowedNamespaces: {names: [plat]}}
---
apiVersion: alerting.letsrevel.io/v1alpha1
kind: NotificationPolicy
metadata: {name: root, namespace: plat}
spec: {instance: staging, receiver: mail}
---
apiVersion: alerting.letsrevel.io/v1alpha1
kind: ContactPoint
metadata: {name: mail, namespace: plat}
spec: {instance: staging, integrations: [{email: {addresses: [a@b.example]}}]}
---
apiVersion: alerting.letsrevel.io/v1alpha1
kind: AlertRule
metadata: {name: r, namespace: NAMESPACE}
spec: {instance: staging, query: up == 0, paused: PAUSED}
";

#[test]
fn a_rule_that_has_no_alerts_is_told() {
    for (namespace, paused, said) in [
        ("shop", "false", Some("doesn't let namespace shop use it")),
        ("plat", "true", Some("AlertRule plat/r: it is paused")),
        ("plat", "false", None),
    ] {
        let files = FILES.replace("NAMESPACE", namespace).replace("PAUSED", paused);
        let rule = format!("{namespace}/r");
        let ended = run(&["route", "-f", "-", "-i", "staging", "--rule", &rule], &files);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{told}");
        match said {
            Some(said) => assert!(told.contains(said), "{told}"),
            None => assert_eq!(told, ""),
        }
    }
}
