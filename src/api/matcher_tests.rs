use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Matcher {
    Matcher::parse(text).unwrap_or_else(|e| panic!("{e}"))
}

fn schema_accepts(text: &str) -> bool {
    Regex::new(PATTERN).unwrap().is_match(text)
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[test]
fn reads_what_alertmanager_reads() {
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    for (text, label, op, value, canonical) in [
        (
            r#"severity="critical""#,
            "severity",
            Equal,
            "critical",
            r#"severity="critical""#,
        ),
        (
            "severity=critical",
            "severity",
            Equal,
            "critical",
            r#"severity="critical""#,
        ),
        (r#" team =~ "a|b" "#, "team", Regex, "a|b", r#"team=~"a|b""#),
        ("team=~a|b", "team", Regex, "a|b", r#"team=~"a|b""#),
        (r#"env!="dev""#, "env", NotEqual, "dev", r#"env!="dev""#),
        (r#"env!~"dev.*""#, "env", NotRegex, "dev.*", r#"env!~"dev.*""#),
        (r#"a="""#, "a", Equal, "", r#"a="""#),
        (r#"a="x=y, {z}""#, "a", Equal, "x=y, {z}", r#"a="x=y, {z}""#),
        (
            r#"a="say \"hi\"""#,
            "a",
            Equal,
            r#"say "hi""#,
            r#"a="say \"hi\"""#,
        ),
        (r#"a="one\ntwo""#, "a", Equal, "one\ntwo", r#"a="one\ntwo""#),
        ("a=\"one\ntwo\"", "a", Equal, "one\ntwo", r#"a="one\ntwo""#),
        (r#"a=~"\d+\.5""#, "a", Regex, r"\d+\.5", r#"a=~"\\d+\\.5""#),
        (r#"a=~"\\d+""#, "a", Regex, r"\d+", r#"a=~"\\d+""#),
        (r#"a="c:\\tmp\\""#, "a", Equal, r"c:\tmp\", r#"a="c:\\tmp\\""#),
        (
            r#"service.name="x""#,
            "service.name",
            Equal,
            "x",
            r#"service.name="x""#,
        ),
        (
            r#""label with spaces"="x""#,
            "label with spaces",
            Equal,
            "x",
            r#""label with spaces"="x""#,
        ),
        (r#""plain"="x""#, "plain", Equal, "x", r#"plain="x""#),
        ("größe=\"ü\"", "größe", Equal, "ü", "größe=\"ü\""),
        (
            "__alertwright__=x/y/z",
            "__alertwright__",
            Equal,
            "x/y/z",
            r#"__alertwright__="x/y/z""#,
        ),
    ] {
        let matcher = parse(text);
        assert_eq!(
            (matcher.label.as_str(), matcher.op, matcher.value.as_str()),
            (label, op, value),
            "{text}"
        );
        assert_eq!(matcher.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), matcher, "{canonical}");
        assert!(schema_accepts(text), "the schema refuses {text}");
    }
}

#[test]
fn names_the_place_and_the_cure_of_a_mistake() {
    for (text, position, cure) in [
        ("", 1, "label name is missing"),
        ("  ", 3, "label name is missing"),
        (r#"="x""#, 1, "label name is missing"),
        (r#"""="x""#, 1, "label name is missing"),
        ("severity", 9, "one of = != =~ !~"),
        ("severity critical", 10, "one of = != =~ !~"),
        (r#"severity > "x""#, 10, "one of = != =~ !~"),
        (r#"severity=="x""#, 10, "a single ="),
        ("severity=", 10, "written \"\""),
        ("severity='critical'", 10, "double quotes"),
        ("severity=`critical`", 10, "double quotes"),
        (r#"severity="critical"#, 10, "never closed"),
        (r#"severity="critical\""#, 10, "never closed"),
        (r#"größe="x"#, 7, "never closed"),
        (r#"severity="a" team="b""#, 14, "entry of its own"),
        (r#"severity="a","#, 13, "entry of its own"),
        ("severity=a,team=b", 11, "entry of its own"),
        ("title=two words", 11, "quote a value"),
        (r#"{severity="a"}"#, 1, "leave the braces out"),
    ] {
        match Matcher::parse(text) {
            Err(InvalidMatcher::Syntax {
                position: at,
                problem,
                ..
            }) => {
                assert_eq!(at, position, "{text}: {problem}");
                assert!(problem.contains(cure), "{text}: {problem}");
            }
            other => panic!("{text}: {other:?}"),
        }
        assert!(!schema_accepts(text), "the schema accepts {text}");
    }
}

#[test]
fn refuses_a_value_that_is_no_regular_expression() {
    for text in [r#"a=~"(""#, r#"a!~"[a-""#, r#"a=~"*""#, r#"a=~"a)|(b""#] {
        let problem = Matcher::parse(text).unwrap_err().to_string();
        assert!(
            problem.starts_with("the value of a is not a regular expression: "),
            "{text}: {problem}"
        );
        assert_eq!(problem.lines().count(), 1, "{problem}");
    }
    assert_eq!(parse(r#"a="(""#).value, "(");
}

/// Written as people write them in YAML: <https://github.com/grafana/grafana/issues/44828> has braces in label values.
#[test]
fn takes_the_regular_expressions_that_grafana_takes() {
    let alert = labels(&[
        ("uri", "/api/v1/users/{id}/x"),
        ("msg", "[error 7"),
        ("path", "/a.b/c"),
    ]);
    for text in [
        r#"uri=~"/api/v1/users/{id}(/.*)?""#,
        r#"msg=~"[[(]error.*""#,
        r#"path=~"\Q/a.b/\E.*""#,
    ] {
        assert_eq!(parse(text).matches(&alert), Some(true), "{text}");
    }
    for text in [r#"app=~"web++""#, r#"app=~"a{1001}""#, r#"app=~"\u0041.*""#] {
        assert!(Matcher::parse(text).is_err(), "{text}");
    }
    // Go takes it, and there is no such category here.
    let unknown = parse(r#"app=~"\p{Nonesuch}""#);
    assert_eq!(unknown.matches(&labels(&[("app", "x")])), None);
    // The label isn't there.
    assert_eq!(unknown.matches(&alert), Some(false));
}

#[test]
fn odd_label_names_read_back() {
    for (text, label) in [
        (
            r#""label.with.dots.and.slash\test"=warning"#,
            r"label.with.dots.and.slash\test",
        ),
        (r#""a=b,c"="1""#, "a=b,c"),
        (r#""my label"="x y""#, "my label"),
        ("host.name=web-1", "host.name"),
    ] {
        let matcher = parse(text);
        assert_eq!(matcher.label, label);
        assert_eq!(parse(&matcher.to_string()), matcher, "{matcher}");
    }
}

#[test]
fn matches_whole_labels_and_takes_a_missing_one_as_empty() {
    let alert = labels(&[
        ("severity", "critical"),
        ("team", "payments"),
        ("note", "two\nlines"),
    ]);
    for (text, expected) in [
        (r#"severity="critical""#, true),
        (r#"severity="crit""#, false),
        (r#"severity!="critical""#, false),
        (r#"severity=~"crit.*""#, true),
        (r#"severity=~"crit""#, false),
        (r#"severity=~"x|critical|y""#, true),
        (r#"severity=~"x|crit""#, false),
        (r#"severity!~"crit.*""#, false),
        (r#"severity!~"crit""#, true),
        (r#"cluster="""#, true),
        (r#"cluster!="""#, false),
        (r#"cluster!="prod""#, true),
        (r#"cluster=~".+""#, false),
        (r#"cluster=~".*""#, true),
        (r#"cluster!~".+""#, true),
        (r#"note=~"two.lines""#, false),
        (r#"team="payments""#, true),
    ] {
        assert_eq!(parse(text).matches(&alert), Some(expected), "{text}");
    }
}

#[test]
fn tells_whether_alerts_without_the_label_are_matched() {
    for (text, expected) in [
        (r#"a="""#, true),
        (r#"a="x""#, false),
        (r#"a!="x""#, true),
        (r#"a!="""#, false),
        (r#"a=~".*""#, true),
        (r#"a=~"x|""#, true),
        (r#"a=~"x+""#, false),
        (r#"a!~"x+""#, true),
        (r#"a!~".*""#, false),
    ] {
        assert_eq!(parse(text).matches_empty(), expected, "{text}");
        assert_eq!(parse(text).matches(&labels(&[])), Some(expected), "{text}");
        assert_eq!(
            parse(text).matches(&labels(&[("a", "")])),
            Some(expected),
            "{text}"
        );
    }
}

#[test]
fn reads_even_a_bad_text_and_writes_it_back() {
    let read: Vec<MatcherText> = serde_json::from_str(r#"["a=~\"(\"","a = b"]"#).unwrap();
    assert!(read[0].parse().is_err());
    assert_eq!(MatcherText::from(&read[1].parse().unwrap()).as_str(), r#"a="b""#);
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"["a=~\"(\"","a = b"]"#);
}

fn ops() -> impl Strategy<Value = MatchOp> {
    prop::sample::select(MatchOp::ALL.to_vec())
}

proptest! {
    #[test]
    fn printing_and_parsing_gives_the_same_matcher(label in "\\PC{1,12}", op in ops(), value in "(?s).{0,20}") {
        if let Ok(matcher) = Matcher::new(label, op, value) {
            let text = matcher.to_string();
            prop_assert!(schema_accepts(&text), "{}", text);
            prop_assert_eq!(parse(&text), matcher);
        }
    }

    #[test]
    fn never_accepts_what_the_schema_refuses(text in "[ab\"\\\\=!~ {},']{0,12}|(?s).{0,12}") {
        if Matcher::parse(&text).is_ok() {
            prop_assert!(schema_accepts(&text), "{}", text);
        }
    }

    #[test]
    fn an_escaped_text_matches_itself_alone(text in "\\PC{0,16}", other in "\\PC{0,16}") {
        let matcher = Matcher::new("a", MatchOp::Regex, escape_regex(&text)).unwrap();
        prop_assert_eq!(matcher.matches(&labels(&[("a", &text)])), Some(true));
        prop_assert_eq!(matcher.matches(&labels(&[("a", &other)])), Some(text == other));
    }

    #[test]
    fn a_negation_matches_what_its_opposite_does_not(value in "[a-c|.*]{0,5}", label in "[a-c]{0,4}") {
        let alert = labels(&[("x", &label)]);
        for (op, negation) in [(MatchOp::Equal, MatchOp::NotEqual), (MatchOp::Regex, MatchOp::NotRegex)] {
            if let (Ok(yes), Ok(no)) = (Matcher::new("x", op, value.clone()), Matcher::new("x", negation, value.clone())) {
                prop_assert_ne!(yes.matches(&alert), no.matches(&alert));
            }
        }
    }
}
