//! Rules of one group that wait at the same time.

use futures::future::join_all;
use futures::{FutureExt, poll};

use super::*;
use crate::grafana::approach::Approach;

mod faults;
mod one;

use one::{CREATE, DELETE, Instead, LOOK, One, PAGE, SET};

fn uids(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("aw-{i:02}")).collect()
}

fn every(uid: &str, interval: Duration) -> AlertRule {
    AlertRule {
        interval,
        title: uid.to_owned(),
        ..rule(uid)
    }
}

fn ours(uid: &str) -> AlertRule {
    AlertRule {
        labels: [("__alertwright__".to_owned(), "own/ns/x".to_owned())].into(),
        ..every(uid, MINUTE)
    }
}

/// Writes a rule, and gives its turn back as whoever has noted it does.
async fn noted(grafana: &Grafana, rule: &AlertRule, found: Option<&FoundRule>) -> Result<Stored> {
    noted_among(grafana, rule, found, Some(true)).await
}

async fn noted_among(
    grafana: &Grafana,
    rule: &AlertRule,
    found: Option<&FoundRule>,
    has_written: Option<bool>,
) -> Result<Stored> {
    let mut stored = put_among(grafana, rule, found, has_written).await?;
    assert!(stored.turn.take().is_some(), "others write before it is noted");
    Ok(stored)
}

/// Writes all of these at the same time, as passes do: each is on the way until it stands in the queue.
async fn put_all(grafana: &Grafana, approaches: &Approaches, rules: &[AlertRule]) -> Vec<Result<Stored>> {
    put_all_among(grafana, approaches, rules, Some(true)).await
}

/// The same, where of the others in the group this is known: whether we have written them.
async fn put_all_among(
    grafana: &Grafana,
    approaches: &Approaches,
    rules: &[AlertRule],
    has_written: Option<bool>,
) -> Vec<Result<Stored>> {
    let on_the_way: Vec<Approach> = rules.iter().map(|_| approaches.begin()).collect();
    let puts = rules.iter().zip(&on_the_way);
    let put = |rule| noted_among(grafana, rule, None, has_written);
    join_all(puts.map(|(rule, approach)| approach.scope(put(rule)))).await
}

async fn delete_all(grafana: &Grafana, approaches: &Approaches, uids: &[String]) {
    for deleted in try_to_delete_all(grafana, approaches, uids).await {
        deleted.unwrap();
    }
}

async fn try_to_delete_all(grafana: &Grafana, approaches: &Approaches, uids: &[String]) -> Vec<Result<()>> {
    let found: Vec<FoundRule> = uids.iter().map(|uid| found(uid)).collect();
    let on_the_way: Vec<Approach> = found.iter().map(|_| approaches.begin()).collect();
    let deletes = found.iter().zip(&on_the_way);
    let all = deletes.map(|(rule, approach)| approach.scope(grafana.rules.delete(rule, Provenance::Api)));
    join_all(all).await
}

fn rules(count: usize) -> Vec<AlertRule> {
    uids(count).iter().map(|uid| ours(uid)).collect()
}

fn are_well(all: Vec<Result<Stored>>) {
    for stored in all {
        stored.unwrap();
    }
}

#[tokio::test]
async fn into_a_folder_that_is_gone_no_group_is_written() {
    let (one, approaches) = (One::new("11.5.2", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    one.held.lock().is_folder_gone = true;
    let wishes: Vec<_> = uids(3)
        .iter()
        .map(|uid| every(uid, Duration::from_secs(60)))
        .collect();
    put_all(&grafana, &approaches, &wishes).await;
    let asked = one.asked();
    assert!(!asked.contains(&SET.to_owned()), "{asked:#?}");
    assert_eq!(
        asked.iter().filter(|call| *call == CREATE).count(),
        3,
        "they tell why"
    );
}

#[tokio::test]
async fn a_folder_that_was_there_before_the_rules_were_read_is_asked_for_again() {
    let (one, approaches) = (One::new("11.5.2", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    are_well(put_all(&grafana, &approaches, &rules(3)).await);
    one.held.lock().rules.clear();
    one.held.lock().is_folder_gone = true;
    grafana.rules.list().await.unwrap();
    one.asked();
    put_all(&grafana, &approaches, &rules(3)).await;
    assert!(!one.asked().contains(&SET.to_owned()));
}

#[tokio::test]
async fn new_groups_that_come_together_ask_once_for_their_folder() {
    let (one, approaches) = (One::new("11.5.2", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    let wishes: Vec<_> = (0..20)
        .map(|i| AlertRule {
            group: Some(format!("group-{}", i % 10)),
            ..ours(&format!("aw-{i:02}"))
        })
        .collect();
    are_well(put_all(&grafana, &approaches, &wishes).await);
    let asked = one.asked();
    let writes = asked.iter().filter(|call| call.starts_with("PUT folder/"));
    assert_eq!(writes.count(), 10, "{asked:#?}");
    assert_eq!(one.held.lock().folder_asked, 1);
}

#[tokio::test]
async fn rules_that_wait_together_are_one_write_after_a_look() {
    let (one, approaches) = (One::new("11.5.2", &["own/ns/a"]), Approaches::default());
    let grafana = one.client(&approaches).await;
    let two = Duration::from_secs(120);
    let wishes: Vec<_> = uids(5).iter().rev().map(|uid| every(uid, two)).collect();
    let all = put_all(&grafana, &approaches, &wishes).await;
    assert_eq!(one.asked(), [LOOK, SET]);
    assert_eq!(one.held.lock().folder_asked, 0, "a group that is there is in one");
    assert_eq!(one.uids(), [vec!["of own/ns/a".to_owned()], uids(5)].concat());
    for (stored, wish) in all.into_iter().zip(&wishes) {
        let stored = stored.unwrap();
        assert_eq!(stored.found, FoundRule::written(wish, Provenance::Api));
        assert!(stored.is_of_group && stored.kept.is_none());
    }
}

#[tokio::test]
async fn one_alone_is_one_call() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    are_well(put_all(&grafana, &approaches, &rules(1)).await);
    assert_eq!(one.asked(), [CREATE]);
}

#[tokio::test]
async fn rules_are_written_alone_where_grafana_takes_no_new_ones_in_a_group_or_one_is_not_ours() {
    for (version, marks, looks) in [
        ("10.4.0", &["own/ns/a"], 0),
        ("11.5.1", &["own/ns/a"], 0),
        ("13.3.0", &["else/ns/a"], 1),
    ] {
        let (one, approaches) = (One::new(version, marks), Approaches::default());
        let grafana = one.client(&approaches).await;
        are_well(put_all(&grafana, &approaches, &rules(4)).await);
        let expected = [vec![LOOK; looks], vec![CREATE; 4]].concat();
        assert_eq!(one.asked(), expected, "{version}");
    }
}

#[tokio::test]
async fn a_uid_that_may_be_somebody_elses_is_written_alone() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    let mut wishes = rules(2);
    wishes.push(ours("by-hand"));
    are_well(put_all(&grafana, &approaches, &wishes).await);
    let mut asked = one.asked();
    asked.sort();
    assert_eq!(asked, [LOOK, CREATE, SET]);
}

#[tokio::test]
async fn what_wishes_another_interval_is_another_write() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    let intervals = [1, 2, 1, 2].map(Duration::from_secs);
    let wishes: Vec<_> = uids(4)
        .iter()
        .zip(intervals)
        .map(|(uid, interval)| AlertRule {
            interval,
            ..ours(uid)
        })
        .collect();
    for stored in put_all(&grafana, &approaches, &wishes).await {
        let others = stored.unwrap().is_of_group;
        assert!(others, "whoever notes it notes it of all");
    }
    assert_eq!(one.asked(), [LOOK, SET, LOOK, SET]);
    assert_eq!(one.uids().len(), 4);
    assert_eq!(one.held.lock().interval, 2, "what was asked for last");
}

/// Moves all of these into the group at the same time.
async fn move_all(grafana: &Grafana, approaches: &Approaches, rules: &[AlertRule]) -> Vec<Result<Stored>> {
    let before = rules.iter().map(|rule| {
        FoundRule::of(&AlertRule {
            group: Some("before".to_owned()),
            ..rule.clone()
        })
    });
    let before: Vec<FoundRule> = before.collect();
    let on_the_way: Vec<Approach> = rules.iter().map(|_| approaches.begin()).collect();
    let puts = rules.iter().zip(&before).zip(&on_the_way);
    let all = puts.map(|((rule, found), approach)| approach.scope(noted(grafana, rule, Some(found))));
    join_all(all).await
}

#[tokio::test]
async fn rules_that_move_in_together_are_one_write_unless_the_group_they_leave_is_being_written() {
    let (one, approaches, groups) = (One::new("13.3.0", &[]), Approaches::default(), Arc::default());
    let grafana = one.client_among(&approaches, Arc::clone(&groups)).await;
    are_well(move_all(&grafana, &approaches, &rules(3)).await);
    assert_eq!(one.asked(), [LOOK, SET]);
    one.held.lock().rules.clear();
    let left = groups.lock(("f".to_owned(), "before".to_owned())).await;
    let (leaving, stays) = (rules(3), every("stays", MINUTE));
    let mut moves = Box::pin(move_all(&grafana, &approaches, &leaving));
    // Who doesn't leave the group that is being written waits for nobody.
    tokio::select! {
        biased;
        _ = moves.as_mut() => panic!("it didn't wait for the group that they leave"),
        stored = noted(&grafana, &stays, None) => drop(stored.unwrap()),
    }
    assert_eq!(one.asked(), [CREATE]);
    drop(left);
    are_well(moves.await);
    let mut asked = one.asked();
    asked.retain(|call| call.starts_with("PUT"));
    assert_eq!(asked, [0, 1, 2].map(|i| format!("PUT alert-rules/aw-0{i}")));
}

#[tokio::test]
async fn while_rules_move_together_nobody_else_writes_to_the_group_that_they_leave() {
    let (one, approaches, groups) = (One::new("13.3.0", &[]), Approaches::default(), Arc::default());
    let grafana = one.client_among(&approaches, Arc::clone(&groups)).await;
    one.waits_for.send_replace(Some(SET));
    let leaving = rules(2);
    let mut moves = Box::pin(move_all(&grafana, &approaches, &leaving));
    while !one.held.lock().asked.contains(&SET.to_owned()) {
        assert!(poll!(moves.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    let left = || ("f".to_owned(), "before".to_owned());
    assert!(groups.try_lock(left()).is_none());
    one.waits_for.send_replace(None);
    are_well(moves.await);
    assert!(groups.try_lock(left()).is_some());
}

#[tokio::test]
async fn a_rule_that_is_refused_is_alone_with_it() {
    let n = 20;
    for (message, bad, most) in [
        // It is named.
        ("bad is [rule_uid:'aw-07']", "aw-07", 2 + 1 + 2),
        ("bad", "aw-00", 2 + 2 + 2 + 5 + 2 + 2),
        ("bad", "aw-19", 2 + 2 + 2 + 5),
    ] {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        one.held.lock().bad = Some(bad);
        one.held.lock().message = message;
        let grafana = one.client(&approaches).await;
        let all = put_all(&grafana, &approaches, &rules(n)).await;
        for (uid, stored) in uids(n).iter().zip(all) {
            match stored {
                Ok(_) => assert_ne!(uid, bad),
                Err(error) => {
                    assert_eq!(uid, bad, "{error}");
                    assert!(error.to_string().contains("bad"), "{error}");
                }
            }
        }
        let asked = one.asked();
        assert!(asked.len() <= most, "{} calls for {bad}: {asked:#?}", asked.len());
        assert_eq!(one.uids().len(), n - 1);
    }
}

#[tokio::test]
async fn where_whoever_writes_for_all_is_cut_off_the_others_are_written_all_the_same() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    one.waits_for.send_replace(Some(LOOK));
    let wishes = rules(3);
    let mut leader = noted(&grafana, &wishes[0], None).boxed();
    let rest = approaches.begin();
    assert!(poll!(leader.as_mut()).is_pending(), "the others are waited for");
    let mut others = Box::pin(put_all(&grafana, &approaches, &wishes[1..]));
    assert!(poll!(others.as_mut()).is_pending());
    drop(rest);
    while one.held.lock().asked.is_empty() {
        assert!(poll!(leader.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(leader);
    one.waits_for.send_replace(None);
    are_well(others.await);
    assert_eq!(one.asked(), [LOOK, LOOK, SET]);
    assert_eq!(one.uids(), uids(3)[1..]);
}

#[tokio::test]
async fn a_group_goes_in_one_call_when_all_that_it_holds_goes() {
    let (one, approaches) = (One::new("11.0.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    are_well(put_all(&grafana, &approaches, &rules(6)).await);
    one.asked();
    delete_all(&grafana, &approaches, &uids(6)[..2]).await;
    assert_eq!(
        one.asked(),
        [LOOK, "DELETE alert-rules/aw-00", "DELETE alert-rules/aw-01"]
    );
    delete_all(&grafana, &approaches, &uids(6)[2..]).await;
    assert_eq!(one.asked(), [LOOK, DELETE]);
    assert!(one.uids().is_empty());
}

#[tokio::test]
async fn before_groups_could_be_deleted_rules_go_one_by_one() {
    let (one, approaches) = (One::new("10.4.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    are_well(put_all(&grafana, &approaches, &rules(2)).await);
    one.asked();
    delete_all(&grafana, &approaches, &uids(2)).await;
    assert_eq!(
        one.asked(),
        ["DELETE alert-rules/aw-00", "DELETE alert-rules/aw-01"]
    );
}
