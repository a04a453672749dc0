use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, from_value, json};

use super::*;
use crate::api::condition::Reason;
use crate::domain::ownership::Owner;

#[path = "decision_tests.rs"]
mod decision;

fn owners(former: &[&str]) -> Owners {
    let former: Vec<String> = former.iter().map(|id| (*id).to_owned()).collect();
    Owners::new(Owner::parse("prod").unwrap(), &former)
}

/// Seconds after the resources' creation.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn spec(value: Value) -> SilenceSpec {
    from_value(value).unwrap()
}

fn wish_of(spec: &SilenceSpec, selection: &Selection, unrestricted: bool) -> Result<Option<Wish>, Refusal> {
    wish_by(&owners(&[]), spec, selection, unrestricted)
}

fn wish_by(
    owners: &Owners,
    spec: &SilenceSpec,
    selection: &Selection,
    unrestricted: bool,
) -> Result<Option<Wish>, Refusal> {
    let around = Surroundings {
        owners,
        namespace: "shop.a",
        name: "quiet",
        created: at(0),
        unrestricted,
    };
    wish(spec, selection, &around)
}

pub(crate) fn matcher(name: &str, value: &str, is_regex: bool, is_equal: bool) -> SilenceMatcher {
    SilenceMatcher {
        name: name.into(),
        value: value.into(),
        is_regex,
        is_equal,
    }
}

/// The matcher that a wish adds to those of the specification.
fn ownership(selection: &Selection) -> SilenceMatcher {
    let spec = spec(json!({"matchers": ["a=b"], "duration": "1h"}));
    let wish = wish_of(&spec, selection, false).unwrap().unwrap();
    let mut added = wish.matchers.into_iter().filter(|m| m.name == LABEL);
    let only = added.next().unwrap();
    assert!(added.next().is_none() && only.is_equal);
    only
}

fn matches(matcher: &SilenceMatcher, label: &str) -> bool {
    if matcher.is_regex {
        regex::Regex::new(&format!("^(?:{})$", matcher.value))
            .unwrap()
            .is_match(label)
    } else {
        matcher.value == label
    }
}

#[test]
fn rules_are_selected_by_name_by_label_or_all() {
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let rules = [
        ("z", labels(&[("app", "web"), ("tier", "1")])),
        ("a", labels(&[("app", "web")])),
        ("b", labels(&[])),
    ];
    let rules = || rules.iter().map(|(name, labels)| (*name, labels));
    let of = |selector: Value| select(Some(&from_value(selector).unwrap()), rules());
    let names = |names: &[&str]| Selection::Rules(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(select(None, rules()), (Selection::Matchers, vec![]));
    assert_eq!(of(json!({"all": true})), (Selection::Namespace, vec![]));
    assert_eq!(of(json!({"names": ["z", "b"]})), (names(&["b", "z"]), vec![]));
    assert_eq!(
        of(json!({"names": ["gone", "a"]})),
        (names(&["a"]), vec!["gone".to_owned()])
    );
    assert_eq!(
        of(json!({"matchLabels": {"app": "web"}})),
        (names(&["a", "z"]), vec![])
    );
    assert_eq!(
        of(json!({"matchLabels": {"app": "web", "tier": "1"}})),
        (names(&["z"]), vec![])
    );
    assert_eq!(of(json!({"matchLabels": {"app": "db"}})), (names(&[]), vec![]));
    assert_eq!(of(json!({})), (names(&[]), vec![]));
}

#[test]
fn a_silence_begins_at_its_creation_unless_it_says_otherwise() {
    let time = |second| Time(at(second));
    let base = spec(json!({"matchers": ["a=b"]}));
    let with = |starts_at, ends_at, duration: Option<&str>| SilenceSpec {
        starts_at,
        ends_at,
        duration: duration.map(|text| from_value(json!(text)).unwrap()),
        ..base.clone()
    };
    assert_eq!(
        period(&with(None, None, Some("1h")), at(0)),
        Ok((at(0), at(3600)))
    );
    assert_eq!(
        period(&with(Some(time(60)), None, Some("1m")), at(0)),
        Ok((at(60), at(120)))
    );
    assert_eq!(
        period(&with(None, Some(time(5)), None), at(0)),
        Ok((at(0), at(5)))
    );
    assert_eq!(
        period(&with(Some(time(-9)), Some(time(5)), None), at(0)),
        Ok((at(-9), at(5)))
    );
    // Over before it was created: an end, not a mistake.
    assert_eq!(
        period(&with(None, Some(time(-9)), None), at(0)),
        Ok((at(-9), at(-9)))
    );
    for (spec, message) in [
        (
            with(Some(time(5)), Some(time(5)), None),
            "spec.endsAt: must be after the start",
        ),
        (
            with(Some(time(9)), Some(time(5)), None),
            "spec.endsAt: must be after the start",
        ),
        (
            with(None, None, Some("0s")),
            "spec.duration: must be greater than 0",
        ),
        (
            with(None, None, Some("1x")),
            "spec.duration: \"1x\" is not a duration",
        ),
        (
            with(Some(Time(Timestamp::MAX)), None, Some("1d")),
            "spec.duration: the end is too far away",
        ),
        (
            with(None, None, None),
            "spec: give exactly one of endsAt and duration",
        ),
        (
            with(None, Some(time(5)), Some("1h")),
            "spec: give exactly one of endsAt and duration",
        ),
    ] {
        let refusal = period(&spec, at(0)).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.starts_with(message), "{}", refusal.message);
    }
}

#[test]
fn a_wish_has_sorted_matchers_an_author_and_a_comment() {
    let spec = spec(
        json!({"matchers": ["z!=1", "a=~\"x|y\"", "b!~q", "z!=1", "a=c"], "duration": "1h", "comment": "why"}),
    );
    let wish = wish_of(&spec, &Selection::Namespace, false).unwrap().unwrap();
    let expected = [
        matcher(LABEL, r"prod/shop\.a/.+", true, true),
        matcher("a", "c", false, true),
        matcher("a", "x|y", true, true),
        matcher("b", "q", true, false),
        matcher("z", "1", false, false),
    ];
    assert_eq!(wish.matchers, expected);
    assert_eq!((wish.starts_at, wish.ends_at), (at(0), at(3600)));
    assert_eq!(
        (wish.author.as_str(), wish.comment.as_str()),
        ("alertwright prod/shop.a/quiet", "why")
    );
    let wish = wish_of(
        &SilenceSpec {
            comment: None,
            ..spec
        },
        &Selection::Namespace,
        false,
    )
    .unwrap()
    .unwrap();
    assert_eq!(wish.comment, "Silence shop.a/quiet");
}

#[test]
fn a_silence_reaches_no_rule_but_its_own_namespaces() {
    let all = ownership(&Selection::Namespace);
    assert_eq!(ownership(&Selection::Matchers), all);
    assert!(matches(&all, "prod/shop.a/errors"));
    for foreign in [
        "prod/shop.ab/errors",
        "prod/shopxa/errors",
        "prod/shop.a/",
        "other/shop.a/errors",
        "xprod/shop.a/errors",
        "",
    ] {
        assert!(!matches(&all, foreign), "{foreign}");
    }
}

#[test]
fn rules_by_name_are_matched_as_a_whole() {
    let one = ownership(&Selection::Rules(vec!["a.b".into()]));
    assert_eq!(one, matcher(LABEL, "prod/shop.a/a.b", false, true));
    let two = ownership(&Selection::Rules(vec!["a.b".into(), "c".into()]));
    assert_eq!(two, matcher(LABEL, r"prod/shop\.a/(a\.b|c)", true, true));
    for (label, expected) in [
        ("prod/shop.a/a.b", true),
        ("prod/shop.a/c", true),
        ("prod/shop.a/axb", false),
        ("prod/shop.a/cc", false),
        ("prod/shop.a/xc", false),
    ] {
        assert_eq!(matches(&two, label), expected, "{label}");
    }
}

#[test]
fn rules_that_a_former_owner_id_still_marks_are_covered_too() {
    let spec = spec(json!({"duration": "1h"}));
    for selection in [
        Selection::Namespace,
        Selection::Rules(vec!["a".into()]),
        Selection::Rules(vec!["a".into(), "b".into()]),
    ] {
        let wish = wish_by(&owners(&["old"]), &spec, &selection, false)
            .unwrap()
            .unwrap();
        assert_eq!(wish.author, "alertwright prod/shop.a/quiet");
        let [matcher] = wish.matchers.as_slice() else {
            panic!("{:?}", wish.matchers)
        };
        for (label, expected) in [
            ("prod/shop.a/a", true),
            ("old/shop.a/a", true),
            ("other/shop.a/a", false),
            ("old/shopxa/a", false),
        ] {
            assert_eq!(matches(matcher, label), expected, "{label} by {selection:?}");
        }
    }
}

#[test]
fn no_rules_are_no_silence_and_never_a_wider_one() {
    let spec = spec(json!({"matchers": ["a=b"], "duration": "1h"}));
    for unrestricted in [false, true] {
        assert_eq!(wish_of(&spec, &Selection::Rules(vec![]), unrestricted), Ok(None));
    }
}

#[test]
fn an_unrestricted_silence_names_a_value() {
    let of = |text: &str| {
        wish_of(
            &spec(json!({"matchers": [text], "duration": "1h"})),
            &Selection::Matchers,
            true,
        )
    };
    for text in ["a=b", "a=~b.*", "a=~.+", "a!=\"\"", "a!~\"\"", "a!~.*"] {
        let wish = of(text).unwrap().unwrap();
        assert!(wish.matchers.iter().all(|m| m.name == "a"), "{text}");
    }
    for text in ["a!=b", "a=~.*", "a=\"\"", "a=~\"b|\"", "a!~b", "a=~\"\""] {
        let refusal = of(text).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid, "{text}");
        assert!(
            refusal.message.starts_with("spec.matchers: "),
            "{}",
            refusal.message
        );
    }
    // Its own namespace's rules are a value.
    let spec = spec(json!({"matchers": ["a!=b"], "duration": "1h"}));
    assert!(wish_of(&spec, &Selection::Namespace, true).unwrap().is_some());
    assert!(wish_of(&spec, &Selection::Matchers, false).unwrap().is_some());
}

#[test]
fn a_bad_matcher_is_refused_with_its_place() {
    let spec = spec(json!({"matchers": ["a=b", "a=~\"(\""], "duration": "1h"}));
    let refusal = wish_of(&spec, &Selection::Namespace, false).unwrap_err();
    assert!(
        refusal.message.starts_with("spec.matchers[1]: "),
        "{}",
        refusal.message
    );
}

#[test]
fn matchers_are_written_as_alertmanager_writes_them() {
    for (matcher, text) in [
        (matcher("a", "b", false, true), r#"a="b""#),
        (matcher("a", "b", false, false), r#"a!="b""#),
        (matcher("a", "b.*", true, true), r#"a=~"b.*""#),
        (matcher("a", "b!", true, false), r#"a!~"b!""#),
        (matcher("a b,c", "x", false, true), r#""a b,c"="x""#),
        (matcher("a.b", "ü\u{200b}", false, true), "a.b=\"ü\u{200b}\""),
        (matcher("a", "b\"\\", false, true), r#"a="b\"\\""#),
    ] {
        assert_eq!(matcher_text(&matcher), text);
        let parsed = Matcher::parse(text).unwrap();
        assert_eq!((parsed.label, parsed.value), (matcher.name, matcher.value));
    }
}

#[test]
fn alerts_are_counted_by_odd_label_names_too() {
    let alert = |name: &str| {
        BTreeMap::from([
            ("team".to_owned(), "a".to_owned()),
            (name.to_owned(), "x".to_owned()),
        ])
    };
    let matchers = [
        matcher("team", "a", false, true),
        matcher("my label", "x", false, true),
    ];
    assert_eq!(
        filters(&matchers),
        [r#"team="a""#],
        "older Grafanas read no names in quotes"
    );
    let digit = [matcher("1st", "a", false, true)];
    assert_eq!(filters(&digit), [""; 0], "no name begins with a digit there");
    assert_eq!(count(&matchers, &[alert("my label"), alert("other")]), Some(1));
    for takes_long in [r"\p{Nonesuch}", r"\pL{1000}"] {
        let unknown = [matcher("my label", takes_long, true, true)];
        assert_eq!(count(&unknown, &[alert("my label")]), None, "{takes_long}");
    }
    let long = BTreeMap::from([("my label".to_owned(), "x".repeat(1000))]);
    let many = [matcher("my label", "x*", true, true)];
    assert_eq!(count(&many, &vec![long.clone(); 100]), Some(100));
    assert_eq!(count(&many, &vec![long; 300]), None, "so much isn't compared");
}

#[test]
fn matchers_that_only_exclude_are_told_unless_rules_are_named() {
    let owners = owners(&[]);
    let around = Surroundings {
        owners: &owners,
        namespace: "shop.a",
        name: "quiet",
        created: at(0),
        unrestricted: false,
    };
    let told = |mut value: Value| {
        value["duration"] = json!("1h");
        warning(&spec(value), &around)
    };
    for wide in [
        json!({"matchers": ["severity!=\"critical\""]}),
        json!({"matchers": ["severity!~\"critical|high\"", "team=~\".*\""]}),
    ] {
        let told = told(wide).unwrap_or_default();
        assert!(told.contains("all others of namespace shop.a"), "{told}");
    }
    let of_files = Surroundings {
        namespace: "",
        ..around
    };
    let wide = spec(json!({"duration": "1h", "matchers": ["severity!=\"critical\""]}));
    let said = warning(&wide, &of_files).unwrap_or_default();
    assert!(said.contains("all others of its namespace; say"), "{said}");
    for narrow in [
        json!({"matchers": ["severity!=\"critical\"", "team=web"]}),
        json!({"matchers": ["severity!=\"critical\""], "alertRules": {"all": true}}),
        json!({"alertRules": {"names": ["a"]}}),
    ] {
        assert_eq!(told(narrow.clone()), None, "{narrow}");
    }
}
