//! All that was found, in the order of the files.

use std::fmt::Write;

use super::super::common::files::{Resources, Source, Spot};
use crate::domain::lint::finding::{Finding, Level, Rule};
use crate::domain::lint::object::Object;
use crate::domain::lint::options::Options;
use crate::domain::refusal::counted;

/// One thing that was found, with its place in a file.
pub(super) struct Entry<'a> {
    pub(super) source: &'a Source,
    pub(super) spot: Spot,
    pub(super) rule: &'static Rule,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) label: Option<String>,
    /// The field's path, where a resource is known.
    pub(super) path: Option<String>,
    pub(super) object: Option<&'a Object>,
}

/// All that was found.
pub(super) struct Report<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Every resource with the file that it is in.
    pub(super) objects: Vec<(&'a Source, &'a Object)>,
    pub(super) files: usize,
    pub(super) others: usize,
    pub(super) unseen: usize,
    /// How many resources stand in the cluster, if it was asked.
    pub(super) beside: Option<usize>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        sources: &'a [Source],
        read: &'a Resources,
        findings: Vec<Finding>,
        (unseen, beside): (usize, Option<usize>),
        options: &Options,
    ) -> Self {
        let mut entries: Vec<(usize, Entry<'a>)> = Vec::new();
        for problem in &read.problems {
            let Some(source) = sources
                .get(problem.source)
                .filter(|_| options.wants(problem.rule))
            else {
                continue;
            };
            entries.push((
                problem.source,
                Entry {
                    source,
                    spot: problem.spot.clone(),
                    rule: problem.rule,
                    level: problem.rule.level,
                    message: problem.message.clone(),
                    label: None,
                    path: None,
                    object: None,
                },
            ));
        }
        for finding in findings {
            let number = read.source(finding.object);
            let spot = read.spot(sources, &finding);
            let (Some(source), Some(spot)) = (sources.get(number), spot) else {
                continue;
            };
            entries.push((
                number,
                Entry {
                    source,
                    spot,
                    rule: finding.rule,
                    level: finding.level,
                    path: Some(finding.path.to_string()),
                    object: read.objects.get(finding.object),
                    message: finding.message,
                    label: finding.label,
                },
            ));
        }
        let place = |(number, entry): &(usize, Entry<'_>)| {
            (
                *number,
                entry.spot.clone(),
                std::cmp::Reverse(entry.level),
                entry.rule.name,
            )
        };
        entries.sort_by(|one, other| place(one).cmp(&place(other)));
        let objects = read.objects.iter().enumerate();
        Self {
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            objects: objects
                .filter_map(|(i, object)| Some((sources.get(read.source(i))?, object)))
                .collect(),
            files: sources.len(),
            others: read.others,
            unseen,
            beside,
        }
    }

    /// The worst level of all that was found.
    pub(super) fn worst(&self) -> Option<Level> {
        self.entries.iter().map(|entry| entry.level).max()
    }

    pub(super) fn count(&self, level: Level) -> usize {
        self.entries.iter().filter(|entry| entry.level == level).count()
    }

    /// How much was looked at and found, in a line or two.
    pub(super) fn counts(&self) -> String {
        let found = [Level::Error, Level::Warning, Level::Info].map(|level| (self.count(level), level));
        let found: Vec<String> = found
            .iter()
            .filter(|(count, level)| *count > 0 || *level != Level::Info)
            .map(|(count, level)| match level {
                Level::Info => format!("{count} to think about"),
                other => counted(*count, &other.to_string()),
            })
            .collect();
        let mut counts = format!(
            "{} in {}: {}",
            counted(self.objects.len(), "resource"),
            counted(self.files, "file"),
            found.join(", ")
        );
        if self.others > 0 {
            let _ = write!(counts, "; {} of other kinds passed over", self.others);
        }
        if let Some(beside) = self.beside {
            let _ = write!(counts, "; {} in the cluster", counted(beside, "resource"));
        }
        if self.unseen > 0 {
            let why = match self.beside {
                Some(_) => "may not be read in the cluster: whether it is there isn't known",
                None => "isn't among these files; nothing was looked at there",
            };
            let references = counted(self.unseen, "reference");
            let _ = write!(counts, "\n{references} to what {why}");
        }
        counts
    }
}
