//! People of few rights in the world that the pages show, and what else the table of exit codes needs.

use alertwright::api::{AlertRule, ContactPoint};
use alertwright_testbed::wait;
use kube::Api;
use serde_json::{Value, json};

use super::filled::{Filled, HOME, NS, SOON};

impl Filled {
    /// Puts a kubeconfig on the desk with these rights, each in its namespace, which `trial` needs.
    async fn person(&self, name: &str, rights: &[(&str, Value)], trial: &str) {
        let account = self.plane.service_account(NS, name).await;
        std::fs::copy(account, self.desk.path(name)).expect("a kubeconfig");
        for (namespace, rules) in rights {
            let role = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules,
            });
            let binding = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NS}],
            });
            self.plane.apply(&role.to_string(), namespace).await;
            self.plane.apply(&binding.to_string(), namespace).await;
        }
        wait::until("its rights hold", SOON, async || {
            (self.desk.runs(trial).await.1 == Some(0)).then_some(())
        })
        .await;
    }

    /// One who may read AlertRules and NotificationPolicies, and nothing else.
    pub async fn reader(&self) {
        let rights = [(NS, json!([ours(&["alertrules", "notificationpolicies"], READS)]))];
        let trial = "kubectl get alertrules -n revel --kubeconfig reader";
        self.person("reader", &rights, trial).await;
    }

    /// One who may read all resources of the one namespace, and the GrafanaInstances, and nothing of other namespaces.
    pub async fn neighbour(&self) {
        let rights = [
            (NS, json!([ours(&["*"], READS)])),
            (HOME, json!([ours(&["grafanainstances"], READS)])),
        ];
        let trial = "kubectl get alertrules -n revel --kubeconfig neighbour && kubectl get grafanainstances -n alertwright-system --kubeconfig neighbour";
        self.person("neighbour", &rights, trial).await;
    }

    /// One who may read all resources, and use the operator's token, and change ContactPoints alone.
    pub async fn keeper(&self) {
        let secrets = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": READS});
        let rights = [
            (
                NS,
                json!([ours(&["*"], READS), ours(&["contactpoints"], &["patch"]), secrets]),
            ),
            (HOME, json!([ours(&["*"], READS), secrets])),
        ];
        let trial = "kubectl auth can-i patch contactpoints -n revel --kubeconfig keeper && kubectl get secrets -n alertwright-system --kubeconfig keeper";
        self.person("keeper", &rights, trial).await;
    }

    /// A ContactPoint of two integrations, and files: two rules of which one can't be asked, and a MaintenancePolicy that the
    /// operator refuses.
    pub async fn odd(&self) {
        let hook =
            |path: &str| json!({"webhook": {"url": {"value": format!("{}/{path}", self.hooks.url())}}});
        let pair = json!({"integrations": [hook("one"), hook("other")]});
        self.put("ContactPoint", "pair", pair).await;
        let rule = |name: &str, source: &str| {
            json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": name},
                "spec": {"query": r#"sum(count_over_time({service="revel"}[5m])) > 1000000"#, "datasource": {"name": source}},
            })
        };
        let two = format!("{}\n---\n{}\n", rule("asked", "Loki"), rule("unasked", "nowhere"));
        std::fs::write(self.desk.path("one-of-two.yaml"), two).expect("a file");
        let within = json!([{"key": "tier", "operator": "Within", "values": ["a"]}]);
        let refused = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "metadata": {"name": "refused"},
            "spec": {"targets": [{"kind": "Deployment", "selector": {"matchExpressions": within}}]},
        });
        std::fs::write(self.desk.path("refused.yaml"), refused.to_string()).expect("a file");
        self.reason::<ContactPoint>("pair", "Synced").await;
    }
}

impl Filled {
    /// A rule for a GrafanaInstance that there isn't, and one whose query returns nothing.
    pub async fn unwell(&self) {
        let lost = json!({"instance": "nowhere", "query": "up == 0"});
        self.put("AlertRule", "of-no-instance", lost).await;
        let empty = json!({
            "query": r#"sum(count_over_time({service="nobody"}[1m])) > 5"#, "for": "0s", "interval": "10s", "noDataState": "NoData",
        });
        self.put("AlertRule", "empty", empty).await;
        self.reason::<AlertRule>("of-no-instance", "DependencyMissing")
            .await;
        let rules: Api<AlertRule> = Api::namespaced(self.client().await, NS);
        wait::until("the rule has no data", SOON, async || {
            let status = rules.get("empty").await.ok()?.status?;
            (status.state.as_deref() == Some("NoData")).then_some(())
        })
        .await;
    }
}

const READS: &[&str] = &["get", "list", "watch"];

fn ours(resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": ["alerting.letsrevel.io"], "resources": resources, "verbs": verbs})
}
