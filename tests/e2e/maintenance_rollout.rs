//! Rollouts of Deployments by the real controllers, and the silences that they get.

use std::time::Instant;

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::{any_release, apply, wait};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::silence_coverage::{fire, silenced_by};
use crate::silences::{A_WHILE, becomes, calls_at_rest, id, state};
use crate::workloads::{
    applied, asking, deployment, ended, events, held, let_go, lives_again, over, roll, settled, silenced,
    silences_of, told, writers,
};
use crate::world::{self, SOON, World};

/// Applies an object of any kind, and returns it.
async fn create(w: &World, object: Value) {
    w.apply(&object.to_string()).await;
}

#[apply(any_release)]
async fn a_rollout_is_silenced_while_it_moves_and_for_its_linger_and_no_longer() {
    let w = world::start().await;
    let silence = json!({"lease": "6s", "linger": "3s", "matchers": ["severity!=\"critical\""]});
    let target = json!({"kind": "Deployment", "selector": {"matchLabels": {"app": "web"}}});
    w.put(
        "MaintenancePolicy",
        "rollouts",
        json!({"targets": [target], "silence": silence}),
    )
    .await;
    w.synced::<MaintenancePolicy>("rollouts").await;
    // Its first creation counts. One pod after the other, each proves itself for 4 s: longer than the lease.
    let slow = json!({"replicas": 3, "minReadySeconds": 4, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}});
    create(&w, deployment("web", &json!({}), &slow)).await;
    create(&w, deployment("other", &json!({}), &json!({}))).await;
    settled(&w, "web").await;

    let before = applied(&w).await;
    let began = Instant::now();
    roll(&w, "web", "2", &json!({})).await;
    let opened = silenced(&w, "web").await;
    println!(
        "patch to active silence, with kubectl and the look: {:?}",
        began.elapsed()
    );
    let first_end = opened.spec.ends_at.clone().expect("an end").0;
    let done = ended(&w, &opened.name_any(), "Succeeded").await;
    let took = began.elapsed().as_secs_f64();
    assert_eq!(id(&done), id(&opened), "extended, not opened again");
    let last_end = done.spec.ends_at.clone().expect("an end").0;
    assert!(last_end > first_end, "it was extended: {first_end} {last_end}");
    assert_eq!(
        state(&w, &id(&opened)).await.as_deref(),
        Some("active"),
        "it lingers"
    );
    becomes(&w, &id(&opened), "expired").await;
    w.reason::<Silence>(&opened.name_any(), "Expired").await;
    // Opened, extended at most each half lease, ended.
    let writes = applied(&w).await - before;
    println!("a rollout of {took:.1} s took {writes} writes of its Silence");
    assert!(
        writes >= 3.0 && writes <= 2.0 + (took / 3.0).ceil(),
        "{writes} writes in {took} s"
    );

    // What the silence looks like.
    let owner = opened.owner_references().first().cloned().expect("an owner");
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Deployment", "web"));
    assert_eq!((owner.controller, owner.block_owner_deletion), (None, None));
    let mut labels: Vec<_> = opened.labels().keys().cloned().collect();
    labels.sort();
    assert_eq!(
        labels,
        [
            "alerting.letsrevel.io/maintenance-of",
            "app.kubernetes.io/managed-by"
        ]
    );
    let foreign = opened
        .annotations()
        .keys()
        .find(|key| !key.starts_with("alerting.letsrevel.io/maintenance-"));
    assert_eq!(foreign, None);
    assert_eq!(
        silences_of(&w, "other").await.len(),
        0,
        "the policy doesn't select it"
    );
    for reason in ["SilenceOpened", "SilenceLingers"] {
        told(&w, "Deployment", "web", reason).await;
    }
    let managers = writers(&w, "deployment", "web").await;
    assert!(
        !managers.split(' ').any(|manager| manager == "alertwright"),
        "{managers}"
    );
    // And then nothing.
    let before = applied(&w).await;
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
    assert!(applied(&w).await <= before, "a Silence is written at rest");
}

#[apply(any_release)]
async fn a_stuck_rollout_is_heard_at_its_progress_deadline_and_the_rollback_has_a_silence_of_its_own() {
    let w = world::start().await;
    let short = json!({"progressDeadlineSeconds": 5});
    create(&w, deployment("web", &asking("60s", "2s"), &short)).await;
    let first = settled(&w, "web").await;
    roll(&w, "web", "2", &held(&w)).await;
    let stuck = silenced(&w, "web").await;
    let failed = ended(&w, &stuck.name_any(), "Failed").await;
    becomes(&w, &id(&stuck), "expired").await;
    let ends = failed.spec.ends_at.clone().expect("an end").0;
    let lease = ends.duration_since(failed.spec.starts_at.clone().expect("a start").0);
    assert!(lease.as_secs() < 50, "long before its lease was over: {lease}");
    told(&w, "Deployment", "web", "SilenceExpired").await;

    // Back to the first template, whose silence has ended long ago.
    let undo = ["rollout", "undo", "deployment/web", "-n", &w.ns];
    w.plane.kubectl(undo).await.ok();
    let back = lives_again(&w, &first).await;
    ended(&w, &back.name_any(), "Succeeded").await;
    over(&w, &back.name_any()).await;
}

#[apply(any_release)]
async fn a_rollout_takes_the_place_of_one_under_way_and_a_template_that_comes_back_is_silenced_again() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("30s", "2s"), &json!({}))).await;
    let first = settled(&w, "web").await;
    roll(&w, "web", "2", &held(&w)).await;
    let second = silenced(&w, "web").await;
    roll(&w, "web", "3", &json!({})).await;
    ended(&w, &second.name_any(), "Superseded").await;
    becomes(&w, &id(&second), "expired").await;
    let third = silenced(&w, "web").await;
    assert_ne!(third.name_any(), second.name_any());
    told(&w, "Deployment", "web", "SilenceSuperseded").await;
    let_go(&w).await;
    ended(&w, &third.name_any(), "Succeeded").await;
    becomes(&w, &id(&third), "expired").await;
    // The template of the beginning: the Silence of the same name lives a second time.
    let again = json!({"template": {"spec": {"nodeSelector": null}}});
    roll(&w, "web", "1", &again).await;
    lives_again(&w, &first).await;
    ended(&w, &first.name_any(), "Succeeded").await;
    over(&w, &first.name_any()).await;
}

#[apply(any_release)]
async fn scaling_and_a_paused_deployment_get_no_silence_until_it_is_resumed() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("20s", "1s"), &json!({}))).await;
    settled(&w, "web").await;
    let before = applied(&w).await;
    let kubectl = async |args: &[&str]| {
        let args = args.iter().copied().chain(["-n", &w.ns]);
        w.plane.kubectl(args).await.ok();
    };
    kubectl(&["scale", "deployment/web", "--replicas=5"]).await;
    wait::never("a silence for scaling", A_WHILE, async || {
        applied(&w).await > before
    })
    .await;
    kubectl(&["rollout", "pause", "deployment/web"]).await;
    roll(&w, "web", "2", &held(&w)).await;
    wait::never("a silence while paused", A_WHILE, async || {
        applied(&w).await > before
    })
    .await;
    kubectl(&["rollout", "resume", "deployment/web"]).await;
    let resumed = silenced(&w, "web").await;
    let_go(&w).await;
    ended(&w, &resumed.name_any(), "Succeeded").await;
    let writers = writers(&w, "deployment", "web").await;
    assert!(
        !writers.split(' ').any(|manager| manager == "alertwright"),
        "{writers}"
    );
}

#[apply(any_release)]
async fn a_rollout_that_is_paused_midway_is_told_as_paused_and_is_silenced_again_when_it_goes_on() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("20s", "1s"), &json!({}))).await;
    settled(&w, "web").await;
    roll(&w, "web", "2", &held(&w)).await;
    let opened = silenced(&w, "web").await;
    let rollout = async |what: &str| {
        let args = ["rollout", what, "deployment/web", "-n", &w.ns];
        w.plane.kubectl(args).await.ok();
    };
    rollout("pause").await;
    ended(&w, &opened.name_any(), "Paused").await;
    told(&w, "Deployment", "web", "SilenceShortened").await;
    told(&w, "Deployment", "web", "SilenceExpired").await;
    let reasons = events(&w, "Deployment", "web").await;
    assert!(
        !reasons.iter().any(|reason| reason == "SilenceLapsed"),
        "{reasons:?}"
    );
    over(&w, &opened.name_any()).await;
    rollout("resume").await;
    let again = silenced(&w, "web").await;
    assert_eq!(again.name_any(), opened.name_any());
    let_go(&w).await;
    ended(&w, &opened.name_any(), "Succeeded").await;
}

#[apply(any_release)]
async fn each_workload_has_its_own_silence_as_its_annotations_ask() {
    let w = world::start().await;
    let target = json!({"kind": "Deployment"});
    let silence = json!({"lease": "30s", "linger": "1s", "matchers": ["severity!=\"critical\""]});
    w.put(
        "MaintenancePolicy",
        "all",
        json!({"targets": [target], "silence": silence}),
    )
    .await;
    fire(&w, &["r.one", "rxone"]).await;
    let key = |name: &str| format!("alerting.letsrevel.io/{name}");
    let named = json!({key("silence"): "r.one", key("silence-matchers"): "severity!=\"page\"", key("silence-lease"): "30s"});
    let disabled = json!({key("maintenance"): "disabled"});
    let wrong = json!({key("silence"): "namespace", key("silence-lease"): "soon"});
    let missing = json!({key("silence"): "gone"});
    for (name, annotations) in [
        ("policy", json!({})),
        ("named", named),
        ("missing", missing),
        ("opted-out", disabled),
        ("wrong", wrong),
    ] {
        create(&w, deployment(name, &annotations, &held(&w))).await;
    }
    let matchers = |silence: &Silence| silence.status.clone().unwrap_or_default().matchers;
    let by_policy = silenced(&w, "policy").await;
    let by_name = silenced(&w, "named").await;
    assert_ne!(id(&by_policy), id(&by_name));
    assert!(
        matchers(&by_policy).contains(&"severity!=\"critical\"".to_owned()),
        "{by_policy:?}"
    );
    assert!(
        matchers(&by_policy)
            .iter()
            .any(|m| m.starts_with("__alertwright__=~")),
        "{by_policy:?}"
    );
    assert!(
        matchers(&by_name).contains(&"severity!=\"page\"".to_owned()),
        "{by_name:?}"
    );
    assert!(silenced_by(&w, "r.one").await.contains(&id(&by_name)));
    assert_eq!(silenced_by(&w, "rxone").await, [id(&by_policy)]);
    told(&w, "Deployment", "wrong", "InvalidMaintenance").await;
    told(&w, "Deployment", "missing", "UnknownAlertRule").await;
    assert_eq!(silences_of(&w, "wrong").await.len(), 0);
    assert_eq!(silences_of(&w, "opted-out").await.len(), 0);
    assert_eq!(
        events(&w, "Deployment", "opted-out").await,
        Vec::<String>::new(),
        "no word either"
    );
    // One that ends leaves the other alone.
    w.plane
        .kubectl(["delete", "deployment", "named", "-n", &w.ns])
        .await
        .ok();
    becomes(&w, &id(&by_name), "expired").await;
    assert_eq!(state(&w, &id(&by_policy)).await.as_deref(), Some("active"));
}

#[apply(any_release)]
async fn what_a_policy_excludes_still_notifies() {
    let w = world::start().await;
    let silence = json!({"lease": "60s", "linger": "1s", "matchers": ["probe!=\"critical\""]});
    w.put(
        "MaintenancePolicy",
        "all",
        json!({"targets": [{"kind": "Deployment"}], "silence": silence}),
    )
    .await;
    create(&w, deployment("web", &json!({}), &held(&w))).await;
    let opened = silenced(&w, "web").await;
    fire(&w, &["critical", "warning"]).await;
    assert_eq!(silenced_by(&w, "warning").await, [id(&opened)]);
    assert_eq!(silenced_by(&w, "critical").await, Vec::<String>::new());
}

#[apply(any_release)]
async fn a_restarted_operator_takes_up_a_running_rollout_and_ends_a_finished_one() {
    let mut w = world::start().await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    let opened = silenced(&w, "web").await;
    w.operator.kill();
    w.operator.restart().await.expect("it starts again");
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
    let taken_up = silenced(&w, "web").await;
    assert_eq!(
        (taken_up.name_any(), id(&taken_up)),
        (opened.name_any(), id(&opened))
    );
    assert_eq!(w.grafana.silences().await.len(), 1);

    w.operator.kill();
    let_go(&w).await;
    let args = [
        "rollout",
        "status",
        "deployment/web",
        "-n",
        &w.ns,
        "--timeout=60s",
    ];
    w.plane.kubectl(args).await.ok();
    w.operator.restart().await.expect("it starts again");
    ended(&w, &opened.name_any(), "Succeeded").await;
    becomes(&w, &id(&opened), "expired").await;
}

#[apply(any_release)]
async fn without_an_operator_or_progress_the_lease_runs_out_by_itself() {
    let mut w = world::start().await;
    create(&w, deployment("idle", &asking("8s", "2s"), &held(&w))).await;
    let opened = silenced(&w, "idle").await;
    // No progress: the lease is not extended, and is said to have lapsed.
    becomes(&w, &id(&opened), "expired").await;
    ended(&w, &opened.name_any(), "Lapsed").await;
    told(&w, "Deployment", "idle", "SilenceLapsed").await;

    create(&w, deployment("alone", &asking("8s", "2s"), &held(&w))).await;
    let opened = silenced(&w, "alone").await;
    w.operator.kill();
    becomes(&w, &id(&opened), "expired").await;
}

#[apply(any_release)]
async fn a_wrong_policy_says_so_and_a_suspended_one_opens_nothing() {
    let w = world::start().await;
    let refused = async |spec: Value| {
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "metadata": {"name": "wrong"}, "spec": spec});
        w.plane
            .kubectl_with_input(["apply", "-n", &w.ns, "-f", "-"], &object.to_string())
            .await
            .refused()
    };
    let targets = json!([{"kind": "Deployment"}]);
    let refusal = refused(json!({"targets": targets, "silence": {"matchers": ["no matcher"]}})).await;
    assert!(refusal.contains("spec.silence.matchers[0]"), "{refusal}");
    let refusal = refused(json!({"targets": [{"kind": "Pod"}]})).await;
    assert!(refusal.contains("spec.targets[0].kind"), "{refusal}");
    let refusal = refused(json!({"targets": targets, "silence": {"lease": "soon"}})).await;
    assert!(refusal.contains("spec.silence.lease"), "{refusal}");
    let unreadable = json!({"matchExpressions": [{"key": "a", "operator": "Near", "values": ["b"]}]});
    w.put(
        "MaintenancePolicy",
        "unreadable",
        json!({"targets": [{"kind": "Deployment", "selector": unreadable}]}),
    )
    .await;
    w.reason::<MaintenancePolicy>("unreadable", "Invalid").await;
    assert!(
        w.message::<MaintenancePolicy>("unreadable")
            .await
            .contains("spec.targets[0].selector")
    );

    w.put(
        "MaintenancePolicy",
        "off",
        json!({"targets": targets, "suspend": true}),
    )
    .await;
    w.reason::<MaintenancePolicy>("off", "Suspended").await;
    create(&w, deployment("web", &json!({}), &held(&w))).await;
    wait::never("a silence of a suspended policy", A_WHILE, async || {
        !silences_of(&w, "web").await.is_empty()
    })
    .await;
    // Once it is not suspended any more, what is under way is silenced.
    w.put(
        "MaintenancePolicy",
        "off",
        json!({"targets": targets, "suspend": false}),
    )
    .await;
    silenced(&w, "web").await;
    wait::until("the policy counts its workloads", SOON, async || {
        let policy = w.api::<MaintenancePolicy>().await.get("off").await.ok()?;
        (policy.status?.workloads == Some(1)).then_some(())
    })
    .await;
}
