//! Queries of both languages, and of either.

use super::super::split::tests::expressions::{LOGQL, PROMQL, WHOLE};
use super::Language::{LogQl, PromQl};
use super::*;

fn told(query: &str) -> Option<(Language, &str)> {
    sign(query).map(|sign| (sign.language, sign.word))
}

/// What is right in LogQL: none of it may be refused by a Loki.
const RIGHT_LOGQL: [&str; 22] = [
    r#"sum(count_over_time({service="revel"} |~ "stripe_payment_failed|stripe_refund_.*" [10m])) > 5"#,
    r#"sum(sum_over_time({service="revel"} |= "done" | json | unwrap tokens_used [1h])) > 1000000"#,
    r#"count_over_time({app="web"}[5m]) > 0"#,
    r#"sum by (host) (rate({app="web"}[5m] offset 1h)) > 2"#,
    r#"sum(rate({app="web"} != "ok" [5m])) without (pod) > 2"#,
    r#"rate({app="web"} !~ `a|b` [$__auto]) > 1"#,
    r#"rate({app="web"} != ip("10.0.0.0/8") [5m]) > 1"#,
    r#"topk(3, sum by (app) (bytes_rate({env="prod"}[5m]))) > 1e6"#,
    r#"approx_topk(3, sum by (app) (rate({env="prod"}[5m]))) > 1"#,
    r#"quantile_over_time(0.99, {app="web"} | logfmt | unwrap duration_seconds(took) [5m]) by (path) > 1.5"#,
    r#"label_replace(rate({app="web"}[1m]), "foo", "$1", "service", "(.*):.*") > 1"#,
    r#"absent_over_time({app="cron"}[1d])"#,
    r#"sum(count_over_time({app="a"}[1h])) or vector(0) < 1"#,
    r#"sum(rate({a="b"}[5m])) by (x) / on (x) group_left (y) sum(rate({a="c"}[5m])) by (x, y) > bool 0.5"#,
    r#"sort_desc(max by (job, level) (rate({a="b"}[5m]))) > 0 unless vector(1)"#,
    r#"variants(count_over_time({a="b"}[5m]), bytes_over_time({a="b"}[5m])) of ({a="b"}[5m]) > 1"#,
    r#"first_over_time({a="b"} | unwrap size [5m]) > 1"#,
    r#"rate({a="b"} | status >= 500 and method = "GET" or up [5m]) > 1"#,
    "vector(1) > 0",
    r#"label_replace(vector(9), "team", "web", "", "") or vector(8)"#,
    "5 > 3",
    r#"SUM BY (increase) (rate({a="b"}[5m])) > INF"#,
];

/// What is right in PromQL: none of it may be refused by a Prometheus.
const RIGHT_PROMQL: [&str; 20] = [
    "up == 0",
    r#"{__name__=~"job:.*", a!="b"} > 1"#,
    r#"{"http.server.errors"} > 1"#,
    r#"{"http.server.errors", job="a|b"} > 1"#,
    r#"count_over_time({app="web"}[5m]) > 0"#,
    r#"sum(rate({__name__="x", path!~"a|b"}[5m])) > 1 # | json"#,
    "vector(1)",
    "time() - max(job_last_success) > 86400",
    "histogram_quantile(0.9, sum by (le) (rate(took_bucket[5m]))) > 2.5",
    "max_over_time(rate(x[5m])[1h:1m]) > 3",
    r#"absent(up{job="api"})"#,
    r#"label_replace(up, "a", "$1|$2", "b", "(.*)") == 0"#,
    "a / on(instance) group_left(node) b > 0.9",
    "x @ end() > 4",
    r#"{app="a"} != 5"#,
    r#"up{job="a"} != up{job="b"}"#,
    r#"{app="a"} != scalar({app="b"})"#,
    r#"count_values("version", build_info) > 1"#,
    "rate(x[$__rate_interval]) > 1",
    "5 > 3",
];

#[test]
fn no_right_query_is_taken_for_the_other_language() {
    let of_logs = LOGQL.iter().map(|row| row.0).chain(RIGHT_LOGQL);
    for query in of_logs {
        assert_ne!(
            told(query).map(|sign| sign.0),
            Some(PromQl),
            "{query}: {:?}",
            told(query)
        );
    }
    let of_metrics = PROMQL.iter().map(|row| row.0).chain(RIGHT_PROMQL);
    for query in of_metrics {
        assert_ne!(
            told(query).map(|sign| sign.0),
            Some(LogQl),
            "{query}: {:?}",
            told(query)
        );
    }
}

#[test]
fn what_only_one_language_has_a_place_for_is_told_with_its_place() {
    for (query, language, word) in [
        (r#"sum(count_over_time({a="b"} |= "x" [5m])) > 1"#, LogQl, "|="),
        (r#"sum(rate({a="b"} | json [5m])) > 1"#, LogQl, "|"),
        (r#"count_over_time({a="b"} |~ "x" [5m]) > 1"#, LogQl, "|~"),
        (r#"count_over_time({a="b"} != "x" [5m]) > 1"#, LogQl, "!="),
        (r#"bytes_rate({a="b"}[5m]) > 1"#, LogQl, "bytes_rate"),
        ("up == 0", PromQl, "up"),
        (r#"up{job="x"} == 0"#, PromQl, "up"),
        ("sum by (job) (rate(errors[5m])) > 1", PromQl, "errors"),
        ("vector(0) or absent_over_time(up[5m])", PromQl, "up"),
        (r#"increase({a="b"}[5m]) > 1"#, PromQl, "increase"),
        (
            r#"histogram_quantile(0.9, rate({a="b"}[5m])) > 1"#,
            PromQl,
            "histogram_quantile",
        ),
        (r#"{"http.errors"} > 1"#, PromQl, r#""http.errors""#),
    ] {
        assert_eq!(told(query), Some((language, word)), "{query}");
    }
    let sign = sign("sum(\n  rate(errors[5m])) > 1").unwrap();
    assert_eq!((sign.line, sign.column), (2, 8));
}

#[test]
fn what_may_be_of_either_says_nothing() {
    let either = [
        r#"count_over_time({app="web"}[5m]) > 0"#,
        "vector(1) > 0",
        "5 > 3",
        "${query} > 5",
        "$errors > 5",
        "sum(",
        "",
    ];
    for query in either {
        assert_eq!(told(query), None, "{query}");
    }
    // What isn't split is of either or of one of them, and says so without a panic.
    for (query, _) in WHOLE {
        told(query);
    }
}
