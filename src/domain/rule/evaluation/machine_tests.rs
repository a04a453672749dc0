//! What Grafana's source says, each by itself: the double that the rest is held to is ours too.

use super::*;

const OLD: Version = Version::new(10, 2, 0);
const NEWEST: Version = Version::new(13, 3, 0);

fn rule(no_data: &str, error: &str) -> AlertRule {
    AlertRule {
        no_data_state: no_data.to_owned(),
        exec_err_state: error.to_owned(),
        r#for: "0s".to_owned(),
        ..AlertRule::default()
    }
}

fn labels(of: &[(&str, &str)]) -> Labels {
    let each = of
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    each.collect()
}

fn outcome(series: &str, verdict: Verdict) -> Outcome {
    Outcome {
        labels: Some(labels(&[("a", series)])),
        verdict,
        values: BTreeMap::new(),
        blamed: None,
    }
}

/// The whole rule has no data, or failed.
fn whole(verdict: Verdict) -> Outcome {
    Outcome {
        labels: None,
        verdict,
        values: BTreeMap::new(),
        blamed: Some(("A".to_owned(), "p".to_owned())),
    }
}

fn failed() -> Verdict {
    Verdict::Error("down".to_owned())
}

/// The alerts after these evaluations, a minute apart, each in a word.
fn after(rule: &AlertRule, version: Version, evaluations: &[Vec<Outcome>]) -> Vec<String> {
    let mut machine = Machine::new(rule, version);
    for (at, outcomes) in (0..).zip(evaluations) {
        machine.step(at * 60, outcomes);
    }
    let each = machine.alerts().map(|(labels, state, reason)| {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{} {state} {reason}", labels.join(",")).trim().to_owned()
    });
    each.collect()
}

fn both() -> Vec<Outcome> {
    vec![outcome("1", Verdict::Normal), outcome("2", Verdict::Alerting)]
}

#[test]
fn no_data_that_is_to_fire_makes_every_alert_that_there_is_fire() {
    let rule = rule("Alerting", "Error");
    let none = vec![whole(Verdict::NoData)];
    let two = [both(), none.clone()];
    assert_eq!(
        after(&rule, NEWEST, &two),
        ["a=1 Firing NoData", "a=2 Firing NoData"]
    );
    // Also where each series is there, and none has a number.
    let nulls = vec![outcome("1", Verdict::NoData), outcome("3", Verdict::NoData)];
    assert_eq!(
        after(&rule, NEWEST, &[both(), nulls]),
        ["a=1 Firing NoData", "a=2 Firing NoData"]
    );
    // With none before it is an alert of its own, and where one has a number each is what it is.
    assert_eq!(
        after(&rule, NEWEST, &[none]),
        ["datasource_uid=p,ref_id=A Firing NoData"]
    );
    let mixed = vec![outcome("1", Verdict::NoData), outcome("3", Verdict::Normal)];
    assert_eq!(
        after(&rule, NEWEST, &[both(), mixed]),
        ["a=1 Firing NoData", "a=2 Firing", "a=3 Normal"]
    );
    assert_eq!(
        after(&rule, OLD, &two),
        [
            "a=1 Normal",
            "a=2 Firing",
            "datasource_uid=p,ref_id=A Firing NoData"
        ]
    );
}

#[test]
fn so_does_an_error_that_is_to_fire_and_it_names_no_query_in_labels() {
    let rule = rule("NoData", "Alerting");
    let down = vec![whole(failed())];
    assert_eq!(
        after(&rule, NEWEST, &[both(), down.clone()]),
        ["a=1 Firing Error", "a=2 Firing Error"]
    );
    assert_eq!(after(&rule, NEWEST, &[down]), ["Firing Error"]);
}

#[test]
fn the_alerts_of_no_data_and_of_errors_go_with_the_first_evaluation_that_has_data() {
    let mut rule = rule("NoData", "Error");
    rule.missing_series_evals_to_resolve = Some(3);
    for verdict in [Verdict::NoData, failed()] {
        let back = [vec![whole(verdict)], both()];
        assert_eq!(after(&rule, NEWEST, &back), ["a=1 Normal", "a=2 Firing"]);
        assert_eq!(after(&rule, Version::new(12, 0, 0), &back).len(), 3);
    }
    // What fires itself stays as long as the rule says; before 12 no rule can say it.
    let gone = [both(), vec![outcome("1", Verdict::Normal)]];
    assert_eq!(after(&rule, NEWEST, &gone), ["a=1 Normal", "a=2 Firing"]);
    let gone = [both(), gone[1].clone(), gone[1].clone()];
    assert_eq!(after(&rule, NEWEST, &gone).len(), 2);
    assert_eq!(after(&rule, OLD, &gone), ["a=1 Normal"]);
}

#[test]
fn the_last_state_is_kept_only_of_what_is_normal_or_pending_or_fires() {
    let mut rule = rule("KeepLast", "Error");
    let none = vec![whole(Verdict::NoData)];
    assert_eq!(
        after(&rule, NEWEST, &[both(), none.clone()]),
        ["a=1 Normal NoData, KeepLast", "a=2 Firing NoData, KeepLast"]
    );
    rule.keep_firing_for = Some("5m".to_owned());
    let well = vec![outcome("2", Verdict::Normal)];
    assert_eq!(
        after(&rule, NEWEST, &[both(), well, none.clone()]),
        ["a=1 Normal NoData, KeepLast", "a=2 Recovering NoData, KeepLast"]
    );
    let down = vec![whole(failed())];
    assert_eq!(
        after(&rule, NEWEST, &[down, none]),
        ["datasource_uid=p,ref_id=A Normal NoData, KeepLast"]
    );
}

#[test]
fn no_data_and_errors_wait_as_long_as_the_rule_does_and_go_on_waiting_whatever_comes() {
    let mut rule = rule("NoData", "Error");
    rule.r#for = "2m".to_owned();
    let none = vec![whole(Verdict::NoData)];
    let named = |state: &str| [format!("datasource_uid=p,ref_id=A {state}")];
    let times = |count| vec![none.clone(); count];
    assert_eq!(after(&rule, NEWEST, &times(1)), named("Pending NoData"));
    assert_eq!(after(&rule, NEWEST, &times(2)), named("Pending NoData"));
    assert_eq!(after(&rule, NEWEST, &times(3)), named("NoData"));
    assert_eq!(after(&rule, Version::new(12, 3, 0), &times(1)), named("NoData"));
    // Before it has waited it goes at once too.
    let well = vec![outcome("1", Verdict::Normal)];
    assert_eq!(after(&rule, NEWEST, &[none.clone(), well]), ["a=1 Normal"]);
    // A series that has no number goes on with the time of its condition.
    let series = |verdict| vec![outcome("1", verdict)];
    let mixed = [
        series(Verdict::Alerting),
        series(Verdict::NoData),
        series(Verdict::NoData),
    ];
    assert_eq!(after(&rule, NEWEST, &mixed[..2]), ["a=1 Pending NoData"]);
    assert_eq!(after(&rule, NEWEST, &mixed), ["a=1 NoData"]);
}
