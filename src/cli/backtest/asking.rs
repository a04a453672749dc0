//! Asking data sources for a stretch of the past, piece by piece.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};

use super::super::common::connect::Reached;
use super::super::common::print::harmless;
use crate::domain::rule::evaluation::Labels;
use crate::domain::rule::evaluation::past::Samples;
use crate::domain::rule::evaluation::plan::{Asked, Span};
use crate::grafana::wire::Answered;

/// From so many questions on it is told how far it is, also where nobody watches.
const MANY: usize = 10;

/// Asks all queries for each evaluation of a span. What data sources say beside the samples is added to the notices.
pub(super) async fn ask(
    reached: &Reached,
    queries: &[Asked],
    span: Span,
    is_quiet: bool,
    notices: &mut Vec<String>,
) -> Result<Samples, String> {
    let mut samples = Samples::default();
    let total: usize = queries
        .iter()
        .map(|query| span.pieces(query.language).len())
        .sum();
    let mut progress = Progress::new(total, is_quiet);
    for query in queries {
        for piece in span.pieces(query.language) {
            progress.next(&query.ref_id);
            // Where a query looks at what was a while ago, what is asked for ends so much earlier.
            let behind = query.behind;
            let (from, to) = ((piece.from - behind) * 1000, (piece.to - behind) * 1000);
            let answered = reached.grafana.queries.over(&query.model, from, to).await;
            let answered =
                answered.map_err(|error| format!("Grafana can't be asked: {}", reached.whose.why(&error)))?;
            for notice in take(&answered, query, span.step, &mut samples)? {
                if !notices.contains(&notice) {
                    notices.push(notice);
                }
            }
        }
    }
    progress.end();
    Ok(samples)
}

/// Takes the samples of an answer, and gives what is said beside them. What is no answer isn't one without samples.
fn take(answered: &Answered, query: &Asked, step: i64, samples: &mut Samples) -> Result<Vec<String>, String> {
    let id = &query.ref_id;
    let failed = answered
        .results
        .iter()
        .find_map(|(id, node)| Some((id, node.failure()?)));
    if let Some((id, why)) = failed {
        return Err(format!("{}: {}", harmless(id), harmless(&why)));
    }
    let Some(node) = answered.results.get(id) else {
        let why = answered
            .message
            .as_deref()
            .map(|said| format!(": {}", harmless(said)));
        return Err(format!(
            "{id}: Grafana's answer has no result of it{}",
            why.unwrap_or_default()
        ));
    };
    let mut seen: BTreeMap<Labels, BTreeSet<i64>> = BTreeMap::new();
    for series in node.series() {
        let before = seen.entry(series.labels.clone()).or_default();
        let mut own = BTreeSet::new();
        for (at, number) in &series.points {
            let Some(at) = at else { continue };
            // A sample is of the evaluation at its time, or of the first one after it.
            let at = (at + query.behind * 1000 + 999).div_euclid(1000);
            let at = (at + step - 1).div_euclid(step) * step;
            if before.contains(&at) {
                samples.add_another(id, &series.labels, at, *number);
            } else {
                samples.add(id, &series.labels, at, *number);
                own.insert(at);
            }
        }
        before.extend(own);
    }
    let notices = node.notices();
    Ok(notices
        .map(|said| format!("The data source says of {id}: {}", harmless(said)))
        .collect())
}

/// How far it is.
struct Progress {
    done: usize,
    total: usize,
    /// Whether somebody watches, and the line can be written over.
    is_watched: bool,
    is_told: bool,
}

impl Progress {
    fn new(total: usize, is_quiet: bool) -> Self {
        let is_watched = io::stderr().is_terminal();
        Self {
            done: 0,
            total,
            is_watched,
            is_told: !is_quiet && (is_watched && total > 1 || total >= MANY),
        }
    }

    fn next(&mut self, ref_id: &str) {
        self.done += 1;
        let is_due =
            self.is_watched || self.done == 1 || self.done.is_multiple_of(self.total.div_ceil(4).max(1));
        if self.is_told && is_due {
            let end = if self.is_watched { '\r' } else { '\n' };
            let text = format!("asking for {}: {} of {}", harmless(ref_id), self.done, self.total);
            let _ = write!(io::stderr(), "{text}{end}");
        }
    }

    fn end(&self) {
        if self.is_told && self.is_watched {
            let _ = write!(io::stderr(), "{:60}\r", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::rule::query::language::Language;

    fn taken(answer: Value) -> (Result<Vec<String>, String>, Samples) {
        let query = Asked {
            ref_id: "A".to_owned(),
            language: Language::PromQl,
            behind: 0,
            model: Value::Null,
        };
        let mut samples = Samples::default();
        let answered = serde_json::from_value(answer).unwrap();
        let notices = take(&answered, &query, 60, &mut samples);
        (notices, samples)
    }

    #[test]
    fn what_is_no_answer_is_not_one_without_samples() {
        for (answer, why) in [
            (json!({"results": {}}), "A: Grafana's answer has no result of it"),
            (
                json!({"message": "Query data error"}),
                "A: Grafana's answer has no result of it: Query data error",
            ),
            (
                json!({"results": {"A": {"status": 500, "frames": []}}}),
                "A: it failed with status 500, and no reason is given",
            ),
            (
                json!({"results": {"A": {"error": "boom", "status": 400}}}),
                "A: boom",
            ),
            (
                json!({"results": {"B": {"status": 200, "frames": []}}}),
                "A: Grafana's answer has no result of it",
            ),
        ] {
            assert_eq!(taken(answer).0, Err(why.to_owned()));
        }
        assert_eq!(taken(json!({"results": {"A": {"frames": []}}})).0, Ok(vec![]));
    }

    #[test]
    fn what_the_data_source_says_beside_the_samples_is_told() {
        let meta = json!({"notices": [{"severity": "warning", "text": "results truncated"}]});
        let (notices, _) = taken(json!({"results": {"A": {"frames": [{"schema": {"meta": meta}}]}}}));
        assert_eq!(
            notices,
            Ok(vec!["The data source says of A: results truncated".to_owned()])
        );
    }

    #[test]
    fn a_second_series_of_the_same_labels_does_not_take_the_place_of_the_first() {
        let frame = |number: i64| {
            json!({"schema": {"fields": [{"type": "time"}, {"type": "number", "labels": {"a": "b"}}]},
                "data": {"values": [[60_000, 120_000], [number, number]]}})
        };
        let (_, two) = taken(json!({"results": {"A": {"frames": [frame(1), frame(0)]}}}));
        assert_eq!(two.at(60)["A"].len(), 2);
        let (_, one) = taken(json!({"results": {"A": {"frames": [frame(1)]}}}));
        assert_eq!(one.at(60)["A"].len(), 1);
    }
}
