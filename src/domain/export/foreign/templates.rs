//! Which files of a ConfigMap are templates of an Alertmanager: others end their names so too.

use std::path::Path;

use regex::Regex;

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
    patterns.iter().any(|pattern| {
        let last = Path::new(pattern).file_name().and_then(|last| last.to_str());
        glob(last.unwrap_or(pattern)).is_some_and(|glob| glob.is_match(file))
    })
}

/// A pattern as Go's `filepath.Match` has it, in which Alertmanager finds its templates: `*` for anything, `?` for a character, `[a-z]` and `[^a-z]` for one of some.
fn glob(pattern: &str) -> Option<Regex> {
    let mut text = String::from("^");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => {
                let (class, behind) = rest.as_str().split_once(']')?;
                let (not, class) = class.strip_prefix('^').map_or(("", class), |class| ("^", class));
                // Of what stands in a class only the range means anything.
                let class = regex::escape(class).replace(r"\-", "-");
                text.push_str(&["[", not, &class, "]"].concat());
                rest = behind.chars();
            }
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Regex::new(&(text + "$")).ok()
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
            ("mail.tmpl", "[a-n]ail.tmpl", true),
            ("mail.tmpl", "[^a-n]ail.tmpl", false),
            ("mail.tmpl", "[mail.tmpl", false),
            ("mail-tmpl", "mail.tmpl", false),
            ("ail.tmpl", "?ail.tmpl", false),
            ("mail.tmpl", "mail", false),
        ] {
            let patterns = [pattern.to_owned()];
            assert_eq!(are_named(file, &patterns), expected, "{file} {pattern}");
        }
        assert!(!are_named("mail.tmpl", &[]));
    }
}
