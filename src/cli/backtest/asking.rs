//! Asking data sources for a stretch of the past, piece by piece.

use std::io::{self, IsTerminal, Write};

use super::super::common::connect::Reached;
use super::super::common::print::harmless;
use crate::domain::rule::evaluation::past::Samples;
use crate::domain::rule::evaluation::plan::{Asked, Span};

/// From so many questions on it is told how far it is, also where nobody watches.
const MANY: usize = 10;

/// Asks all queries for each evaluation of a span.
pub(super) async fn ask(
    reached: &Reached,
    queries: &[Asked],
    span: Span,
    is_quiet: bool,
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
            for (ref_id, node) in &answered.results {
                if let Some(error) = &node.error {
                    return Err(format!("{ref_id}: {}", harmless(error)));
                }
                for series in node.series() {
                    for (at, number) in &series.points {
                        let Some(at) = at else { continue };
                        // A sample is of the evaluation at its time, or of the first one after it.
                        let at = (at + behind * 1000 + 999).div_euclid(1000);
                        let at = (at + span.step - 1).div_euclid(span.step) * span.step;
                        samples.add(&query.ref_id, &series.labels, at, *number);
                    }
                }
            }
        }
    }
    progress.end();
    Ok(samples)
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
