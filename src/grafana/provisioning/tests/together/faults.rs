//! Groups that can't be read, written or deleted as a whole, though single rules can.

use super::*;

/// What says nothing of how a write has ended.
const LOST: [Instead; 5] = [
    Instead::Says(500, r#"{"message": "broken"}"#),
    Instead::Says(502, PAGE),
    Instead::Says(404, PAGE),
    Instead::Says(405, PAGE),
    Instead::Nothing,
];

#[tokio::test]
async fn of_a_write_whose_outcome_is_unknown_all_learn_that_and_the_next_goes_rule_by_rule() {
    for lost in LOST {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        let grafana = one.client(&approaches).await;
        one.held.lock().instead = Some((SET, lost));
        for stored in put_all(&grafana, &approaches, &rules(3)).await {
            let error = stored.unwrap_err();
            assert!(error.outcome_unknown() && !error.changed_nothing(), "{error}");
        }
        assert_eq!(one.asked(), [LOOK, SET]);
        are_well(put_all(&grafana, &approaches, &rules(3)).await);
        assert_eq!(one.asked(), [CREATE; 3]);
        one.held.lock().instead = None;
        one.held.lock().rules.clear();
        are_well(put_all(&grafana, &approaches, &rules(3)).await);
        assert_eq!(one.asked(), [LOOK, SET], "once is enough");
    }
}

#[tokio::test]
async fn of_a_deletion_whose_outcome_is_unknown_all_learn_that_and_the_next_goes_rule_by_rule() {
    for lost in LOST {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        let grafana = one.client(&approaches).await;
        are_well(put_all(&grafana, &approaches, &rules(3)).await);
        one.asked();
        one.held.lock().instead = Some((DELETE, lost));
        for deleted in try_to_delete_all(&grafana, &approaches, &uids(3)).await {
            let error = deleted.unwrap_err();
            assert!(error.outcome_unknown(), "{error}");
        }
        assert_eq!(one.asked(), [LOOK, DELETE]);
        delete_all(&grafana, &approaches, &uids(3)).await;
        let single = [0, 1, 2].map(|i| format!("DELETE alert-rules/aw-0{i}"));
        assert_eq!(one.asked(), single);
        assert!(one.uids().is_empty());
    }
}

#[tokio::test]
async fn a_group_that_may_not_be_deleted_as_a_whole_goes_rule_by_rule_at_once() {
    for refused in [
        Instead::Says(409, r#"{"message": "with provided provenance"}"#),
        Instead::Says(403, r#"{"message": "no"}"#),
    ] {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        let grafana = one.client(&approaches).await;
        are_well(put_all(&grafana, &approaches, &rules(2)).await);
        one.asked();
        one.held.lock().instead = Some((DELETE, refused));
        delete_all(&grafana, &approaches, &uids(2)).await;
        let single = [0, 1].map(|i| format!("DELETE alert-rules/aw-0{i}"));
        assert_eq!(one.asked()[2..], single);
    }
}

#[tokio::test]
async fn a_look_at_a_group_that_fails_holds_up_none_of_its_rules() {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for fails in LOST.map(Some).into_iter().chain([None]) {
        let (one, approaches) = (One::new("13.3.0", &["else/ns/a"]), Approaches::default());
        let grafana = one.client(&approaches).await;
        one.held.lock().rules[0]["data"] = deep.clone();
        one.held.lock().instead = fails.map(|fails| (LOOK, fails));
        are_well(put_all(&grafana, &approaches, &rules(3)).await);
        let mut asked = one.asked();
        // A read whose answer was lost is read again.
        asked.dedup_by(|a, b| a == b && a == LOOK);
        assert_eq!(asked, [LOOK, CREATE, CREATE, CREATE]);
    }
}

#[tokio::test]
async fn a_group_whose_name_cannot_be_part_of_an_address_is_written_rule_by_rule() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    let mut wishes = rules(3);
    for wish in &mut wishes {
        wish.group = Some("..".to_owned());
    }
    are_well(put_all(&grafana, &approaches, &wishes).await);
    assert_eq!(one.asked(), [CREATE; 3]);
}

#[tokio::test]
async fn whoever_is_asked_for_fewer_calls_does_not_make_more_of_them() {
    for (what, status) in [(LOOK, 429), (LOOK, 503), (SET, 429), (SET, 503)] {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        let grafana = one.client(&approaches).await;
        one.held.lock().instead = Some((what, Instead::Throttles(status)));
        for stored in put_all(&grafana, &approaches, &rules(3)).await {
            let error = stored.unwrap_err();
            assert!(error.changed_nothing(), "{error}");
        }
        assert_eq!(one.asked().last().unwrap(), what);
        one.held.lock().instead = None;
        while grafana.server.settings().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        one.asked();
        are_well(put_all(&grafana, &approaches, &rules(3)).await);
        assert_eq!(one.asked(), [LOOK, SET], "the group isn't broken");
    }
}

#[tokio::test]
async fn a_group_that_is_too_large_for_what_stands_in_front_of_grafana_is_written_in_parts() {
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    let grafana = one.client(&approaches).await;
    one.held.lock().fits = Some(13);
    are_well(put_all(&grafana, &approaches, &rules(20)).await);
    assert_eq!(one.uids().len(), 20);
    let asked = one.asked();
    let singles = asked.iter().filter(|call| *call == CREATE).count();
    assert_eq!(singles, 10, "the half that found no room");
    assert!(asked.len() < 20, "{asked:#?}");
}

#[tokio::test]
async fn where_all_rules_are_refused_they_are_not_tried_together_for_long() {
    let n = 500;
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    one.held.lock().bad = Some("aw-");
    let grafana = one.client(&approaches).await;
    for stored in put_all(&grafana, &approaches, &rules(n)).await {
        assert_eq!(stored.unwrap_err().class(), Class::Rejected);
    }
    let asked = one.asked();
    let alone = asked.iter().filter(|call| *call == CREATE).count();
    assert_eq!(alone, n, "each has an answer of its own");
    assert!(asked.len() <= n + 24, "{} calls together", asked.len() - n);
}

#[tokio::test]
async fn rules_that_are_refused_here_and_there_keep_the_others_together() {
    let n = 400;
    let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
    one.held.lock().bad = Some("77\"");
    let grafana = one.client(&approaches).await;
    let all = put_all(&grafana, &approaches, &rules(n)).await;
    assert_eq!(all.iter().filter(|stored| stored.is_err()).count(), 4);
    let asked = one.asked();
    assert!(asked.len() < n / 2, "{} calls", asked.len());
}

#[tokio::test]
async fn a_rule_with_our_mark_that_we_have_not_written_keeps_all_others_apart() {
    for has_written in [Some(false), None] {
        let (one, approaches) = (One::new("13.3.0", &["own/ns/a"]), Approaches::default());
        let grafana = one.client(&approaches).await;
        are_well(put_all_among(&grafana, &approaches, &rules(3), has_written).await);
        assert_eq!(one.asked(), [LOOK, CREATE, CREATE, CREATE], "{has_written:?}");
    }
}

#[tokio::test]
async fn what_has_just_been_written_together_is_ours_before_anybody_has_noted_it() {
    let n = 20;
    let mut costs = Vec::new();
    for has_written in [Some(true), None] {
        let (one, approaches) = (One::new("13.3.0", &[]), Approaches::default());
        one.held.lock().bad = Some("aw-19");
        let grafana = one.client(&approaches).await;
        let all = put_all_among(&grafana, &approaches, &rules(n), has_written).await;
        let refused = all.iter().filter(|stored| stored.is_err()).count();
        assert_eq!((refused, one.uids().len()), (1, n - 1));
        costs.push(one.asked());
    }
    assert_eq!(costs[0], costs[1]);
}
