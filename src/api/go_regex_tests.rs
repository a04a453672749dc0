use proptest::prelude::*;
use regex::Regex;

use super::*;

fn to_rust(go: &str) -> Result<String, String> {
    Expression::parse(go).map(|expression| expression.rust)
}

fn compiled(go: &str) -> Regex {
    let rust = to_rust(go).unwrap_or_else(|problem| panic!("{go}: {problem}"));
    Regex::new(&format!("^(?:{rust})$")).unwrap_or_else(|e| panic!("{go} as {rust}: {e}"))
}

/// What Go 1.26 compiles, with a text that it matches.
#[test]
fn what_go_compiles_is_accepted_and_means_the_same() {
    for (go, text) in [
        (r"/api/v1/users/{id}(/.*)?", "/api/v1/users/{id}/x"),
        (r"[[(]error.*", "[error 1"),
        (r"[[(]error.*", "(error 1"),
        (r"\Q/a.b/\E.*", "/a.b/c"),
        (r"\Qa+\E+", "a+++"),
        (r"foo{bar", "foo{bar"),
        (r"a{,3}", "a{,3}"),
        (r"a{01}", "a{01}"),
        (r"a{ 1}", "a{ 1}"),
        (r"a{1,2", "a{1,2"),
        (r"a}b]", "a}b]"),
        (r"a{2}?", "aa"),
        (r"a*?b??", "aab"),
        (r"(a{10}){100}", &"a".repeat(1000)),
        (r"(a*){1000}", "aaa"),
        (r"a{0}", ""),
        (r"[]a]+", "]a]"),
        (r"[^]a]", "b"),
        (r"[a-]+", "a-"),
        (r"[-a]+", "-a"),
        (r"[a-b-c]+", "a-c"),
        (r"[\d-z]+", "1-z"),
        (r"[a&&b]+", "a&b"),
        (r"[~~a]+", "~a"),
        (r"[[:word:].]+", "a_1."),
        (r"[[:^digit:]]", "x"),
        (r"[[.a.]]", "[]"),
        (r"[\w\-.]+", "a-b.c"),
        (r"[\Wa]+", "a-"),
        (r"\07\x41\x{1F600}", "\x07A😀"),
        (r"\_\<\>\-\/\ ", "_<>-/ "),
        (r"\a\f\v\n\r\t", "\x07\x0C\x0B\n\r\t"),
        (r"(?i)wEb", "WeB"),
        (r"(?i-s:a)(?)b", "Ab"),
        (r"(?P<n>a)(?<m>b)", "ab"),
        (r"\pL\p{Greek}\p{^Greek}\PN", "aαbc"),
        (r"()(?:)|x", ""),
        (r"(|a)*", "aa"),
        (r"\Aa\bb?\z", "a"),
        (r"(?s).", "\n"),
        (r"größe", "größe"),
    ] {
        assert!(
            compiled(go).is_match(text),
            "{go} matches {text:?}, by {:?}",
            to_rust(go)
        );
    }
}

#[test]
fn classes_are_of_ascii_as_in_go() {
    for (go, text) in [
        (r"\d", "٣"),
        (r"\w", "ß"),
        (r"\s", "\u{a0}"),
        (r"[\d]", "٣"),
        (r"a{,3}", "aa"),
    ] {
        assert!(!compiled(go).is_match(text), "{go} {text}");
    }
    assert!(compiled(r"\W").is_match("ß"));
}

/// What Go 1.26 doesn't compile within `^(?:` and `)$`.
#[test]
fn what_go_refuses_is_refused_with_the_cure() {
    for (go, cure) in [
        ("web++", "put what is to be repeated twice in (?:...)"),
        ("a**", "possessive"),
        ("x?+", "possessive"),
        ("a*??", "possessive"),
        ("a{2}{3}", "possessive"),
        ("x{2}+", "possessive"),
        ("a{1001}", "at most 1000"),
        ("a{99999999999}", "at most 1000"),
        ("a{2,1}", "not below the first"),
        ("(a{1000}){2}", "more than 1000 repetitions"),
        ("(a{10}){101}", "more than 1000 repetitions"),
        ("(a{2,}){600}", "more than 1000 repetitions"),
        (
            "a{1000}b{1000}c{1000}d{1000}e{1000}f{1000}g{1000}h{1000}i{1000}j{1000}k{1000}",
            "more than 10000 characters",
        ),
        ("(abcdefghijklmno){0,1000}", "use * and +"),
        (r"\u0041.*", r"write \x{0041}"),
        (r"\C", "is no escape"),
        (r"\h", r"a literal backslash is written \\"),
        (r"\Z", "is no escape"),
        (r"\é", "is no escape"),
        (r"a\E", "is no escape"),
        (r"\1", "looks back"),
        (r"\8", "looks back"),
        (r"\x{110000}", "hexadecimal"),
        (r"\xZ1", "hexadecimal"),
        (r"\p", r"\p{Greek}"),
        (r"\Qa", r"end the literal text with \E"),
        (r"a\", r"written \\"),
        (r"[a-\d]", "is no escape"),
        (r"[\Q]\E]", "is no escape"),
        ("[z-a]", "runs backwards"),
        ("[a--b]", "runs backwards"),
        ("[[:foo:]]", "is no class"),
        ("[", r"written \["),
        ("[a", r"written \["),
        ("(", r"written \("),
        ("a)", r"written \)"),
        ("a)|(b", r"written \)"),
        ("*", r"written \*"),
        ("a|*", "nothing before"),
        ("(?i)*", "nothing before"),
        ("(?=a)", "!~"),
        ("(?!a)", "!~"),
        ("(?<=a)", "!~"),
        ("(?P<n->a)", "the name of a group"),
        ("(?x)a", "only the flags"),
        ("(?u)a", "only the flags"),
        ("(?-)", "only the flags"),
        ("(?s-:a)", "only the flags"),
    ] {
        match to_rust(go) {
            Err(problem) => assert!(problem.contains(cure), "{go}: {problem}"),
            Ok(rust) => panic!("{go} is accepted as {rust}"),
        }
    }
}

/// Each of these takes from 10 ms to more than a second to be compiled, some of them also where that is given up early.
#[test]
fn what_takes_long_is_not_compiled() {
    let cased = |part: &str| format!("(?i){}", part.repeat(1000 / part.len()));
    for text in [
        r"\pL{1000}",
        r"[^\p{Greek}]{50}",
        ".{1000}",
        "(.{20}){20}",
        r"(\PL|\PN|\PS){300}",
        &cased(r"\pL"),
        &cased(r"[\x{0}-\x{10ffff}]"),
        &cased(r"[^a]"),
        &cased(r"\D"),
    ] {
        let expression = Expression::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert!(!expression.is_plain && expression.compile().is_none(), "{text}");
        assert!(!expression.matches_empty, "{text}");
    }
    // What is small to look at may be large to the compiler, which gives up then.
    let large = Expression::parse(&"[^a]".repeat(250)).unwrap();
    assert!(large.is_plain && large.compile().is_none());
    for text in [
        "web|api",
        "prod-.*-[a-z0-9]{5,10}(-[0-9]+)?",
        "(?i)critical",
        r"\d+\.\d+",
        ".{0,20}",
        "größe.*",
    ] {
        assert!(Expression::parse(text).unwrap().compile().is_some(), "{text}");
    }
}

/// Thousands of names in one expression are the operator's own.
#[test]
fn what_is_long_without_repetitions_is_not_refused_for_that() {
    let names: Vec<String> = (0..5000).map(|i| format!("team/rule-{i}")).collect();
    assert!(Expression::parse(&names.join("|")).is_ok());
}

proptest! {
    #[test]
    fn whether_the_empty_text_is_matched_is_read_off(text in r"([ab.^$|]|[(][?]:|[(]|[)]|[*+?]|\{0\}|\{0,2\}|\{2\}|\\[bBAzdD]|\[a-c\]|[(][?]i[)]){0,12}") {
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        // Rust repeats no flag.
        if let Ok(compiled) = Regex::new(&format!("^(?:{})$", expression.rust)) {
            prop_assert_eq!(expression.matches_empty, compiled.is_match(""), "{} as {}", text, expression.rust);
        }
    }

    #[test]
    fn plain_words_mean_themselves(text in "[a-zA-Z0-9_äß /:=,-]{0,16}", other in "[a-z -]{0,8}") {
        prop_assert_eq!(compiled(&text).is_match(&other), text == other);
        prop_assert!(compiled(&text).is_match(&text));
    }

    #[test]
    fn no_expression_breaks_out_of_the_whole(text in r"[ab()|\\\[\]{}?*+^$:\-QE0-9]{0,14}") {
        if let Ok(rust) = to_rust(&text) {
            // What compiles within a group compiles alone: no bracket of the group was taken.
            let within = Regex::new(&format!("^(?:{rust})$")).is_ok();
            prop_assert_eq!(within, Regex::new(&rust).is_ok(), "{} as {}", text, rust);
        }
    }
}
