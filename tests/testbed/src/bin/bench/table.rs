//! The table of results: aligned for a terminal, Markdown as it is, and JSON for machines.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use crate::figure::{Figure, megabytes, number, time};

/// One thing that was measured.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    measured: Figure,
    floor: Option<Duration>,
    goal: Option<Goal>,
    peer: String,
}

/// What a figure may be at most.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// A count.
    Count(f64),
    /// A time.
    Time(Duration),
    /// Bytes.
    Bytes(u64),
    /// A percentage.
    Percent(f64),
    /// The median and the 99th percentile of times.
    Percentiles(Option<Duration>, Duration),
}

impl Goal {
    fn is_met(self, measured: &Figure) -> bool {
        let found = measured.value();
        match self {
            Self::Count(most) | Self::Percent(most) => found <= most,
            Self::Time(most) => found <= most.as_secs_f64(),
            Self::Bytes(most) => megabytes(most) >= found / 1e6,
            Self::Percentiles(median, most) => {
                let middle = match measured {
                    Figure::Times(samples) => samples.percentile(50),
                    _ => Duration::ZERO,
                };
                found <= most.as_secs_f64() && median.is_none_or(|most| middle <= most)
            }
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(0.0) => f.write_str("0"),
            Self::Count(most) => write!(f, "≤ {}", number(*most)),
            Self::Time(most) => write!(f, "≤ {}", time(*most)),
            Self::Bytes(most) => write!(f, "≤ {:.0} MB", megabytes(*most)),
            Self::Percent(most) => write!(f, "≤ {} %", number(*most)),
            Self::Percentiles(None, most) => write!(f, "p99 ≤ {}", time(*most)),
            Self::Percentiles(Some(median), most) => {
                write!(f, "p50 ≤ {}, p99 ≤ {}", time(*median), time(*most))
            }
        }
    }
}

impl Row {
    /// A figure that nothing is demanded of.
    pub(crate) fn new(what: impl Into<String>, measured: Figure) -> Self {
        Self {
            what: what.into(),
            measured,
            floor: None,
            goal: None,
            peer: String::new(),
        }
    }

    /// A time that nothing is demanded of.
    pub(crate) fn time(what: impl Into<String>, took: Duration) -> Self {
        Self::new(what, Figure::Time(took))
    }

    /// What a bare client needs for the same calls.
    #[must_use]
    pub(crate) fn floor(mut self, floor: Duration) -> Self {
        self.floor = Some(floor);
        self
    }

    /// What a count may be at most.
    #[must_use]
    pub(crate) fn at_most(self, most: f64) -> Self {
        self.goal(Goal::Count(most))
    }

    /// What a time may be at most.
    #[must_use]
    pub(crate) fn within(self, most: Duration) -> Self {
        self.goal(Goal::Time(most))
    }

    /// What memory may be at most.
    #[must_use]
    pub(crate) fn bytes(self, most: u64) -> Self {
        self.goal(Goal::Bytes(most))
    }

    /// What a share may be at most.
    #[must_use]
    pub(crate) fn percent(self, most: f64) -> Self {
        self.goal(Goal::Percent(most))
    }

    /// What the median of many times may be at most, where that is demanded, and their 99th percentile.
    #[must_use]
    pub(crate) fn percentiles(self, median: Option<Duration>, most: Duration) -> Self {
        self.goal(Goal::Percentiles(median, most))
    }

    fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// What the best known operator for the same job needs.
    #[must_use]
    pub(crate) fn peer(mut self, peer: impl Into<String>) -> Self {
        self.peer = peer.into();
        self
    }

    fn is_met(&self) -> Option<bool> {
        Some(self.goal?.is_met(&self.measured))
    }

    fn json(&self, set: &str) -> Value {
        json!({
            "set": set, "what": self.what, "measured": self.measured.json(),
            "bareClientSeconds": self.floor.map(|floor| floor.as_secs_f64()),
            "goal": self.goal.map(|goal| goal.to_string()), "met": self.is_met(),
        })
    }
}

/// Results of one set of resources.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    has_peer: bool,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table; the peer's figures are shown only where the same was measured.
    pub(crate) fn new(title: &str, has_peer: bool) -> Self {
        Self {
            title: title.to_owned(),
            has_peer,
            rows: Vec::new(),
        }
    }

    /// Adds a row, and shows it at once on standard error, for the whole takes minutes.
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("  {}: {}", row.what, row.measured);
        self.rows.push(row);
    }

    /// Each row as an object: its set, what was measured with its unit, the goal and whether it is met.
    pub(crate) fn json(&self) -> impl Iterator<Item = Value> {
        self.rows.iter().map(|row| row.json(&self.title))
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let goal = match (row.goal, row.is_met()) {
            (Some(goal), Some(false)) => format!("{goal}: **missed**"),
            (goal, _) => goal.map(|goal| goal.to_string()).unwrap_or_default(),
        };
        let floor = row.floor.map(time).unwrap_or_default();
        let mut cells = vec![row.what.clone(), row.measured.to_string(), floor, goal];
        if self.has_peer {
            cells.push(row.peer.clone());
        }
        cells
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = ["", "measured", "bare client", "must be"]
            .map(str::to_owned)
            .to_vec();
        head.extend(self.has_peer.then(|| "peer".to_owned()));
        let lines = std::iter::once(head).chain(self.rows.iter().map(|row| self.cells(row)));
        let lines: Vec<Vec<String>> = lines.collect();
        write!(f, "### {}\n\n{}", self.title, markdown(&lines))
    }
}

/// Lines of cells, of which the first is the head, as Markdown with columns of one width.
pub(crate) fn markdown<T: AsRef<str>>(lines: &[Vec<T>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| cell.as_ref().chars().count())
            .max()
            .unwrap_or_default()
    };
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (i, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            text.extend([format!("| {:<width$} ", cell.as_ref())]);
        }
        text.push_str("|\n");
        if i == 0 {
            text.extend(widths.iter().map(|width| format!("|{:-<1$}", "", width + 2)));
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_whatever_its_bytes() {
        let mut table = Table::new("set", false);
        let row = Row::time("time", SECOND * 3).floor(SECOND * 2);
        table.push(row.within(SECOND * 4).peer("8.5 s"));
        let text = "### set\n\n|      | measured | bare client | must be |\n|------|----------|-------------|---------|\n\
                    | time | 3.0 s    | 2.0 s       | ≤ 4.0 s |\n";
        assert_eq!(table.to_string(), text);
    }

    #[test]
    fn the_peers_figures_stand_only_beside_the_peers_set() {
        let mut table = Table::new("set", true);
        table.push(Row::time("time", SECOND).peer("8.5 s"));
        assert!(table.to_string().contains("8.5 s"));
    }

    #[test]
    fn what_is_missed_is_said_to_people_and_to_machines() {
        let mut table = Table::new("set", false);
        table.push(Row::time("time", SECOND * 5).within(SECOND * 4));
        table.push(Row::new("writes", Figure::Count(0.0)).at_most(0.0));
        table.push(Row::new("passes", Figure::Count(7.0)));
        assert!(table.to_string().contains("≤ 4.0 s: **missed**"), "{table}");
        let met: Vec<Value> = table.json().map(|row| row["met"].clone()).collect();
        assert_eq!(met, [json!(false), json!(true), Value::Null]);
    }

    #[test]
    fn percentiles_are_held_to_both_of_their_goals() {
        let mut samples = crate::figure::Samples::default();
        (1..=100).for_each(|ms| samples.push(Duration::from_millis(ms)));
        let row = |median, most| {
            let goal = [median, most].map(Duration::from_millis);
            Row::new("", Figure::Times(samples.clone())).percentiles(Some(goal[0]), goal[1])
        };
        let met = [row(50, 99), row(49, 99), row(50, 98)].map(|row| row.is_met());
        assert_eq!(met, [Some(true), Some(false), Some(false)]);
    }
}
