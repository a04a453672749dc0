//! The time zones of this machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use jiff::tz::TimeZone;

/// Where time zones are kept, as RFC 8536 has them.
const ZONES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// A time zone of this machine.
pub(in super::super::super) fn zone(name: &str) -> Option<TimeZone> {
    // It is the name of a file, and mustn't lead elsewhere.
    let is_name = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+-.".contains(c))
    };
    if !name.split('/').all(is_name) {
        return None;
    }
    let own = env::var("TZDIR").ok();
    let mut folders = own.iter().map(String::as_str).chain(ZONES);
    let bytes = folders.find_map(|folder| fs::read(Path::new(folder).join(name)).ok())?;
    TimeZone::tzif(name, &bytes).ok()
}

/// The names of all of them; `None` where it has none.
pub(in super::super::super) fn names() -> Option<BTreeSet<String>> {
    fn walk(folder: &Path, before: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            // The same again, with and without leap seconds, and what is no zone.
            if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
                continue;
            }
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    let own = env::var("TZDIR").ok();
    let folder = own
        .iter()
        .map(String::as_str)
        .chain(ZONES)
        .find(|folder| Path::new(folder).is_dir())?;
    walk(Path::new(folder), "", &mut found);
    found.contains("Europe/Berlin").then_some(found)
}
