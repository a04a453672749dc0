use proptest::prelude::*;

use super::Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
use super::*;

#[path = "split_expressions_tests.rs"]
pub(in crate::domain::rule::query) mod expressions;

fn assert_splits(text: &str, query: &str, op: Comparison, threshold: f64) {
    assert_eq!(
        split(text),
        Ok(Split::Comparison { query, op, threshold }),
        "{text}"
    );
}

/// The ten rules of Revel, word for word.
#[test]
fn splits_the_queries_of_the_first_user() {
    let sum_of_counts =
        |pattern: &str, window: &str| format!("sum(count_over_time(\n  {pattern}\n  [{window}]\n))");
    let rows = [
        (r#"rate({service="revel", level="error"} |= "unhandled_exception" [5m])"#.to_owned(), " > 0.1", 0.1),
        (
            sum_of_counts(
                "{service=\"revel\"}\n    |~ \"stripe_payment_failed|stripe_refund_.*|stripe_session_unresolved_payment\"",
                "10m",
            ),
            " > 5\n",
            5.0,
        ),
        (
            "sum(rate(\n  {service=\"revel\"}\n    |~ \"otp_verification_failed|password_reset_.*_failed|google_token_verification_failed\"\n  [5m]\n))"
                .to_owned(),
            " > 1\n",
            1.0,
        ),
        ("count_over_time(\n  {service=\"revel\"} |= \"gdpr_export_failed\"\n  [30m]\n)".to_owned(), " > 0\n", 0.0),
        (sum_of_counts("{service=\"revel\"} |= \"questionnaire_evaluation_task_failed\"", "15m"), " > 3\n", 3.0),
        (
            "sum(sum_over_time(\n  {service=\"revel\"}\n    |= \"questionnaire_llm_evaluation_completed\"\n    | json\n    | unwrap tokens_used [1h]\n))"
                .to_owned(),
            " > 1000000\n",
            1_000_000.0,
        ),
        (
            sum_of_counts("{service=\"revel\", level=\"error\"}\n    |~ \"(?i)(database|connection|postgres|psycopg)\"", "5m"),
            " > 10\n",
            10.0,
        ),
        ("sum(rate(\n  {service=\"revel\"}\n    |~ \".*_task_failed\"\n  [10m]\n))".to_owned(), " > 0.5\n", 0.5),
        (sum_of_counts("{service=\"revel\"} |= \"questionnaire_missing_mandatory_questions\"", "1h"), " > 10\n", 10.0),
        (sum_of_counts("{service=\"revel\"} |= \"account_deletion_blocked_owns_organizations\"", "24h"), " > 5\n", 5.0),
    ];
    for (query, comparison, threshold) in rows {
        assert_splits(&format!("{query}{comparison}"), &query, Gt, threshold);
    }
}

#[test]
fn splits_logql() {
    for (text, query, op, threshold) in expressions::LOGQL {
        assert_splits(text, query, op, threshold);
    }
}

#[test]
fn splits_promql() {
    for (text, query, op, threshold) in expressions::PROMQL {
        assert_splits(text, query, op, threshold);
    }
}

#[test]
fn leaves_whole_what_has_no_comparison_to_a_number() {
    for (text, obstacle) in expressions::WHOLE {
        assert_eq!(split(text), Ok(Split::Whole(text.trim(), obstacle)), "{text}");
    }
}

#[test]
fn works_out_constant_arithmetic() {
    for (number, value) in [
        ("5", 5.0),
        ("-5", -5.0),
        ("+5", 5.0),
        ("- - 5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E3", 1000.0),
        ("1.5e+3", 1500.0),
        ("2e-3", 0.002),
        ("0x1F", 31.0),
        ("0x1e-3", 27.0),
        ("0Xff", 255.0),
        ("1_000_000", 1_000_000.0),
        ("5 + 1", 6.0),
        ("10 - 2 - 3", 5.0),
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("7 * 24 * 3600", 604_800.0),
        ("5 * 1024^3", 5_368_709_120.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("(-2)^2", 4.0),
        ("7 % 4", 3.0),
        ("-7 % 4", -3.0),
        ("1 / 4", 0.25),
        ("((0.9))", 0.9),
        ("1h30m", 5400.0),
        ("2 * 1d", 172_800.0),
        ("500ms", 0.5),
    ] {
        assert_splits(&format!("x > {number}"), "x", Gt, value);
        assert_splits(&format!("{number} > x"), "x", Lt, value);
    }
}

#[test]
fn leaves_whole_what_is_no_fixed_finite_number() {
    for (number, obstacle) in [
        ("Inf", Obstacle::NotFinite),
        ("-inf", Obstacle::NotFinite),
        ("NaN", Obstacle::NotFinite),
        ("1 / 0", Obstacle::NotFinite),
        ("1e999", Obstacle::NotFinite),
        ("010", Obstacle::NoNumber),
        ("-2 ^ 2", Obstacle::NoNumber),
        ("5 * y", Obstacle::NoNumber),
        ("time()", Obstacle::NoNumber),
        ("10KB", Obstacle::NoNumber),
        ("5 5", Obstacle::NoNumber),
        ("$threshold", Obstacle::NoNumber),
    ] {
        let text = format!("x > {number}");
        assert_eq!(split(&text), Ok(Split::Whole(&text, obstacle)), "{text}");
    }
}

#[test]
fn gives_up_on_arithmetic_of_absurd_depth() {
    let deep = format!("x > {}5{}", "(-".repeat(100_000), ")".repeat(100_000));
    assert_eq!(split(&deep), Ok(Split::Whole(&deep, Obstacle::NoNumber)));
}

#[test]
fn what_a_string_or_comment_holds_is_its_own() {
    for text in [
        "x{job=\"“web”\u{a0}\"} > 5",
        "x > 5 # “why”\u{a0}not 5%",
        "x{job=`‘a’`} > 5",
    ] {
        assert!(matches!(split(text), Ok(Split::Comparison { .. })), "{text}");
    }
}

#[test]
fn names_the_place_of_a_mistake() {
    use Problem::{
        Empty, LogQuery, Mismatched, OddSpace, OneSided, Quoted, Range, SingleEquals, TypographicQuote,
        Unclosed, Unexpected, Unopened, Unterminated,
    };
    for (text, line, column, problem) in [
        ("", 1, 1, Empty),
        (" \n ", 1, 1, Empty),
        ("# nothing but this", 1, 1, Empty),
        ("()", 1, 1, Empty),
        ("sum(x > 5", 1, 4, Unclosed('(')),
        (
            "sum(\n  rate({a=\"b\"[5m])) > 5",
            2,
            18,
            Mismatched {
                open: '{',
                close: ')',
            },
        ),
        ("sum(x)) > 5", 1, 7, Unopened(')')),
        (
            "rate(x[5m) > 5",
            1,
            10,
            Mismatched {
                open: '[',
                close: ')',
            },
        ),
        ("x{a=\"b} > 5", 1, 5, Unterminated('"')),
        ("x{a=\"b\n\"} > 5", 1, 5, Unterminated('"')),
        ("x{a='b} > 5", 1, 5, Unterminated('\'')),
        ("x{ä=\"ö\", b=`c} > 5", 1, 12, Unterminated('`')),
        ("x{a=\"b\\\"} > 5", 1, 5, Unterminated('"')),
        ("{service=\"revel\"}", 1, 1, LogQuery),
        ("({service=\"revel\"})", 1, 2, LogQuery),
        ("{service=\"revel\"} |= \"failed\"", 1, 19, LogQuery),
        ("{service=\"revel\"} != \"failed\"", 1, 22, LogQuery),
        ("{service=\"revel\"} !~ \"failed\"", 1, 19, LogQuery),
        ("{service=\"revel\"}\n  | json | user_id != \"\"", 2, 3, LogQuery),
        ("{service=\"revel\"} |> \"<_> failed\"", 1, 19, LogQuery),
        ("{service=\"revel\"}[5m]", 1, 18, Range),
        ("x[5m] > 5", 1, 2, Range),
        ("x > \"5\"", 1, 5, Quoted),
        ("> 5", 1, 1, OneSided(">".into())),
        ("x >=", 1, 3, OneSided(">=".into())),
        ("x <> 5", 1, 3, OneSided("<".into())),
        ("x > 5%", 1, 6, OneSided("%".into())),
        ("x{job=“web”} > 5", 1, 7, TypographicQuote('“')),
        ("count_over_time({a=‘b’}[5m]) > 5", 1, 20, TypographicQuote('‘')),
        ("x\u{a0}> 5", 1, 2, OddSpace(0xa0)),
        ("sum(x\u{202f}) > 5", 1, 6, OddSpace(0x202f)),
        ("({service=\"revel\"} |= \"failed\") > 5", 1, 20, LogQuery),
        ("5 < ((x = 1))", 1, 9, SingleEquals),
        ("(x +) > 5", 1, 4, OneSided("+".into())),
        ("(x[5m]) > 5", 1, 3, Range),
        ("() > 5", 1, 1, Empty),
        ("x = 5", 1, 3, SingleEquals),
        ("x => 5", 1, 3, SingleEquals),
        ("x ≥ 5", 1, 3, Unexpected("≥".into())),
        ("x > 1,000", 1, 6, Unexpected(",".into())),
        ("x > 5; y", 1, 6, Unexpected(";".into())),
        ("x && y", 1, 3, Unexpected("&".into())),
        ("x =~ 5", 1, 3, Unexpected("=~".into())),
        ("!x", 1, 1, Unexpected("!".into())),
    ] {
        assert_eq!(
            split(text),
            Err(QueryError {
                line,
                column,
                problem
            }),
            "{text}"
        );
    }
}

#[test]
fn says_what_helps_in_one_line() {
    let message = |text| split(text).unwrap_err().to_string();
    assert_eq!(
        message("{a=\"b\"}"),
        "line 1, column 1: this query yields log lines, and an alert needs a number: count them, such as \
         count_over_time({…} |= \"…\" [5m])"
    );
    assert_eq!(message("sum(\nx"), "line 1, column 4: this ( is never closed");
}

fn tokens(text: &str) -> Vec<String> {
    token::scan(text)
        .unwrap()
        .iter()
        .map(|t| t.text.to_owned())
        .collect()
}

/// An expression in which nothing at the top binds weaker than a comparison, as its tokens.
fn operands() -> impl Strategy<Value = Vec<&'static str>> {
    let atom = prop::sample::select(vec![
        vec!["up"],
        vec!["job:errors:rate5m"],
        vec!["or"],
        vec!["-", "x"],
        vec!["x", "{", "a", "=", "\"> 5 or (\"", "}"],
        vec!["x", "{", "a", "=~", "'it\\'s # }'", "}", "offset", "5m"],
        vec!["rate", "(", "x", "[", "5m", ":", "1m", "]", ")"],
        vec!["sum", "by", "(", "a", ")", "(", "x", ">", "3", "or", "y", ")"],
        vec![
            "count_over_time",
            "(",
            "{",
            "a",
            "=",
            "`\\`",
            "}",
            "|=",
            "\"\\\"\"",
            "|",
            "duration",
            ">",
            "10s",
            "[",
            "5m",
            "]",
            ")",
        ],
        vec!["(", "x", "and", "on", "(", "a", ")", "y", "==", "1", ")"],
    ]);
    let joints = prop::sample::select(vec!["+", "-", "*", "/", "%", "^"]);
    (atom.clone(), prop::collection::vec((joints, atom), 0..3)).prop_map(|(first, rest)| {
        let rest = rest
            .into_iter()
            .flat_map(|(joint, atom)| std::iter::once(joint).chain(atom));
        first.into_iter().chain(rest).collect()
    })
}

/// Joins tokens as carelessly as people do.
fn written(tokens: &[&str], gaps: &[&str]) -> String {
    tokens
        .iter()
        .zip(gaps.iter().cycle())
        .flat_map(|(token, gap)| [*token, *gap])
        .collect()
}

fn gaps() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        prop::sample::select(vec![" ", "  ", "\n", "\t", " # it's > 5 (\n"]),
        1..8,
    )
}

/// Work that grows with the square of these lengths doesn't end within the time that anybody waits for a test.
#[test]
fn a_query_of_nothing_but_parentheses_is_read_in_one_go() {
    let many = 1 << 18;
    let (open, close) = ("(".repeat(many), ")".repeat(many));
    assert!(split(&format!("{open}{close}")).is_err());
    let deep = format!("{open}up > 1{close}");
    assert!(matches!(split(&deep), Ok(Split::Comparison { query: "up", .. })));
    let flat = format!("{} > 1", "(up) + ".repeat(many) + "up");
    assert!(matches!(split(&flat), Ok(Split::Comparison { .. })));
    let beside = format!("{open}up{close} > {open}1{close}");
    assert!(matches!(split(&beside), Ok(Split::Whole(..))));
}

#[test]
fn only_parentheses_around_everything_are_taken_away() {
    for (text, query, threshold) in [
        ("((up)) > 1", "((up))", 1.0),
        ("((up) > (1))", "(up)", 1.0),
        ("(((up) + (down)) > 1)", "((up) + (down))", 1.0),
        ("(1) < (up)", "(up)", 1.0),
        ("((1) < (up))", "(up)", 1.0),
        ("(({job=\"web\"})) > 1", "(({job=\"web\"}))", 1.0),
        ("((a) / (b)) > 1", "((a) / (b))", 1.0),
    ] {
        let expected = Split::Comparison {
            query,
            op: Comparison::Gt,
            threshold,
        };
        assert_eq!(split(text), Ok(expected), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "(?s).{0,40}|[x5 ><=!()\\[\\]{}\"'`#\\\\|+*^~.e\n-]{0,40}") {
        match split(&text) {
            Ok(Split::Comparison { query, threshold, .. }) => {
                prop_assert!(text.contains(query) && !query.is_empty());
                prop_assert!(threshold.is_finite());
                prop_assert!(token::scan(query).is_ok());
            }
            Ok(Split::Whole(query, _)) => prop_assert_eq!(query, text.trim()),
            Err(e) => prop_assert!(e.line >= 1 && e.line <= text.matches('\n').count() + 1 && e.column >= 1),
        }
    }

    #[test]
    fn takes_off_the_comparison_and_nothing_else(
        operand in operands(),
        op in prop::sample::select(Comparison::ALL.to_vec()),
        number in -1000_i32..1000,
        gaps in gaps(),
        is_mirrored in any::<bool>(),
        parentheses in 0_usize..3,
    ) {
        let query = written(&operand, &gaps);
        let (left, right) = if is_mirrored { (number.to_string(), query) } else { (query, number.to_string()) };
        let compared = format!("{left} {op} {right}");
        let text = format!("{}{compared}{}", "(".repeat(parentheses), ")\n".repeat(parentheses));
        let found = split(&text);
        let Ok(Split::Comparison { query, .. }) = found else {
            return Err(TestCaseError::fail(format!("not split: {text}")));
        };
        let op = if is_mirrored { op.mirrored() } else { op };
        prop_assert_eq!(found, Ok(Split::Comparison { query, op, threshold: number.into() }));
        prop_assert_eq!(tokens(query), operand);
        prop_assert!(text.contains(query));
    }

    #[test]
    fn leaves_sets_whole(left in operands(), right in operands(), set in prop::sample::select(vec!["and", "or", "UNLESS"]), gaps in gaps()) {
        let text = format!("{} > 5\n{set} {}", written(&left, &gaps), written(&right, &gaps));
        prop_assert_eq!(split(&text), Ok(Split::Whole(text.trim(), Obstacle::SetOperator)));
    }
}
