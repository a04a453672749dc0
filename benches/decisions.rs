//! What single decisions cost: pure functions, with nothing else running. `make microbench` prints them.
#![allow(clippy::expect_used, reason = "what is measured must be right")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use alertwright::api::NotificationPolicySpec;
use alertwright::domain::notification::branches::{self, Branch};
use alertwright::domain::notification::policy;
use alertwright::domain::notification::receiver::Target;
use alertwright::domain::ownership::{LABEL, Owner, Owners};
use alertwright::domain::routing::walk::{Labels, Node, Verdict};
use alertwright::domain::rule::decision::{self, Decision};
use alertwright::domain::rule::query::{Split, split};
use alertwright::grafana::api::FoundRule;
use alertwright::grafana::model::{self, Route};
use criterion::{BatchSize, Criterion};
use serde_json::json;

const BRANCHES: usize = 200;
const ROUTES: usize = 1_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    splitter(&mut criterion);
    difference(&mut criterion);
    assembly(&mut criterion);
    walk(&mut criterion);
    criterion.final_summary();
}

/// A query is taken apart into what Grafana asks its source, and the threshold.
fn splitter(criterion: &mut Criterion) {
    let short = r#"rate({service="revel", level="error"} |= "unhandled" [5m]) > 0.1"#;
    let long = r#"(
        sum by (cluster, namespace) (rate(http_requests_total{job="api", code=~"5..", path!~"/(health|ready)"}[5m]))
        / sum by (cluster, namespace) (rate(http_requests_total{job="api", path!~"/(health|ready)"}[5m]))
        and on (cluster, namespace) sum by (cluster, namespace) (rate(http_requests_total{job="api"}[5m])) > bool 0
    ) > 5 * 1024 / 100"#;
    for (name, query) in [("short", short), ("long", long)] {
        let found = split(query).expect("a query");
        assert!(matches!(found, Split::Comparison { .. }), "{found:?}");
        let name = format!("splitter/{name} query");
        criterion.bench_function(&name, |bencher| bencher.iter(|| split(black_box(query))));
    }
}

/// A rule as it is wished beside the one that Grafana has.
fn difference(criterion: &mut Criterion) {
    let owner = Owner::parse("prod").expect("an owner");
    let label = owner.label("team", "errors");
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let text_of = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(text_of).collect()
    };
    let query = |ref_id: &str| model::Query {
        ref_id: ref_id.to_owned(),
        datasource_uid: "loki".to_owned(),
        model: json!({"expr": r#"sum(rate({app="web"} |= "error" [5m]))"#, "instant": true, "refId": ref_id}),
        ..model::Query::default()
    };
    let mut wish = model::AlertRule {
        uid: owner.rule_uid("team", "errors"),
        folder_uid: owner.folder_uid("team"),
        group: Some("errors".to_owned()),
        interval: Duration::from_secs(60),
        title: "Many errors".to_owned(),
        condition: "C".to_owned(),
        data: ["A", "B", "C"].map(query).to_vec(),
        r#for: "5m".to_owned(),
        annotations: text(&[
            ("summary", "{{ $value }} errors a second"),
            ("runbook_url", "https://example.com"),
        ]),
        labels: text(&[
            ("severity", "critical"),
            ("team", "backend"),
            (LABEL, label.as_str()),
        ]),
        provenance: Some("api".to_owned()),
        ..model::AlertRule::default()
    };
    let found = FoundRule::of(&wish);
    let same = wish.clone();
    wish.labels.insert("team".to_owned(), "frontend".to_owned());
    for (name, wish, expected) in [
        ("none", same, Decision::Keep),
        ("of a label", wish, Decision::Update(vec!["labels"])),
    ] {
        let decide = || decision::decide(black_box(&wish), black_box(Some(&found)), &label, false);
        assert_eq!(decide(), expected);
        let name = format!("difference of a rule/{name}");
        criterion.bench_function(&name, |bencher| bencher.iter(decide));
    }
}

/// A tree out of its root and the branches of so many namespaces.
fn assembly(criterion: &mut Criterion) {
    let owners = Owners::new(Owner::parse("prod").expect("an owner"), &[]);
    let spec = json!({
        "receiver": "team", "groupBy": ["alertname"],
        "routes": [{"matchers": ["severity=\"critical\""], "receiver": "pager"}, {"matchers": ["severity=~\"info|low\""], "receiver": "chat"}],
    });
    let spec: NotificationPolicySpec = serde_json::from_value(spec).expect("a policy");
    let branch = |number: usize| {
        let namespace = format!("team-{number:03}");
        let pattern = owners.namespace_pattern(&namespace);
        let called = |target: &Target| match target {
            Target::ContactPoint { name, .. } => Ok(format!("{namespace}/{name}")),
            Target::Grafana { name } => Ok(name.clone()),
        };
        let route = policy::branch(&spec, Some(&pattern), called, |_| Ok(String::new()));
        Branch {
            route: branches::marked(route.expect("a branch"), &format!("prod/{namespace}/branch")),
            priority: i32::from(number.is_multiple_of(7)),
            resource: (namespace, "branch".to_owned()),
        }
    };
    let made = || -> Vec<Branch> { (0..BRANCHES).rev().map(branch).collect() };
    let root: Route = serde_json::from_value(json!({"receiver": "ops"})).expect("a route");
    let tree = branches::assemble(root.clone(), made());
    assert_eq!(tree.routes.len(), BRANCHES);
    let name = format!("tree of {BRANCHES} branches/of their specifications");
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| branches::assemble(root.clone(), made()));
    });
    let name = format!("tree of {BRANCHES} branches/of their routes");
    criterion.bench_function(&name, |bencher| {
        let input = || (root.clone(), made());
        bencher.iter_batched(
            input,
            |(root, made)| branches::assemble(root, made),
            BatchSize::SmallInput,
        );
    });
    let name = format!("tree of {BRANCHES} branches/read back");
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| branches::standings(black_box(&tree)).len());
    });
}

/// An alert through a tree in which only the last route takes it.
fn walk(criterion: &mut Criterion) {
    let routes: Vec<_> = (0..ROUTES)
        .map(|number| {
            json!({"receiver": "team", "object_matchers": [["team", "=~", format!("team-{number}|t-{number}")], ["severity", "!=", "none"]]})
        })
        .collect();
    let tree = json!({"receiver": "ops", "routes": routes});
    let tree: Route = serde_json::from_value(tree).expect("a tree");
    let labels: Labels = [
        ("alertname", "Many errors".to_owned()),
        ("severity", "critical".to_owned()),
        ("team", format!("team-{}", ROUTES - 1)),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into();
    let node = Node::of(&tree).expect("matchers");
    let step = node.walk(&labels).expect("a way");
    assert_eq!(step.below.last().map(|step| step.verdict), Some(Verdict::Takes));
    criterion.bench_function(&format!("policy walk/read {ROUTES} routes"), |bencher| {
        bencher.iter(|| Node::of(black_box(&tree)));
    });
    criterion.bench_function(&format!("policy walk/past {ROUTES} routes"), |bencher| {
        bencher.iter(|| node.walk(black_box(&labels)).map(|step| step.taken().len()));
    });
}
