//! What is said at the end: which calls a server answered otherwise, and how well each version is known.

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::PathBuf};

use alertwright_testbed::grafana::Version;

use super::{
    contract::{Confirmed, Contract},
    exchange::Row,
};

/// The rows of a table in Markdown.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let row: Vec<_> = row
            .iter()
            .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
            .collect();
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// How many exchanges there are for each version, and how well they are known.
pub fn known<'a>(contracts: &(impl Iterator<Item = &'a Contract> + Clone), versions: &[Version]) -> String {
    let rows = versions.iter().map(|&version| {
        let mut count = BTreeMap::new();
        for case in contracts.clone().filter_map(|contract| contract.of(version)) {
            *count.entry(case.confirmed(version)).or_insert(0) += 1;
        }
        let total: i32 = count.values().sum();
        let of = |confirmed| count.get(&confirmed).copied().unwrap_or(0).to_string();
        vec![
            version.to_string(),
            total.to_string(),
            of(Confirmed::Recorded),
            of(Confirmed::ByCode),
            of(Confirmed::ByDocumentation),
            of(Confirmed::No),
        ]
    });
    let head = [
        "version",
        "exchanges",
        "recorded",
        "by source",
        "by documentation",
        "unconfirmed",
    ];
    table(&head, rows)
}

/// All calls that were made on a server.
#[derive(Debug, Default)]
pub struct Calls(Vec<(String, Row)>);

impl Calls {
    /// Adds those of one exchange.
    pub fn add(&mut self, contract: &str, rows: Vec<Row>) {
        self.0
            .extend(rows.into_iter().map(|row| (contract.to_owned(), row)));
    }

    /// The table of those that were answered otherwise than expected.
    pub fn differences(&self) -> String {
        let rows = self.0.iter().filter(|(_, row)| !row.held).map(|(contract, row)| {
            let Row {
                call, expected, got, ..
            } = row.clone();
            vec![contract.clone(), call, expected, got]
        });
        table(&["contract", "call", "expected", "got"], rows)
    }

    /// Writes the table of all of them into the build folder, and says where it is.
    pub fn write(&self, name: &str) -> io::Result<PathBuf> {
        let rows = self.0.iter().map(|(contract, row)| {
            let Row {
                call,
                expected,
                got,
                held,
            } = row.clone();
            let held = if held { "" } else { "**no**" };
            vec![contract.clone(), call, expected, got, held.to_owned()]
        });
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("contract-{name}.md"));
        fs::write(
            &path,
            table(&["contract", "call", "expected", "got", "as expected"], rows),
        )?;
        Ok(path)
    }
}
