//! The titles in a folder's path.

use crate::domain::refusal::Refusal;

/// The titles of a path, the outermost first. `/` separates them; `\/` is a slash within a title, as in Grafana's own
/// files, and `\\` a backslash.
pub fn titles(path: &str) -> Result<Vec<String>, Refusal> {
    let mut titles = vec![String::new()];
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        let Some(title) = titles.last_mut() else { break };
        match c {
            '/' => titles.push(String::new()),
            '\\' => match chars.next() {
                Some(escaped @ ('/' | '\\')) => title.push(escaped),
                other => {
                    title.push('\\');
                    title.extend(other);
                }
            },
            other => title.push(other),
        }
    }
    let refuse = |problem: &str| Err(Refusal::invalid("spec.folder", problem));
    if titles.iter().any(|title| title.trim().is_empty()) {
        return refuse("a folder's title can't be empty; write \\/ for a slash within a title");
    }
    if titles.iter().any(|title| title.trim() != title) {
        return refuse(
            "a folder's title can't begin or end with a space; write \\/ for a slash within a title, or leave the spaces around / out",
        );
    }
    Ok(titles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_within_a_title_is_escaped_as_grafana_does() {
        for (path, expected) in [
            ("Shop", vec!["Shop"]),
            ("Prod/Shop", vec!["Prod", "Shop"]),
            (r"KeyDB \/ Redis", vec!["KeyDB / Redis"]),
            (r"A/B \/ C/D", vec!["A", "B / C", "D"]),
            (r"back\\slash\x", vec![r"back\slash\x"]),
            (r"end\", vec![r"end\"]),
        ] {
            assert_eq!(titles(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn a_title_that_was_meant_to_hold_a_slash_makes_no_second_tree() {
        for path in ["KeyDB / Redis", "a//b", "/a", "a/", " a", " / ", "a/ b"] {
            let message = titles(path).unwrap_err().message;
            assert!(message.starts_with("spec.folder: "), "{message}");
            assert!(message.contains("\\/"), "{message}");
        }
    }
}
