//! What it costs to take over a Grafana that people have filled: marks, and the contact points whose secrets it hides.

use alertwright::api::{AlertRule, ContactPoint, NotificationTemplate, Silence, TimeInterval};
use alertwright_testbed::{any_release, apply, wait};

use super::filled::{self, FOREIGN, SOON};
use crate::addresses::BULK_READ;

const INTO: &str = "taken-over";

/// Fills in what is empty in a Secret that `--secrets-file` has written.
fn filled_in(secrets: &str) -> String {
    let lines =
        secrets.lines().map(
            |line| match line.strip_suffix(": ''").or_else(|| line.strip_suffix(": \"\"")) {
                Some(key) => format!("{key}: https://hooks.example.com/{}\n", key.trim()),
                None => format!("{line}\n"),
            },
        );
    lines.collect()
}

#[apply(any_release)]
async fn taking_over_500_objects_writes_their_marks_and_hidden_secrets_and_nothing_else() {
    let filled = filled::start().await;
    let count = |kind: &str| {
        FOREIGN
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or(0, |(_, count)| *count)
    };
    assert_eq!(FOREIGN.iter().map(|(_, count)| count).sum::<usize>(), 500);
    let ours = filled.grafana.rules().await.len() - count("rules");
    assert_eq!(ours, 10);

    filled.proxy.reset();
    let export = "kubectl alertwright export all -d taken --target-namespace taken-over --adopt --secrets-file secrets.yaml";
    let (report, code) = filled.desk.runs(export).await;
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(
        filled.proxy.requests().writes().len(),
        0,
        "reading writes nothing"
    );
    let last = report.lines().last().unwrap_or_default();
    println!("{last}");
    let hidden: usize = last
        .split("; ")
        .find_map(|part| part.strip_suffix(" contact points whose secrets are hidden."))
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("{report}"));
    assert!((1..count("contact points")).contains(&hidden), "{last}");

    let secrets = std::fs::read_to_string(filled.desk.path("secrets.yaml")).expect("the Secret");
    std::fs::write(filled.desk.path("secrets.yaml"), filled_in(&secrets)).expect("the Secret");
    filled.proxy.reset();
    let take = format!(
        "kubectl create namespace {INTO} && kubectl apply -n {INTO} -f secrets.yaml && kubectl apply --server-side -k taken"
    );
    let (said, code) = filled.desk.runs(&take).await;
    assert_eq!(code, Some(0), "{said}");
    wait::until("all is in sync", SOON * 2, async || {
        let synced = [
            filled.synced::<AlertRule>(INTO).await == count("rules"),
            filled.synced::<ContactPoint>(INTO).await == count("contact points"),
            filled.synced::<TimeInterval>(INTO).await == count("time intervals"),
            filled.synced::<NotificationTemplate>(INTO).await == count("templates"),
            filled.synced::<Silence>(INTO).await == count("silences"),
        ];
        synced.iter().all(|is_so| *is_so).then_some(())
    })
    .await;
    let writes = filled.proxy.requests().writes();
    println!(
        "taking over 500 objects: {} writes\n{:#?}",
        writes.len(),
        writes.by_class()
    );
    let of = |what: &[&str]| {
        writes
            .filter(|call| what.iter().any(|what| call.path.contains(what)))
            .len()
    };
    let points = of(&["/contact-points", "/receivers"]);
    let rules = of(&["/alert-rules", "/alertrules", "/rule-groups"]);
    assert_eq!(
        points, hidden,
        "a write for each contact point whose secrets are hidden"
    );
    // Of those that are written together one for all.
    assert!((1..=count("rules")).contains(&rules), "{writes}");
    assert_eq!(writes.len(), points + rules, "nothing else is written: {writes}");
    assert_eq!(filled.grafana.rules().await.len(), count("rules") + ours);
    assert_eq!(
        filled.grafana.active_silences().await.len(),
        count("silences") + 1
    );

    filled.proxy.reset();
    let reads = || filled.proxy.requests().of("GET", BULK_READ).len();
    wait::until("Grafana is read anew", SOON * 2, async || reads() >= 2).await;
    let writes = filled.proxy.requests().writes();
    assert_eq!(writes.len(), 0, "it rests: {writes}");
}
