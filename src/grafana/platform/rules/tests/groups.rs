//! The interval of a rule in a group, which all its rules share.

use super::*;

/// The list of a group's rules of a kind.
fn of(kind: &str, group: &str) -> String {
    format!("GET {kind}?labelSelector=grafana.app%2Ffolder%3Df%2Cgrafana.com%2Fgroup%3D{group}&limit=500")
}

/// A Grafana in which the group `g` has our rule and one of this owner, both of this interval, and which stores what it is sent.
async fn with_sibling(owner: &str, interval: &str) -> (Rules, Seen) {
    let rule = object("r", Some(("g", "0")), interval, "ours/r");
    let members = [rule.clone(), object("s", Some(("g", "1")), interval, owner)];
    Script::new()
        .answers(&of(ALERTS, "g"), 200, page(&members, ""))
        .answers(&of(RECORDINGS, "g"), 200, page(&[], ""))
        .answers(&format!("GET {ALERTS}/r"), 200, rule.clone())
        .answers(&format!("PUT {ALERTS}/r"), 200, rule)
        .serve()
        .await
}

/// Our rule as it was found in its group.
fn before(interval: &str) -> FoundRule {
    found_of(object("r", Some(("g", "0")), interval, "ours/r"))
}

fn every(seconds: u64) -> AlertRule {
    AlertRule {
        interval: Duration::from_secs(seconds),
        ..rule()
    }
}

async fn put_interval(rules: &Rules, rule: &AlertRule, found: &FoundRule) -> Result<Stored> {
    let write = RuleWrite {
        rule,
        found: Some(found),
        only_interval: true,
        interval_by_itself: &|| Duration::from_secs(60),
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    rules.put(write).await
}

/// What was sent last, if it was a write.
fn written(seen: &Seen) -> Option<Value> {
    let (call, sent) = seen.lock().last().cloned().unwrap();
    call.starts_with("PUT").then_some(sent)
}

#[tokio::test]
async fn a_rule_of_a_group_is_replaced_in_the_state_that_was_found_after_a_look_at_its_interval() {
    let (rules, seen) = with_sibling("theirs/s", "1m").await;
    let stored = put(&rules, &rule(), Some(&before("1m"))).await.unwrap();
    assert!(stored.is_of_group && stored.kept.is_none());
    let sent = written(&seen).unwrap();
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(
        sent["metadata"]["labels"],
        json!({"grafana.com/group": "g", "grafana.com/group-index": "0"})
    );
    assert_eq!(calls(&seen), ["GET alertrules/r", "PUT alertrules/r"]);
}

#[tokio::test]
async fn a_group_keeps_its_interval_where_it_holds_a_rule_that_is_not_ours() {
    let changed = AlertRule {
        title: "Another".to_owned(),
        ..every(120)
    };
    for (owner, interval, kept) in [
        ("ours/s", "120s", None),
        ("theirs/s", "60s", Some("s")),
        ("", "60s", Some("s")),
    ] {
        let (rules, seen) = with_sibling(owner, "1m").await;
        let stored = put(&rules, &changed, Some(&before("1m"))).await.unwrap();
        let sent = written(&seen).unwrap();
        assert_eq!(sent["spec"]["trigger"]["interval"], interval, "{owner}");
        assert_eq!(sent["spec"]["title"], "Another");
        assert_eq!(
            stored.kept.map(|kept| kept.because_of).as_deref(),
            kept,
            "{owner}"
        );
    }
}

#[tokio::test]
async fn where_nothing_but_the_interval_differs_and_the_group_keeps_its_own_nothing_is_written() {
    let (rules, seen) = with_sibling("theirs/s", "1m").await;
    let stored = put_interval(&rules, &every(120), &before("1m")).await.unwrap();
    assert_eq!(written(&seen), None);
    let kept = stored.kept.unwrap();
    assert_eq!((kept.interval.as_secs(), kept.because_of.as_str()), (60, "s"));
    assert_eq!((stored.found, stored.is_of_group), (before("1m"), true));
    // One that all may have is written.
    let (rules, seen) = with_sibling("ours/s", "1m").await;
    put_interval(&rules, &every(120), &before("1m")).await.unwrap();
    assert_eq!(written(&seen).unwrap()["spec"]["trigger"]["interval"], "120s");
}

#[tokio::test]
async fn an_interval_that_a_sibling_has_brought_along_meanwhile_is_not_written_again() {
    let (rules, seen) = with_sibling("ours/s", "2m").await;
    let stored = put_interval(&rules, &every(120), &before("1m")).await.unwrap();
    assert_eq!(written(&seen), None);
    assert_eq!((stored.found.interval.as_secs(), stored.kept), (120, None));
}

#[tokio::test]
async fn an_interval_that_somebody_has_set_since_stays_where_it_is_of_a_rule_that_is_not_ours_too() {
    let changed = AlertRule {
        title: "Another".to_owned(),
        ..every(60)
    };
    for (owner, interval, kept) in [("theirs/s", "10s", Some(10)), ("ours/s", "60s", None)] {
        let (rules, seen) = with_sibling(owner, "10s").await;
        let stored = put(&rules, &changed, Some(&before("1m"))).await.unwrap();
        let sent = written(&seen).unwrap();
        assert_eq!(sent["spec"]["trigger"]["interval"], interval, "{owner}");
        assert_eq!(sent["spec"]["title"], "Another");
        assert_eq!(stored.kept.map(|kept| kept.interval.as_secs()), kept, "{owner}");
    }
}
