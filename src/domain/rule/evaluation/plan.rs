//! When a rule is evaluated over a stretch of the past, and what its data sources are asked for that.

use serde_json::{Value as Json, json};

use super::node::Graph;
use crate::domain::rule::query::language::Language;
use crate::grafana::model::Query;
use crate::grafana::wire::DataSource;

/// How many points one question is for. Prometheus and Loki refuse more than 11,000, and Grafana's steps for half of that are never longer than asked.
const POINTS: i64 = 5000;
/// How long a stretch Loki is asked for at once: its limit is 30 days as it comes, and often a day.
const LOKI_AT_ONCE: i64 = 24 * 3600;
/// So many evaluations are the most that are made by themselves: beyond, steps are longer.
const MOST: i64 = 100_000;

/// Evaluations at whole multiples of a step, from the first to the last, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// Seconds between two.
    pub step: i64,
}

impl Span {
    /// The evaluations within a stretch of time; `None` where there is none.
    pub fn within(from: i64, to: i64, step: i64) -> Option<Self> {
        let step = step.max(1);
        let span = Self {
            from: from
                .saturating_add(step - 1)
                .div_euclid(step)
                .saturating_mul(step),
            to: to.div_euclid(step) * step,
            step,
        };
        (span.from <= span.to).then_some(span)
    }

    /// How many there are.
    pub const fn count(&self) -> i64 {
        (self.to - self.from) / self.step + 1
    }

    /// All of them.
    pub fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let (from, step) = (self.from, self.step);
        (0..self.count()).map(move |at| from + at * step)
    }

    /// The same with so many seconds more at the beginning.
    #[must_use]
    pub const fn led_in(self, seconds: i64) -> Self {
        let steps = seconds / self.step + 2;
        Self {
            from: self.from.saturating_sub(steps.saturating_mul(self.step)),
            ..self
        }
    }

    /// In pieces that a data source answers.
    pub fn pieces(&self, language: Language) -> Vec<Self> {
        let longest = match language {
            Language::PromQl => POINTS,
            Language::LogQl => POINTS.min(LOKI_AT_ONCE / self.step).max(1),
        };
        let mut pieces = Vec::new();
        let mut from = self.from;
        while from <= self.to {
            let to = self.to.min(from + (longest - 1) * self.step);
            pieces.push(Self { from, to, ..*self });
            from = to + self.step;
        }
        pieces
    }
}

/// The step of so long a stretch: the rule's interval, or as many times of it as it takes.
pub const fn step(from: i64, to: i64, interval: i64) -> i64 {
    let interval = if interval < 1 { 1 } else { interval };
    let times = to.saturating_sub(from) / interval / MOST + 1;
    interval * times
}

/// A query that is asked over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its refId.
    pub ref_id: String,
    /// The language, on which its limits depend.
    pub language: Language,
    /// How long before each evaluation it looks, in seconds (`relativeTimeRange.to`).
    pub behind: i64,
    /// What is sent.
    pub model: Json,
}

/// What the data sources are asked at this step; or why one can't be asked over time.
pub fn asked(graph: &Graph<'_>, sources: &[DataSource], step: i64) -> Result<Vec<Asked>, String> {
    graph
        .queries()
        .map(|query| of_query(query, sources, step))
        .collect()
}

fn of_query(query: &Query, sources: &[DataSource], step: i64) -> Result<Asked, String> {
    let id = &query.ref_id;
    let source = sources
        .iter()
        .find(|source| source.uid == query.datasource_uid)
        .ok_or_else(|| {
            format!(
                "{id}: Grafana has no data source with uid {}",
                query.datasource_uid
            )
        })?;
    let language = Language::of_type(&source.r#type).ok_or_else(|| {
        format!(
            "{id}: data source {} is of type {}, and only Prometheus and Loki answer for many moments what they answer for one",
            source.name, source.r#type
        )
    })?;
    let text = |field: &str| query.model.get(field).and_then(Json::as_str).unwrap_or_default();
    let is_set = |field: &str| query.model.get(field).and_then(Json::as_bool).unwrap_or_default();
    // Which field makes it another one than an instant query, and what would.
    let range = match language {
        Language::PromQl if is_set("range") => Some(("model.range is true", "model.instant: true")),
        Language::PromQl if !is_set("instant") => Some(("model.instant isn't true", "model.instant: true")),
        Language::LogQl if text("queryType").is_empty() && query.query_type != "instant" => {
            Some(("model.queryType isn't instant", "model.queryType: instant"))
        }
        Language::LogQl if !matches!(text("queryType"), "" | "instant") => {
            Some(("model.queryType isn't instant", "model.queryType: instant"))
        }
        _ => None,
    };
    if let Some((field, instead)) = range {
        return Err(format!(
            "{id} is a range query, for {field}: which samples each evaluation had depends on steps that Grafana chose; only instant queries are worked out here ({instead})"
        ));
    }
    if let Some(at) = text("expr").find("$__").or_else(|| text("expr").find("${__")) {
        let rest = text("expr").get(at..).unwrap_or_default();
        let end = rest.find([' ', ']', ')', ',', ':']).unwrap_or(rest.len());
        return Err(format!(
            "{id} has {}, which Grafana fills in from the length of a query, and one over time is longer than an evaluation's",
            rest.get(..end).unwrap_or_default()
        ));
    }
    let mut model = query.model.clone();
    let Some(fields) = model.as_object_mut() else {
        return Err(format!("{id} has no model"));
    };
    let milliseconds = step * 1000;
    let length = format!("{step}s");
    fields.extend([
        ("refId".to_owned(), json!(id)),
        (
            "datasource".to_owned(),
            json!({"type": source.r#type, "uid": source.uid}),
        ),
        ("intervalMs".to_owned(), json!(milliseconds)),
        ("maxDataPoints".to_owned(), json!(POINTS * 2)),
    ]);
    match language {
        Language::PromQl => fields.extend([
            ("instant".to_owned(), json!(false)),
            ("range".to_owned(), json!(true)),
            ("format".to_owned(), json!("time_series")),
            ("interval".to_owned(), json!(length)),
        ]),
        Language::LogQl => fields.extend([
            ("queryType".to_owned(), json!("range")),
            ("step".to_owned(), json!(length)),
            ("resolution".to_owned(), json!(1)),
        ]),
    }
    Ok(Asked {
        ref_id: id.clone(),
        language,
        behind: query.relative_time_range.to.max(0),
        model,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::version::Version;
    use crate::grafana::model::AlertRule;

    #[test]
    fn evaluations_are_at_whole_multiples_and_in_pieces_that_are_answered() {
        assert_eq!(Span::within(61, 119, 60), None);
        let week = Span::within(30, 7 * 86400 + 30, 60).unwrap();
        assert_eq!((week.from, week.to, week.count()), (60, 7 * 86400, 10_080));
        for (language, count, most) in [(Language::PromQl, 3, 5000), (Language::LogQl, 7, 1440)] {
            let pieces = week.pieces(language);
            assert_eq!(pieces.len(), count);
            assert!(pieces.iter().all(|piece| piece.count() <= most));
            let all: Vec<i64> = pieces.iter().flat_map(Span::times).collect();
            assert_eq!(all, week.times().collect::<Vec<_>>());
        }
        assert_eq!(week.led_in(600).from, 60 - 12 * 60);
        let days = Span::within(0, 30 * 86400, 2 * 86400).unwrap();
        assert!(
            days.pieces(Language::LogQl)
                .iter()
                .all(|piece| piece.count() == 1)
        );
    }

    #[test]
    fn a_long_stretch_has_longer_steps() {
        assert_eq!(step(0, 7 * 86400, 60), 60);
        assert_eq!(step(0, 365 * 86400, 60), 360);
        assert_eq!(step(0, 100, 0), 1);
    }

    fn of(kind: &str, model: &Json) -> Result<Vec<Asked>, String> {
        let rule = AlertRule {
            condition: "A".to_owned(),
            data: vec![Query {
                ref_id: "A".to_owned(),
                datasource_uid: "s".to_owned(),
                model: model.clone(),
                ..Query::default()
            }],
            ..AlertRule::default()
        };
        let sources = [DataSource {
            uid: "s".to_owned(),
            name: "it".to_owned(),
            r#type: kind.to_owned(),
            is_default: false,
        }];
        asked(&Graph::of(&rule, Version::OLDEST).unwrap(), &sources, 60)
    }

    #[test]
    fn an_instant_query_is_asked_over_time_at_the_same_moments() {
        let metrics = of(
            "prometheus",
            &json!({"expr": "up", "instant": true, "range": false}),
        )
        .unwrap();
        let model = &metrics[0].model;
        assert_eq!(model["range"], true);
        assert_eq!(model["instant"], false);
        assert_eq!(model["interval"], "60s");
        let logs = of(
            "loki",
            &json!({"expr": "rate({a=\"b\"}[5m])", "queryType": "instant"}),
        )
        .unwrap();
        let model = &logs[0].model;
        assert_eq!(
            (model["queryType"].as_str(), model["step"].as_str()),
            (Some("range"), Some("60s"))
        );
    }

    #[test]
    fn what_over_time_would_be_another_question_is_not_asked() {
        for (kind, model, said) in [
            (
                "prometheus",
                json!({"expr": "up", "range": true}),
                "A is a range query, for model.range is true",
            ),
            ("loki", json!({"expr": "x"}), "for model.queryType isn't instant"),
            (
                "loki",
                json!({"expr": "x", "queryType": "range"}),
                "for model.queryType isn't instant",
            ),
            (
                "prometheus",
                json!({"expr": "up"}),
                "A is a range query, for model.instant isn't true",
            ),
            (
                "prometheus",
                json!({"expr": "rate(x[$__rate_interval])", "instant": true}),
                "A has $__rate_interval,",
            ),
            ("influxdb", json!({}), "of type influxdb"),
        ] {
            let why = of(kind, &model).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }
}
