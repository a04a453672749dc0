//! What policies ask for besides a kind: words of the workload, runs of CronJobs, load tests, other namespaces, and opting out.

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, wait};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::several;
use crate::silences::{A_WHILE, SILENCES, becomes, id, state};
use crate::workloads::{deployment, ended, events, held, job, let_go, notes, silenced, silences_of, told};
use crate::world::{self, SOON, World};

async fn policy(w: &World, target: Value, silence: Value) {
    let spec = json!({"targets": [target], "silence": silence});
    w.put("MaintenancePolicy", "policy", spec).await;
}

async fn annotate(w: &World, what: &str, annotation: &str) {
    let args = ["annotate", "--overwrite", what, annotation, "-n", &w.ns];
    w.plane.kubectl(args).await.ok();
}

#[apply(any_release)]
async fn matchers_take_words_of_the_workload_and_one_that_lacks_them_is_told_and_gets_no_silence() {
    let w = world::start().await;
    let matchers = json!(["service=\"{{ .labels.app }}\"", "pod=~\"{{ .name }}-.*\""]);
    policy(
        &w,
        json!({"kind": "Deployment"}),
        json!({"lease": "60s", "matchers": matchers}),
    )
    .await;
    let mut nameless = deployment("nameless", &json!({}), &held(&w));
    nameless["metadata"]["labels"] = json!({});
    w.apply(&nameless.to_string()).await;
    w.apply(&deployment("web.v2", &json!({}), &held(&w)).to_string())
        .await;
    let opened = silenced(&w, "web.v2").await;
    let held = opened.status.clone().unwrap_or_default().matchers;
    for matcher in ["service=\"web.v2\"", "pod=~\"web\\\\.v2-.*\""] {
        assert!(held.contains(&matcher.to_owned()), "{held:?}");
    }
    told(&w, "Deployment", "nameless", "InvalidMaintenance").await;
    let told = notes(&w, "Deployment", "nameless", "InvalidMaintenance").await;
    assert!(told[0].contains("has no label app"), "{told:?}");
    assert_eq!(silences_of(&w, "nameless").await.len(), 0);
    // Once it has the label, it is silenced like the others.
    let args = ["label", "deployment", "nameless", "app=late", "-n", &w.ns];
    w.plane.kubectl(args).await.ok();
    silenced(&w, "nameless").await;
}

#[apply(any_release)]
async fn a_run_of_a_cron_job_is_silenced_by_its_kind_and_a_job_by_hand_is_not() {
    let w = world::start().await;
    let matchers = json!(["task=\"{{ .cronJob }}\""]);
    policy(
        &w,
        json!({"kind": "CronJob"}),
        json!({"lease": "60s", "matchers": matchers}),
    )
    .await;
    let by_hand = job("by-hand", &json!({}), &held(&w));
    w.apply(&by_hand.to_string()).await;
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": by_hand["spec"]}},
    });
    w.apply(&cron_job.to_string()).await;
    let args = ["create", "job", "run", "--from=cronjob/nightly", "-n", &w.ns];
    w.plane.kubectl(args).await.ok();
    let opened = silenced(&w, "run").await;
    let held = opened.status.clone().unwrap_or_default().matchers;
    assert!(held.contains(&"task=\"nightly\"".to_owned()), "{held:?}");
    assert_eq!(silences_of(&w, "by-hand").await.len(), 0);
}

#[apply(any_release)]
async fn a_load_test_that_fails_is_silenced_for_its_linger_too() {
    let w = world::start().await;
    let target = json!({"kind": "Job", "selector": {"matchLabels": {"app": "load-test"}}});
    policy(
        &w,
        target,
        json!({"lease": "60s", "linger": "8s", "lingerAfterFailure": true}),
    )
    .await;
    let mut spec = held(&w);
    spec["activeDeadlineSeconds"] = json!(4);
    w.apply(&job("load-test", &json!({}), &spec).to_string()).await;
    let opened = silenced(&w, "load-test").await;
    ended(&w, &opened.name_any(), "Failed").await;
    assert_eq!(
        state(&w, &id(&opened)).await.as_deref(),
        Some("active"),
        "it lingers"
    );
    told(&w, "Job", "load-test", "SilenceLingers").await;
    becomes(&w, &id(&opened), "expired").await;
}

#[apply(any_release)]
async fn a_namespace_that_opts_out_gets_no_silence_until_it_takes_that_back() {
    let w = world::start().await;
    policy(&w, json!({"kind": "Deployment"}), json!({"lease": "60s"})).await;
    let namespace = format!("namespace/{}", w.ns);
    annotate(&w, &namespace, "alerting.letsrevel.io/maintenance=disabled").await;
    w.apply(&deployment("web", &json!({}), &held(&w)).to_string())
        .await;
    wait::never(
        "a silence in a namespace that has opted out",
        A_WHILE,
        async || !silences_of(&w, "web").await.is_empty(),
    )
    .await;
    annotate(&w, &namespace, "alerting.letsrevel.io/maintenance-").await;
    // It is noticed when the workload is looked at again.
    annotate(&w, "deployment/web", "looked-at=again").await;
    silenced(&w, "web").await;
}

#[apply(any_release)]
async fn a_workload_may_take_the_policy_of_another_namespace_and_its_edit_reaches_it() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let platform = w.plane.namespace("platform").await;
    let watched = Watch::Namespaces(&[&w.ns, &platform]);
    w.kubeconfig = w.plane.operator_account(&w.home, watched).await;
    let both = format!("{},{platform}", w.ns);
    let options = world::operator(&w.home, &both, &w.kubeconfig);
    w.operator = options.start().await.expect("it becomes ready");
    let shared = |matcher: &str| {
        let silence = json!({"lease": "60s", "matchers": [matcher]});
        json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "metadata": {"name": "shared"},
            "spec": {"targets": [{"kind": "Deployment"}], "silence": silence},
        })
        .to_string()
    };
    w.plane.apply(&shared("severity!=\"critical\""), &platform).await;
    let naming =
        |policy: &str| json!({"alerting.letsrevel.io/maintenance-policy": format!("{platform}/{policy}")});
    for (name, annotations) in [
        ("web", naming("shared")),
        ("lost", naming("other")),
        ("alone", json!({})),
    ] {
        w.apply(&deployment(name, &annotations, &held(&w)).to_string())
            .await;
    }
    let opened = silenced(&w, "web").await;
    assert_eq!(
        opened.namespace(),
        Some(w.ns.clone()),
        "its own rules are silenced"
    );
    told(&w, "Deployment", "lost", "InvalidMaintenance").await;
    for name in ["lost", "alone"] {
        assert_eq!(silences_of(&w, name).await.len(), 0, "{name}");
    }
    w.plane.apply(&shared("severity=\"info\""), &platform).await;
    let api: Api<Silence> = w.api().await;
    wait::until("the edit reaches what is open", SOON, async || {
        let now = api.get(&opened.name_any()).await.ok()?;
        let matchers = serde_json::to_value(&now.spec.matchers).ok()?;
        (matchers == json!(["severity=\"info\""])).then_some(())
    })
    .await;
}

#[apply(any_release)]
async fn a_workload_is_silenced_in_every_grafana_that_its_policy_names_and_heard_in_each_when_it_is_done() {
    let w = world::start().await;
    let (second, proxy) = several::second(&w).await;
    let spec = |instances: [&str; 2]| {
        let silence = json!({"matchers": ["team=web"], "lease": "60s", "linger": "1s"});
        json!({"instances": instances, "targets": [{"kind": "Deployment"}], "silence": silence})
    };
    w.put("MaintenancePolicy", "p", spec(["default", "third"])).await;
    w.reason::<MaintenancePolicy>("p", "DependencyMissing").await;
    let message = w.message::<MaintenancePolicy>("p").await;
    assert!(
        message.contains("GrafanaInstance third is not there") && message.contains("spec.instances"),
        "{message}"
    );
    w.put("MaintenancePolicy", "p", spec(["default", "second"])).await;
    w.synced::<MaintenancePolicy>("p").await;

    proxy.fault(Fault::status(500).on("POST", SILENCES));
    w.apply(&deployment("web", &json!({}), &held(&w)).to_string())
        .await;
    wait::until("the one that answers has a silence", SOON, async || {
        w.grafana.active_silences().await.len() == 1
    })
    .await;
    wait::never("told before each has it", A_WHILE, async || {
        events(&w, "Deployment", "web")
            .await
            .iter()
            .any(|reason| reason == "SilenceOpened")
    })
    .await;
    proxy.clear_faults();
    told(&w, "Deployment", "web", "SilenceOpened").await;
    assert_eq!(second.active_silences().await.len(), 1);
    let silences = silences_of(&w, "web").await;
    assert_eq!(silences.len(), 1, "one resource for both: {silences:?}");
    assert_eq!(
        silences[0].spec.instances,
        Some(vec!["default".to_owned(), "second".to_owned()])
    );

    let_go(&w).await;
    ended(&w, &silences[0].name_any(), "Succeeded").await;
    wait::until("it is over in both", SOON, async || {
        let left = [w.grafana.active_silences().await, second.active_silences().await];
        left.iter().all(Vec::is_empty)
    })
    .await;
}
