//! The titles in a folder's path.

use crate::api::condition::Reason;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;

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

/// Refuses a path of several titles where Grafana has no folders within folders, neither by its version nor by a feature toggle.
pub fn refuse_what_is_too_new(titles: &[String], version: Version, by_toggle: bool) -> Result<(), Refusal> {
    if titles.len() < 2 || by_toggle || version >= Version::NESTED_FOLDERS {
        return Ok(());
    }
    let message = format!(
        "spec.folder: folders within folders need Grafana {} or newer, or its feature toggle nestedFolders; this one is {version}. Give one title (\\/ is a slash within it), or upgrade Grafana",
        Version::NESTED_FOLDERS
    );
    Err(Refusal::new(Reason::Unsupported, message))
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
    fn folders_within_folders_are_there_by_version_or_toggle_and_where_not_it_is_said_what_helps() {
        let path = |path: &str| titles(path).unwrap();
        let ten = Version::new(10, 4, 0);
        assert_eq!(refuse_what_is_too_new(&path("A"), ten, false), Ok(()));
        assert_eq!(refuse_what_is_too_new(&path("A/B"), ten, true), Ok(()));
        assert_eq!(
            refuse_what_is_too_new(&path("A/B"), Version::new(11, 0, 0), false),
            Ok(())
        );
        let refusal = refuse_what_is_too_new(&path("A/B"), ten, false).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsupported);
        for words in ["11.0", "nestedFolders", "10.4", "upgrade", r"(\/ is"] {
            assert!(refusal.message.contains(words), "{words}: {}", refusal.message);
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
