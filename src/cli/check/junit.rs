//! `JUnit`'s XML, which every system for continuous integration shows: a test for each resource, and one for each file that can't be read.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::common::print::escaped;
use super::report::{Entry, Report};
use crate::domain::lint::finding::Level;
use crate::domain::lint::object::Object;

pub(super) fn all(report: &Report<'_>, fail_on: Level) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures) = (0, 0);
    let mut case = |class: &str, name: &str, entries: &[&Entry<'_>]| {
        tests += 1;
        let (bad, rest): (Vec<_>, Vec<_>) = entries.iter().copied().partition(|entry| entry.level >= fail_on);
        failures += usize::from(!bad.is_empty());
        let _ = write!(
            cases,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(class),
            escaped(name)
        );
        if entries.is_empty() {
            cases.push_str("/>\n");
            return;
        }
        cases.push_str(">\n");
        for (i, entry) in bad.iter().enumerate() {
            // A test fails once; what else is wrong stands below.
            if i == 0 {
                let all: Vec<String> = bad.iter().map(|entry| said(entry)).collect();
                let _ = writeln!(
                    cases,
                    "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                    entry.rule.name,
                    escaped(&entry.message),
                    escaped(&all.join("\n"))
                );
            }
        }
        if !rest.is_empty() {
            let all: Vec<String> = rest.iter().map(|entry| said(entry)).collect();
            let _ = writeln!(
                cases,
                "      <system-out>{}</system-out>",
                escaped(&all.join("\n"))
            );
        }
        cases.push_str("    </testcase>\n");
    };
    for entry in report.entries.iter().filter(|entry| entry.object.is_none()) {
        case(&entry.source.name, "the file itself", &[entry]);
    }
    let mut of_each: HashMap<*const Object, Vec<&Entry<'_>>> = HashMap::new();
    for entry in &report.entries {
        if let Some(object) = entry.object {
            of_each.entry(object).or_default().push(entry);
        }
    }
    for (source, object) in &report.objects {
        let own = of_each.get(&std::ptr::from_ref(*object));
        case(&source.name, &object.called(), own.map_or(&[], Vec::as_slice));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"alertwright check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn said(entry: &Entry<'_>) -> String {
    format!(
        "{}:{}:{}: {}[{}]: {}",
        entry.source.name,
        entry.spot.start.0,
        entry.spot.start.1,
        entry.level,
        entry.rule.name,
        entry.message
    )
}
