use super::*;

fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Enough of Prometheus' syntax for these tests.
fn duration(text: &str) -> Option<Duration> {
    if let Some(seconds) = text.strip_suffix('s') {
        return seconds.parse().ok().map(Duration::from_secs);
    }
    let minutes = text.strip_suffix('m')?.parse::<u64>().ok()?;
    Some(Duration::from_secs(minutes * 60))
}

fn wish(pairs: &[(&str, &str)]) -> Result<WorkloadWish, InvalidWish> {
    read(&annotations(pairs), duration)
}

fn silence(pairs: &[(&str, &str)]) -> SilenceWish {
    match wish(pairs) {
        Ok(WorkloadWish::Silence(silence)) => silence,
        other => panic!("no silence but {other:?}"),
    }
}

#[test]
fn without_annotations_policies_decide() {
    assert_eq!(wish(&[("app", "web")]), Ok(WorkloadWish::Unset));
}

#[test]
fn disabled_wins_over_everything_else() {
    let pairs = [(ANNOTATION_MAINTENANCE, "disabled"), (ANNOTATION_SILENCE, "??")];
    assert_eq!(wish(&pairs), Ok(WorkloadWish::Disabled));
}

#[test]
fn rules_are_the_namespace_or_names() {
    assert_eq!(silence(&[(ANNOTATION_SILENCE, "namespace")]).rules, Rules::All);
    let names = Rules::Names(vec!["http-errors".into(), "queue.depth".into()]);
    assert_eq!(
        silence(&[(ANNOTATION_SILENCE, " http-errors, queue.depth, http-errors, ")]).rules,
        names
    );
}

#[test]
fn matchers_are_split_outside_of_quotes() {
    let cases: [(&str, &[&str]); 5] = [
        (
            r#"severity!="critical", team="a,b""#,
            &[r#"severity!="critical""#, r#"team="a,b""#],
        ),
        (
            "team=web\n\nseverity=~high|low\n",
            &["team=web", "severity=~high|low"],
        ),
        (
            r#"note="say \"hi, all\"",x=y"#,
            &[r#"note="say \"hi, all\"""#, "x=y"],
        ),
        (r#"{path="a\\",x="}"}"#, &[r#"path="a\\""#, r#"x="}""#]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        let pairs = [(ANNOTATION_SILENCE, "namespace"), (ANNOTATION_MATCHERS, text)];
        assert_eq!(silence(&pairs).matchers, expected, "{text}");
    }
}

#[test]
fn durations_left_out_come_from_elsewhere() {
    let pairs = [
        (ANNOTATION_SILENCE, "namespace"),
        (ANNOTATION_LEASE, "3m"),
        (ANNOTATION_LINGER, "0m"),
    ];
    let lease = silence(&pairs).lease(Lease::default());
    assert_eq!(lease.lease, Duration::from_secs(180));
    assert_eq!(lease.linger, Duration::ZERO);
    assert_eq!(lease.max_duration, Lease::default().max_duration);
}

#[test]
fn every_mistake_is_named_with_its_annotation() {
    let on = (ANNOTATION_SILENCE, "namespace");
    let cases: [(&[(&str, &str)], InvalidWish); 10] = [
        (
            &[(ANNOTATION_MAINTENANCE, "off")],
            InvalidWish::Maintenance("off".into()),
        ),
        (
            &[(ANNOTATION_LINGER, "1m")],
            InvalidWish::Detached(ANNOTATION_LINGER),
        ),
        (&[(ANNOTATION_SILENCE, " , ")], InvalidWish::NoRules),
        (
            &[(ANNOTATION_SILENCE, "Web Errors")],
            InvalidWish::RuleName("Web Errors".into()),
        ),
        (
            &[(ANNOTATION_SILENCE, "namespace,web")],
            InvalidWish::RuleName("namespace".into()),
        ),
        (&[on, (ANNOTATION_MATCHERS, r#"a="b"#)], InvalidWish::OpenQuote),
        (
            &[on, (ANNOTATION_LEASE, "soon")],
            InvalidWish::NotADuration(ANNOTATION_LEASE, "soon".into()),
        ),
        (
            &[on, (ANNOTATION_LEASE, "0m")],
            InvalidWish::Zero(ANNOTATION_LEASE),
        ),
        (
            &[on, (ANNOTATION_LEASE, "4s")],
            InvalidWish::TooShort("4s".into()),
        ),
        (
            &[on, (ANNOTATION_MAX_DURATION, "0m")],
            InvalidWish::Zero(ANNOTATION_MAX_DURATION),
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(wish(pairs), Err(expected.clone()), "{pairs:?}");
        assert!(
            expected
                .to_string()
                .starts_with("annotation alerting.letsrevel.io/"),
            "{expected}"
        );
    }
}

#[test]
fn what_a_silence_cannot_hold_is_refused_before_the_api_server_does() {
    let of = |key: &str, value: String| {
        let all = BTreeMap::from([
            (ANNOTATION_SILENCE.to_owned(), "namespace".to_owned()),
            (key.to_owned(), value),
        ]);
        read(&all, |_| None).unwrap_err().to_string()
    };
    let many = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().join(",");
    for (key, value, cure) in [
        (
            ANNOTATION_SILENCE,
            many(257, &|i| format!("r{i}")),
            "257 names, and a silence holds 256",
        ),
        (
            ANNOTATION_MATCHERS,
            many(65, &|i| format!("a{i}=b")),
            "65 matchers, and a silence holds 64",
        ),
        (
            ANNOTATION_MATCHERS,
            format!("a={}", "b".repeat(1023)),
            "write shorter ones",
        ),
    ] {
        let problem = of(key, value);
        assert!(problem.contains(cure) && problem.contains(key), "{problem}");
    }
}

#[test]
fn a_namespace_opts_out_by_one_word_whatever_is_around_it() {
    for (value, is_out) in [
        ("disabled", true),
        (" disabled\n", true),
        ("Disabled", false),
        ("", false),
    ] {
        let annotations = [(ANNOTATION_MAINTENANCE.to_owned(), value.to_owned())].into();
        assert_eq!(opts_out(&annotations), is_out, "{value:?}");
    }
    assert!(!opts_out(&BTreeMap::new()));
}
