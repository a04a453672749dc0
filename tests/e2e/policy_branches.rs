//! Branches of the policy tree: each team's own routes in the one tree that a Grafana has.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::trial::Need;
use alertwright_testbed::{any_release, apply, every_release, wait};
use kube::Api;
use serde_json::{Value, json};

use crate::alarm::{self, assert_rests};
use crate::notification_policy::{contact_point, own_tree};
use crate::world::{self, Reported, SOON, World};

/// A root that sends everything to `ops`, with a route of its own.
fn root() -> Value {
    json!({"receiver": "ops", "routes": [{"matchers": ["severity=\"critical\""], "continue": true}]})
}

/// What a branch of this namespace looks like in Grafana.
fn route(w: &World, name: &str, rest: Value) -> Value {
    let escaped = |text: &str| text.replace('-', "\\-");
    let mut route = json!({
        "object_matchers": [
            ["__alertwright__", "=~", format!("{}/{}/.+", escaped(&w.home), escaped(&w.ns))],
            ["__alertwright_tree__", "!=", format!("{}/{}/{name}", w.home, w.ns)],
        ],
    });
    let Value::Object(rest) = rest else {
        panic!("no object: {rest}")
    };
    for (key, value) in rest {
        route[key] = value;
    }
    route
}

/// The routes of the tree in Grafana, without its mark.
async fn routes(w: &World) -> Value {
    own_tree(w).await["routes"].clone()
}

/// Where a branch stands, as its status says.
async fn standing(w: &World, name: &str) -> (Option<String>, Option<i64>) {
    let status = w.synced::<NotificationPolicy>(name).await.status;
    let status = status.unwrap_or_default();
    (status.root, status.position)
}

#[apply(every_release)]
async fn a_branch_stands_in_the_tree_of_its_root_until_it_is_deleted() {
    let w = world::start().await;
    for name in ["ops", "team", "phone"] {
        contact_point(&w, name).await;
    }
    w.put("NotificationPolicy", "tree", root()).await;
    w.synced::<NotificationPolicy>("tree").await;
    let before = own_tree(&w).await;
    w.proxy.reset();
    let spec = json!({
        "parentRef": {"name": "tree"}, "receiver": "team", "groupWait": "10s",
        "routes": [{"matchers": ["severity=\"critical\""], "receiver": "phone"}],
    });
    w.put("NotificationPolicy", "own", spec.clone()).await;
    let path = format!("{}/tree", w.ns);
    assert_eq!(standing(&w, "own").await, (Some(path), Some(1)));
    let calls = w.proxy.reset();
    assert_eq!(
        (calls.of("PUT", w.tree_at()).len(), calls.writes().len()),
        (1, 1),
        "{calls}"
    );
    let critical = json!({"receiver": "phone", "object_matchers": [["severity", "=", "critical"]]});
    let own = route(
        &w,
        "own",
        json!({"receiver": "team", "continue": true, "group_wait": "10s", "routes": [critical]}),
    );
    assert_eq!(routes(&w).await, json!([own, before["routes"][0]]));
    let status = w.synced::<NotificationPolicy>("tree").await.status;
    assert_eq!(status.and_then(|status| status.branches), Some(1));
    assert_rests(&w).await;

    // A change of it is one write too.
    let mut changed = spec;
    changed["exclusive"] = json!(true);
    w.put("NotificationPolicy", "own", changed).await;
    w.synced::<NotificationPolicy>("own").await;
    assert_eq!(routes(&w).await[0]["continue"], Value::Null);
    assert_eq!(w.proxy.reset().writes().len(), 1);

    // What it sends to can't go, and hears who is in the way.
    let points: Api<ContactPoint> = w.api().await;
    points
        .delete("phone", &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<ContactPoint>("phone", "InUse").await;
    let message = w.message::<ContactPoint>("phone").await;
    assert!(
        message.contains(&format!("NotificationPolicy {}/own still refers to it", w.ns)),
        "{message}"
    );
    w.proxy.reset();
    w.delete::<NotificationPolicy>("own").await;
    assert_eq!(own_tree(&w).await, before);
    assert_eq!(w.proxy.requests().of("PUT", w.tree_at()).len(), 1);
    wait::until("the contact point is gone", SOON, async || {
        points.get_opt("phone").await.is_ok_and(|found| found.is_none())
    })
    .await;
    let status = w.synced::<NotificationPolicy>("tree").await.status;
    assert_eq!(status.and_then(|status| status.branches), None);
}

/// Namespaces of the example's teams, by their names in it, and the operator that watches them.
struct Teams {
    w: World,
    by_name: Vec<(&'static str, String)>,
}

impl Teams {
    async fn start(w: World) -> Self {
        Self::start_as(w, false).await
    }

    /// The same with an operator whose rights don't go with a namespace.
    async fn start_with_all_rights(w: World) -> Self {
        Self::start_as(w, true).await
    }

    async fn start_as(mut w: World, has_all_rights: bool) -> Self {
        w.operator.terminate().await;
        let mut by_name = vec![("platform", w.ns.clone())];
        for name in ["payments", "search"] {
            by_name.push((name, w.plane.namespace(name).await));
        }
        let watched: Vec<&str> = by_name.iter().map(|(_, ns)| ns.as_str()).collect();
        let rights = if has_all_rights {
            Watch::All
        } else {
            Watch::Namespaces(&watched)
        };
        w.kubeconfig = w.plane.operator_account(&w.home, rights).await;
        w.operator = world::operator(&w.home, &watched.join(","), &w.kubeconfig)
            .start()
            .await
            .expect("the operator starts");
        Self { w, by_name }
    }

    fn namespace(&self, name: &str) -> &str {
        let found = self.by_name.iter().find(|(known, _)| *known == name);
        &found.expect("a team of the example").1
    }

    /// Applies a file of the example, with these texts replaced.
    async fn apply(&self, file: &str, replaced: &[(&str, String)]) {
        let path = world::root().join("deploy/examples/teams").join(file);
        let mut text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (name, ns) in &self.by_name {
            text = text.replace(&format!("namespace: {name}"), &format!("namespace: {ns}"));
        }
        let shared = format!(
            "shared-with: {},{}",
            self.namespace("payments"),
            self.namespace("search")
        );
        text = text.replace("shared-with: payments,search", &shared);
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        self.w
            .plane
            .kubectl_with_input(["apply", "-f", "-"], &text)
            .await
            .ok();
    }

    /// Waits until a policy has this reason, and gives it.
    async fn policy(&self, team: &str, name: &str, reason: &str) -> NotificationPolicy {
        let api: Api<NotificationPolicy> = Api::namespaced(self.w.client().await, self.namespace(team));
        wait::until(&format!("{team}/{name} is {reason}"), SOON, async || {
            let policy = api.get_opt(name).await.ok().flatten()?;
            let ready = policy.conditions().into_iter().find(|c| c.type_ == "Ready")?;
            let is_so = ready.reason == reason && ready.observed_generation == policy.metadata.generation;
            is_so.then_some(policy)
        })
        .await
    }

    /// The branches of the tree in Grafana, as `namespace/name`, in order.
    async fn branches(&self) -> Vec<String> {
        let tree = own_tree(&self.w).await;
        let routes = tree["routes"].as_array().cloned().unwrap_or_default();
        let marks = routes.iter().flat_map(|route| {
            let matchers = route["object_matchers"].as_array().cloned().unwrap_or_default();
            matchers
                .into_iter()
                .filter(|matcher| matcher[0] == "__alertwright_tree__")
        });
        let own = format!("{}/", self.w.home);
        marks
            .filter_map(|mark| Some(mark[2].as_str()?.strip_prefix(&own)?.to_owned()))
            .collect()
    }

    /// The path of a policy that is called like its team.
    fn path(&self, team: &str) -> String {
        format!("{}/{team}", self.namespace(team))
    }
}

/// Each place of the example, and the sink behind its address.
const PLACES: [&str; 5] = ["ops", "on-call", "payments", "search", "noise"];

/// Who is told of an alert of the example, by its team and severity.
const TOLD: [(&str, &str, &[&str]); 6] = [
    ("payments", "warning", &["payments"]),
    ("payments", "critical", &["on-call", "payments"]),
    ("search", "warning", &["search"]),
    ("search", "info", &["noise"]),
    ("search", "critical", &["on-call"]),
    ("platform", "warning", &["ops"]),
];

#[apply(any_release)]
async fn each_team_of_the_example_is_told_of_its_own_alerts_as_its_guide_says() {
    let (w, sinks) = alarm::world().await;
    let teams = Teams::start(w).await;
    teams.w.grafana.needs(Need::FastRules);
    let replaced = [
        ("https://hooks.example.com".to_owned(), sinks.http.url()),
        (
            "groupWait: 30s".to_owned(),
            "groupWait: 1s\n  groupInterval: 1s\n  repeatInterval: 1h".to_owned(),
        ),
    ];
    let replaced: Vec<_> = replaced
        .iter()
        .map(|(from, to)| (from.as_str(), to.clone()))
        .collect();
    // Branches first: they wait for their root.
    for file in ["search.yaml", "payments.yaml", "platform.yaml"] {
        teams.apply(file, &replaced).await;
    }
    for team in ["payments", "search"] {
        teams.policy(team, team, "Synced").await;
    }
    assert_eq!(
        teams.branches().await,
        [teams.path("payments"), teams.path("search")]
    );
    for (team, severity, _) in &TOLD {
        let always = json!({
            "refId": "A", "datasourceUid": "__expr__",
            "model": {"refId": "A", "type": "math", "expression": "1 > 0", "datasource": {"type": "__expr__", "uid": "__expr__"}},
        });
        let rule = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": format!("{team}-{severity}")},
            "spec": {"data": [always], "condition": "A", "interval": "1s", "for": "0s", "severity": severity},
        });
        teams
            .w
            .plane
            .apply(&rule.to_string(), teams.namespace(team))
            .await;
    }
    let told = |alert: &str| {
        let is_told = |place: &&&str| {
            let received = sinks.http.received(&format!("/{place}"));
            received
                .iter()
                .any(|received| received.body.to_string().contains(&format!("\"{alert}\"")))
        };
        let mut told: Vec<&str> = PLACES.iter().filter(|place| is_told(place)).copied().collect();
        told.sort_unstable();
        told
    };
    for (team, severity, expected) in &TOLD {
        let alert = format!("{team}-{severity}");
        wait::until(&format!("{alert} reaches {expected:?}"), SOON * 3, async || {
            let told = told(&alert);
            if told == *expected {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(&told)
            }
        })
        .await;
    }
    // By now all have been routed, so nobody else is told any more.
    for (team, severity, expected) in &TOLD {
        assert_eq!(
            told(&format!("{team}-{severity}")),
            *expected,
            "{team} {severity}"
        );
    }
}

#[apply(every_release)]
async fn a_branch_of_another_namespace_joins_when_it_is_shared_and_a_broken_one_hurts_nobody() {
    let teams = Teams::start(world::start().await).await;
    for file in ["platform.yaml", "payments.yaml", "search.yaml"] {
        teams.apply(file, &[]).await;
    }
    let payments = teams.policy("payments", "payments", "Synced").await;
    let status = payments.status.unwrap_or_default();
    assert_eq!(
        status.root.as_deref(),
        Some(format!("{}/root", teams.w.ns).as_str())
    );
    teams.policy("search", "search", "Synced").await;
    assert_eq!(
        teams.branches().await,
        [teams.path("payments"), teams.path("search")]
    );

    // A higher priority stands first.
    teams
        .apply(
            "search.yaml",
            &[(
                "  exclusive: true",
                "  exclusive: true\n  priority: 10".to_owned(),
            )],
        )
        .await;
    wait::until("search stands first", SOON, async || {
        teams.branches().await == [teams.path("search"), teams.path("payments")]
    })
    .await;

    // What the API server can't afford to check breaks one alone, which says so in its status and in an event.
    teams
        .apply(
            "search.yaml",
            &[("['severity=\"info\"']", "['severity=~\"(\"']".to_owned())],
        )
        .await;
    teams.policy("search", "search", "Invalid").await;
    wait::until("it is left out", SOON, async || {
        teams.branches().await == [teams.path("payments")]
    })
    .await;
    let left_out: Api<NotificationPolicy> =
        Api::namespaced(teams.w.client().await, teams.namespace("search"));
    wait::until("its status says that it stands nowhere", SOON, async || {
        let status = left_out.get("search").await.ok()?.status.unwrap_or_default();
        (status.root.is_none() && status.position.is_none()).then_some(())
    })
    .await;
    let events = [
        "get",
        "events",
        "-n",
        teams.namespace("search"),
        "-o",
        "jsonpath={.items[*].message}",
    ];
    wait::until("an event says why", SOON, async || {
        let said = teams.w.plane.kubectl(events).await.ok();
        said.contains("spec.routes[0].matchers[0]")
    })
    .await;
    teams.policy("payments", "payments", "Synced").await;
    let expected = format!("{} (Invalid)", teams.path("search"));
    wait::until("its root names it", SOON, async || {
        let root = teams.policy("platform", "root", "Synced").await;
        let ready = root.conditions().into_iter().find(|c| c.type_ == "Ready")?;
        ready.message.contains(&expected).then_some(())
    })
    .await;

    // The owner of the root takes it back.
    let annotate = [
        "annotate",
        "--overwrite",
        "-n",
        &teams.w.ns,
        "notificationpolicy",
        "root",
    ];
    let shared = format!("alerting.letsrevel.io/shared-with={}", teams.namespace("search"));
    teams
        .w
        .plane
        .kubectl([&annotate[..], &[shared.as_str()]].concat())
        .await
        .ok();
    teams.policy("payments", "payments", "DependencyMissing").await;
    teams.apply("search.yaml", &[]).await;
    teams.policy("search", "search", "Synced").await;
    wait::until("only search is left", SOON, async || {
        teams.branches().await == [teams.path("search")]
    })
    .await;
    assert_rests(&teams.w).await;
}

#[apply(any_release)]
async fn a_namespace_goes_with_its_branch_and_a_root_that_goes_says_so_to_its_branches() {
    let teams = Teams::start_with_all_rights(world::start().await).await;
    let fresh = teams.w.grafana.policy_tree().await;
    for file in ["platform.yaml", "payments.yaml", "search.yaml"] {
        teams.apply(file, &[]).await;
    }
    for team in ["payments", "search"] {
        teams.policy(team, team, "Synced").await;
    }
    let gone = ["delete", "namespace", teams.namespace("search"), "--timeout=60s"];
    teams.w.plane.kubectl(gone).await.ok();
    assert_eq!(teams.branches().await, [teams.path("payments")]);
    assert!(teams.w.grafana.contact_point("search").await.is_empty());

    teams.w.delete::<NotificationPolicy>("root").await;
    assert_eq!(teams.w.grafana.policy_tree().await, fresh);
    let api: Api<NotificationPolicy> = Api::namespaced(teams.w.client().await, teams.namespace("payments"));
    wait::until("the branch says that it stands nowhere", SOON, async || {
        let branch = api.get("payments").await.ok()?;
        let ready = branch.conditions().into_iter().find(|c| c.type_ == "Ready")?;
        let stands = branch.status.and_then(|status| status.root);
        (ready.reason == "DependencyMissing" && stands.is_none()).then_some(())
    })
    .await;
    // A branch that is in no tree waits for nobody.
    let gone = [
        "delete",
        "notificationpolicy",
        "payments",
        "-n",
        teams.namespace("payments"),
        "--timeout=30s",
    ];
    teams.w.plane.kubectl(gone).await.ok();
}
