//! The table of results: aligned for a terminal, and Markdown as it is.

use std::fmt;

/// One thing that was measured.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    measured: String,
    floor: String,
    goal: String,
    peer: String,
}

impl Row {
    /// A figure that nothing is demanded of.
    pub(crate) fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            measured: measured.into(),
            floor: String::new(),
            goal: String::new(),
            peer: String::new(),
        }
    }

    /// What a bare client needs for the same calls.
    #[must_use]
    pub(crate) fn floor(mut self, floor: impl Into<String>) -> Self {
        self.floor = floor.into();
        self
    }

    /// What it must reach.
    #[must_use]
    pub(crate) fn goal(mut self, goal: impl Into<String>) -> Self {
        self.goal = goal.into();
        self
    }

    /// What the best known operator for the same job needs.
    #[must_use]
    pub(crate) fn peer(mut self, peer: impl Into<String>) -> Self {
        self.peer = peer.into();
        self
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

    fn cells<'a>(&self, row: &'a Row) -> Vec<&'a str> {
        let mut cells = vec![row.what.as_str(), &row.measured, &row.floor, &row.goal];
        if self.has_peer {
            cells.push(&row.peer);
        }
        cells
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = Row::new("", "measured")
            .floor("bare client")
            .goal("must be")
            .peer("peer");
        let lines = std::iter::once(&head).chain(&self.rows);
        let lines: Vec<Vec<&str>> = lines.map(|row| self.cells(row)).collect();
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

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_whatever_its_bytes() {
        let mut table = Table::new("set", false);
        table.push(Row::new("time", "5 s").floor("2 s").goal("≤ 4 s").peer("8.5 s"));
        let text = "### set\n\n|      | measured | bare client | must be |\n|------|----------|-------------|---------|\n\
                    | time | 5 s      | 2 s         | ≤ 4 s   |\n";
        assert_eq!(table.to_string(), text);
    }

    #[test]
    fn the_peers_figures_stand_only_beside_the_peers_set() {
        let mut table = Table::new("set", true);
        table.push(Row::new("time", "5 s").peer("8.5 s"));
        assert!(table.to_string().contains("8.5 s"));
    }
}
