//! Which files of a ConfigMap are templates of an Alertmanager: others end their names so too.

use std::path::Path;

/// What Helm's own templates ask for, which nobody else has.
const OF_HELM: [&str; 5] = [".Values", ".Release", ".Chart", ".Capabilities", "include \""];

/// Whether a text defines templates, as all do that an Alertmanager uses. Helm's helpers do so too, for Helm.
pub fn defines(text: &str) -> bool {
    let actions = text.split("{{").skip(1);
    let mut words = actions.filter_map(|action| {
        let action = action.trim_start_matches('-').trim_start();
        let (word, rest) = action.split_once(|c: char| c.is_whitespace())?;
        Some((word, rest.trim_start()))
    });
    let defines =
        words.any(|(word, rest)| matches!(word, "define" | "block") && rest.starts_with(['"', '`']));
    defines && !OF_HELM.iter().any(|part| text.contains(part))
}

/// Whether a configuration's patterns name a file. Its own name is held against them alone: where it is mounted nobody knows here.
pub fn are_named(file: &str, patterns: &[String]) -> bool {
    let name: Vec<char> = file.chars().collect();
    patterns.iter().any(|pattern| {
        let last = Path::new(pattern).file_name().and_then(|last| last.to_str());
        let pattern: Vec<char> = last.unwrap_or(pattern).chars().collect();
        fits(&name, &pattern)
    })
}

/// Whether a name is as a pattern has it: `*` for anything, `?` for a character. Of a class of characters, such as `[a-z]`, any one is taken.
fn fits(name: &[char], pattern: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return name.is_empty();
    };
    let one = |rest: &[char]| name.split_first().is_some_and(|(_, name)| fits(name, rest));
    match first {
        '*' => (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| fits(name, rest))),
        '?' => one(rest),
        '[' => {
            let end = rest.iter().position(|c| *c == ']');
            end.and_then(|end| rest.get(end + 1..)).is_some_and(one)
        }
        first => name.first() == Some(first) && one(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_defines_templates_for_notifications_is_told_from_what_is_for_helm_or_nobody() {
        for (text, expected) in [
            ("{{ define \"mail\" }}x{{ end }}", true),
            ("x{{- define `mail` -}}x{{ end }}", true),
            ("{{block \"mail\" .}}x{{end}}", true),
            ("{{ define \"chart.name\" }}{{ .Values.name }}{{ end }}", false),
            ("{{ define \"a\" }}{{ include \"b\" . }}{{ end }}", false),
            ("server { listen {{ .Port }}; }", false),
            ("define \"mail\"", false),
            ("{{ defined }}", false),
        ] {
            assert_eq!(defines(text), expected, "{text}");
        }
    }

    #[test]
    fn files_are_named_by_the_last_part_of_a_pattern() {
        for (file, pattern, expected) in [
            ("mail.tmpl", "/etc/alertmanager/templates/*.tmpl", true),
            ("mail.tmpl", "mail.tmpl", true),
            ("mail.tpl", "*.tmpl", false),
            ("mail.tmpl", "m*l.t*", true),
            ("mail.tmpl", "?ail.tmpl", true),
            ("mail.tmpl", "[lm]ail.tmpl", true),
            ("ail.tmpl", "?ail.tmpl", false),
            ("mail.tmpl", "mail", false),
        ] {
            let patterns = [pattern.to_owned()];
            assert_eq!(are_named(file, &patterns), expected, "{file} {pattern}");
        }
        assert!(!are_named("mail.tmpl", &[]));
    }
}
