//! What changes while a rollout is silenced: the wish, the Silence itself, the Grafana that holds it.

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{any_release, apply};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::silences::{A_WHILE, SILENCES, becomes, id, state};
use crate::workloads::{
    applied, asking, deployment, ended, events, held, let_go, notes, roll, settled, silenced, silences_of,
    told,
};
use crate::world::{self, SOON, World};

async fn create(w: &World, object: Value) {
    w.apply(&object.to_string()).await;
}

async fn annotate(w: &World, what: &str, annotation: &str) {
    let args = ["annotate", what, annotation, "--overwrite", "-n", &w.ns];
    w.plane.kubectl(args).await.ok();
}

async fn policy(w: &World, silence: Value) {
    let spec = json!({"targets": [{"kind": "Deployment"}], "silence": silence});
    w.put("MaintenancePolicy", "all", spec).await;
}

#[apply(any_release)]
async fn who_opts_out_under_way_hears_at_once_and_who_asks_again_is_silenced_again() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    let opened = silenced(&w, "web").await;
    annotate(&w, "deployment/web", "alerting.letsrevel.io/maintenance=disabled").await;
    ended(&w, &opened.name_any(), "Withdrawn").await;
    becomes(&w, &id(&opened), "expired").await;
    told(&w, "Deployment", "web", "SilenceWithdrawn").await;
    annotate(&w, "deployment/web", "alerting.letsrevel.io/maintenance-").await;
    let again = silenced(&w, "web").await;
    assert_eq!(
        (again.name_any(), again.spec.starts_at.clone()),
        (opened.name_any(), opened.spec.starts_at.clone()),
        "maxDuration counts from the first time"
    );
    told(&w, "Deployment", "web", "SilenceReopened").await;
    // What can't be read is no wish either.
    annotate(&w, "deployment/web", "alerting.letsrevel.io/silence-lease=soon").await;
    ended(&w, &opened.name_any(), "Withdrawn").await;
    told(&w, "Deployment", "web", "InvalidMaintenance").await;
}

#[apply(any_release)]
async fn an_edited_policy_reaches_an_open_silence_at_once_and_a_deleted_one_ends_it() {
    let w = world::start().await;
    policy(
        &w,
        json!({"lease": "60s", "matchers": ["severity!=\"critical\""]}),
    )
    .await;
    create(&w, deployment("web", &json!({}), &held(&w))).await;
    let opened = silenced(&w, "web").await;
    policy(&w, json!({"lease": "20s", "matchers": ["severity!=\"page\""]})).await;
    let api = w.api::<Silence>().await;
    let edited = wait::until("the silence is as the policy says now", SOON, async || {
        let now = api.get(&opened.name_any()).await.ok()?;
        let text = now.spec.matchers.first()?.as_str().to_owned();
        let is_shorter = now.spec.ends_at.as_ref()?.0 < opened.spec.ends_at.as_ref()?.0;
        (text.contains("page") && is_shorter).then_some(now)
    })
    .await;
    assert_eq!(edited.spec.starts_at, opened.spec.starts_at);
    // Another Grafana is for the next rollout: what is open can't move.
    let elsewhere =
        json!({"targets": [{"kind": "Deployment"}], "instance": "elsewhere", "silence": {"lease": "20s"}});
    w.put("MaintenancePolicy", "all", elsewhere).await;
    w.reason::<MaintenancePolicy>("all", "DependencyMissing").await;
    let before = silenced(&w, "web").await;
    assert_eq!(before.name_any(), opened.name_any());
    let seen = events(&w, "Deployment", "web").await;
    assert!(!seen.iter().any(|reason| reason == "SilenceRefused"), "{seen:?}");
    w.delete::<MaintenancePolicy>("all").await;
    ended(&w, &opened.name_any(), "Withdrawn").await;
    becomes(&w, &id(&before), "expired").await;
}

#[apply(any_release)]
async fn a_silence_that_is_deleted_by_hand_is_over_for_its_rollout_and_one_that_is_edited_is_put_right() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    let opened = silenced(&w, "web").await;
    let far = json!({"spec": {"endsAt": "2099-01-01T00:00:00Z", "suspend": true}}).to_string();
    let patch = [
        "patch",
        "silence",
        &opened.name_any(),
        "-n",
        &w.ns,
        "--type=merge",
        "-p",
        &far,
    ];
    w.plane.kubectl(patch).await.ok();
    told(&w, "Deployment", "web", "SilencePutRight").await;
    let api = w.api::<Silence>().await;
    let right = api.get(&opened.name_any()).await.expect("it is there");
    assert_eq!(
        (&right.spec.ends_at, right.spec.suspend),
        (&opened.spec.ends_at, None)
    );

    let known = silenced(&w, "web").await;
    let delete = ["delete", "silence", &opened.name_any(), "-n", &w.ns];
    w.plane.kubectl(delete).await.ok();
    becomes(&w, &id(&known), "expired").await;
    ended(&w, &opened.name_any(), "Removed").await;
    told(&w, "Deployment", "web", "SilenceRemoved").await;
    // What says that it is over ends itself with the second.
    wait::until("nothing is silenced", SOON, async || {
        w.grafana.active_silences().await.is_empty()
    })
    .await;
    // The rollout goes on, and gets further.
    let_go(&w).await;
    wait::never("another silence", A_WHILE, async || {
        !w.grafana.active_silences().await.is_empty()
    })
    .await;
    // The next one has its own.
    roll(&w, "web", "2", &json!({})).await;
    silenced_or_done(&w, 2).await;
}

#[apply(any_release)]
async fn whatever_a_person_puts_beside_what_a_generated_silence_covers_is_taken_away_again() {
    let w = world::start().await;
    let mut annotations = asking("600s", "2s");
    annotations["alerting.letsrevel.io/silence"] = json!("one,two");
    create(&w, deployment("web", &annotations, &held(&w))).await;
    let api = w.api::<Silence>().await;
    let name = wait::until("web has a silence", SOON, async || {
        silences_of(&w, "web").await.first().map(ResourceExt::name_any)
    })
    .await;
    w.synced::<Silence>(&name).await;
    let before = api.get(&name).await.expect("it is there");
    let outcome = "alerting.letsrevel.io/maintenance-outcome";
    for edit in [
        json!({"spec": {"alertRules": {"names": ["one", "three", "two"]}}}),
        // One excludes the other: an apply of what was there before is refused.
        json!({"spec": {"alertRules": {"names": null, "matchLabels": {"team": "web"}}}}),
        json!({"spec": {"endsAt": null, "duration": "12h"}}),
        json!({"metadata": {"annotations": {outcome: "Failed"}}}),
    ] {
        let (target, edit) = (before.name_any(), edit.to_string());
        let patch = [
            "patch",
            "silence",
            &target,
            "-n",
            &w.ns,
            "--type=merge",
            "-p",
            &edit,
        ];
        w.plane.kubectl(patch).await.ok();
        wait::until(&format!("{edit} is put right"), SOON, async || {
            let now = api.get(&name).await.expect("it is there");
            if now.spec == before.spec && now.annotations() == before.annotations() {
                Seen::Yes(())
            } else {
                wait::not_yet((now.spec, now.metadata.annotations))
            }
        })
        .await;
    }
    told(&w, "Deployment", "web", "SilencePutRight").await;
}

/// Waits until the workload has had so many silences.
async fn silenced_or_done(w: &World, count: usize) {
    wait::until("the next rollout has its own silence", SOON, async || {
        let silences = silences_of(w, "web").await;
        if silences.len() >= count {
            Seen::Yes(())
        } else {
            wait::not_yet(silences)
        }
    })
    .await;
}

#[apply(any_release)]
async fn a_lingering_silence_of_a_living_workload_ends_when_it_is_deleted() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("60s", "10m"), &json!({}))).await;
    let name = wait::until("it has a silence", SOON, async || {
        silences_of(&w, "web").await.first().map(ResourceExt::name_any)
    })
    .await;
    let done = ended(&w, &name, "Succeeded").await;
    w.synced::<Silence>(&name).await;
    w.delete::<Silence>(&name).await;
    becomes(&w, &id(&done), "expired").await;
    assert_eq!(silences_of(&w, "web").await.len(), 0, "its run is over");
}

#[apply(any_release)]
async fn the_old_silence_goes_on_until_grafana_has_the_new_one() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("60s", "1s"), &json!({}))).await;
    let first = settled(&w, "web").await;
    roll(&w, "web", "2", &held(&w)).await;
    let second = silenced(&w, "web").await;
    w.proxy.fault(Fault::status(500).on("POST", SILENCES));
    roll(&w, "web", "3", &json!({})).await;
    silenced_or_done(&w, 3).await;
    wait::never("both are away", A_WHILE, async || {
        state(&w, &id(&second)).await.as_deref() != Some("active")
    })
    .await;
    let third = silences_of(&w, "web").await.into_iter().find(|silence| {
        let name = silence.name_any();
        name != first.name_any() && name != second.name_any()
    });
    let third = third.expect("the third").name_any();
    let told = notes(&w, "Deployment", "web", "SilenceOpened").await;
    assert!(
        !told.iter().any(|note| note.contains(&third)),
        "Grafana hasn't taken the third, {third}: {told:?}"
    );
    w.proxy.clear_faults();
    ended(&w, &second.name_any(), "Superseded").await;
    becomes(&w, &id(&second), "expired").await;
    let third = silenced(&w, "web").await;
    assert_ne!(third.name_any(), second.name_any());
}

#[apply(any_release)]
async fn a_silence_of_nothing_ends_and_goes_and_one_for_ever_is_kept() {
    let w = world::start().await;
    let soon = json!({"alertRules": {"names": ["no-such-rule"]}, "duration": "4s", "ttlAfterExpiry": "1s"});
    w.put("Silence", "nothing", soon).await;
    let api = w.api::<Silence>().await;
    wait::until("it is gone", SOON, async || {
        api.get_opt("nothing").await.is_ok_and(|found| found.is_none())
    })
    .await;
    let nowhere = json!({"matchers": ["a=b"], "instance": "elsewhere", "endsAt": "2020-01-01T00:00:00Z"});
    w.put("Silence", "nowhere", nowhere).await;
    w.reason::<Silence>("nowhere", "Expired").await;
    let suspended = json!({"matchers": ["a=b"], "suspend": true, "endsAt": "2020-01-01T00:00:00Z"});
    w.put("Silence", "suspended", suspended).await;
    w.reason::<Silence>("suspended", "Expired").await;
    let ever = json!({"matchers": ["team=a"], "endsAt": "9999-12-31T23:59:59Z"});
    w.put("Silence", "ever", ever).await;
    let ever = w.synced::<Silence>("ever").await;
    becomes(&w, &id(&ever), "active").await;
    let before = applied(&w).await;
    crate::silences::calls_at_rest(&w).await;
    assert!(applied(&w).await <= before);
}

#[apply(any_release)]
async fn a_grafana_instance_that_changes_while_a_silence_is_written_makes_no_second_one() {
    let w = world::start().await;
    let token = w.grafana.token().await;
    let slow = Fault::delay(std::time::Duration::from_secs(3))
        .on("POST", SILENCES)
        .times(1);
    w.proxy.fault(slow);
    w.put("Silence", "s", json!({"matchers": ["team=a"], "duration": "1h"}))
        .await;
    wait::until("the silence is being written", SOON, async || {
        !w.proxy.requests().of("POST", SILENCES).is_empty()
    })
    .await;
    world::connect(
        w.plane,
        &w.home,
        &w.proxy.url(),
        &token,
        json!({"resyncInterval": "60s"}),
    )
    .await;
    w.synced::<Silence>("s").await;
    wait::never("two silences", A_WHILE, async || {
        w.grafana.active_silences().await.len() > 1
    })
    .await;
}

#[apply(any_release)]
async fn a_deployment_that_is_created_again_has_its_silence_also_when_the_old_one_is_slow_to_go() {
    let w = world::start().await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    let old = silenced(&w, "web").await;
    w.proxy.fault(Fault::status(500).on("DELETE", "/api/v2/silence/"));
    w.plane
        .kubectl(["delete", "deployment", "web", "-n", &w.ns])
        .await
        .ok();
    let api = w.api::<Silence>().await;
    wait::until("the old one waits for Grafana", SOON, async || {
        let silence = api.get(&old.name_any()).await.ok()?;
        silence.metadata.deletion_timestamp.map(|_| ())
    })
    .await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    wait::never("what goes is taken for a silence", A_WHILE, async || {
        let seen = api.get(&old.name_any()).await.ok();
        seen.is_none_or(|silence| silence.metadata.deletion_timestamp.is_none())
    })
    .await;
    w.proxy.clear_faults();
    let new = wait::until(
        "the new Deployment has a silence of its own",
        2 * SOON,
        async || {
            let silence = api.get(&old.name_any()).await.ok()?;
            (silence.uid() != old.uid()).then_some(silence)
        },
    )
    .await;
    w.synced::<Silence>(&new.name_any()).await;
    assert_ne!(id(&silenced(&w, "web").await), id(&old));
}

#[apply(any_release)]
async fn what_the_api_server_refuses_is_told_on_the_workload_and_tried_again() {
    let w = world::start().await;
    let name = format!("no-silences-{}", w.ns);
    let silences = json!({"apiGroups": ["alerting.letsrevel.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["silences"]});
    let of_this_test = json!({"matchLabels": {"kubernetes.io/metadata.name": w.ns}});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [silences], "namespaceSelector": of_this_test},
            "validations": [{"expression": "false", "message": "not today"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    create(&w, policy).await;
    create(&w, binding).await;
    let probe = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "probe"},
        "spec": {"matchers": ["a=b"], "duration": "1h"},
    });
    wait::until("silences are refused", SOON, async || {
        let args = ["create", "--dry-run=server", "-n", &w.ns, "-f", "-"];
        let output = w.plane.kubectl_with_input(args, &probe.to_string()).await;
        (!output.success).then_some(())
    })
    .await;
    create(&w, deployment("web", &asking("60s", "2s"), &held(&w))).await;
    told(&w, "Deployment", "web", "SilenceRefused").await;
    assert_eq!(silences_of(&w, "web").await.len(), 0);
    let args = ["delete", "validatingadmissionpolicybinding", &name];
    w.plane.kubectl(args).await.ok();
    silenced(&w, "web").await;
}
