//! The name that was probably meant.

/// Of these names the one that is nearest to a text, if any is near.
pub fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(text);
    let most = (wanted.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(text.len()) <= most + 2)
        .map(|name| (distance(&wanted, &plain(name)), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// Without what people write differently: case, dashes and underscores.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !matches!(c, '-' | '_')).take(64);
    kept.flat_map(char::to_lowercase).collect()
}

/// How many letters are to be put in, taken out, replaced or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut fewest = (at(&last, j + 1) + 1)
                .min(at(&row, j) + 1)
                .min(at(&last, j) + usize::from(a != b));
            let is_swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if is_swapped {
                fewest = fewest.min(at(&before_last, j - 1) + 1);
            }
            row.push(fewest);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_finds_its_name_and_another_word_none() {
        let names = [
            "severity",
            "keepFiringFor",
            "for",
            "folder",
            "query",
            "datasource",
        ];
        for (text, expected) in [
            ("sevrity", Some("severity")),
            ("Severity", Some("severity")),
            ("keep_firing_for", Some("keepFiringFor")),
            ("qeury", Some("query")),
            ("dataSource", Some("datasource")),
            ("fro", Some("for")),
            ("runbook", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names), expected, "{text}");
        }
    }
}
