//! The texts of notification templates.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::quoted;
use crate::domain::refusal::Refusal;
use crate::domain::rule::template::{calls, check_for_go, definitions};
use crate::grafana::model;

/// The template group that Grafana should hold under a name. A text that defines nothing becomes one template of that name: the older API does that by
/// itself (`Validate` of its notification templates, 10.0 to 13.3), the newer one doesn't, so it is done here for both.
///
/// Fails where the text isn't closed somewhere, at `field`: the newer API says of a text that doesn't parse no more than that it doesn't. What is wrong
/// beyond that, such as a function that there isn't, depends on the version, and is Grafana's to say.
pub fn template(text: &str, name: &str, field: &str) -> Result<model::Template, Refusal> {
    check_for_go(text).map_err(|error| Refusal::invalid(field, error))?;
    if let Some(escaped) = definitions(text).iter().find(|definition| definition.is_escaped) {
        let problem = format!(
            "the template {:?} has a name with a backslash; write it plainly, for two of one name are told apart by nothing",
            quoted(escaped.name)
        );
        return Err(Refusal::invalid(field, problem));
    }
    let text = untrimmed(text.trim());
    let content = if is_left_alone(&text) {
        text.into_owned()
    } else {
        let text = text.replace('\n', "\n  ");
        format!("{{{{ define {} }}}}\n  {text}\n{{{{ end }}}}", literal(name)?)
    };
    Ok(model::Template {
        name: name.to_owned(),
        content,
    })
}

/// The name of a template as it is written in one: between quotes that it doesn't end.
fn literal(name: &str) -> Result<String, Refusal> {
    match (name.contains(['"', '\\', '\n', '\r']), name.contains('`')) {
        (false, _) => Ok(format!("\"{name}\"")),
        (true, false) if !name.contains('\r') => Ok(format!("`{name}`")),
        (true, _) => Err(Refusal::invalid(
            "spec.name",
            "a text that defines nothing is one template of the group's name, which can't be written with these quotes, backslashes or line breaks; choose another name, or write the text with define",
        )),
    }
}

/// Whether the older API stores a text as it is: where this stands in it, be it in a comment (`\{\{\s*define` in the source).
fn is_left_alone(text: &str) -> bool {
    let mut actions = text
        .match_indices('{')
        .filter_map(|(at, _)| text.get(at..)?.strip_prefix("{{"));
    actions.any(|action| {
        action
            .trim_start_matches([' ', '\t', '\n', '\x0c', '\r'])
            .starts_with("define")
    })
}

/// A text whose definitions all begin with `{{- define`, which the older API takes for none, with the first of them as `{{ define`. Around definitions is
/// nothing that is ever printed, so it is the same text.
fn untrimmed(text: &str) -> Cow<'_, str> {
    if is_left_alone(text) {
        return Cow::Borrowed(text);
    }
    let first = definitions(text)
        .into_iter()
        .find(|definition| !definition.is_block);
    let split = first.and_then(|first| {
        let (before, rest) = text.split_at_checked(first.at)?;
        Some((before, rest.strip_prefix("{{-")?))
    });
    split.map_or(Cow::Borrowed(text), |(before, rest)| {
        Cow::Owned(format!("{before}{{{{{rest}"))
    })
}

/// The names that a template group defines. They are one space in a Grafana, whatever the groups are called: of two that define the same name one has it for
/// the contact points of everybody, and which one is anybody's guess.
pub fn defined(group: &model::Template) -> BTreeSet<&str> {
    let all = definitions(&group.content).into_iter();
    all.map(|definition| definition.name).collect()
}

/// What a group defines beside what it does in Grafana already.
pub fn newly_defined<'a>(wish: &'a model::Template, found: Option<&model::Template>) -> BTreeSet<&'a str> {
    let mut new = defined(wish);
    let before = found.map(defined).unwrap_or_default();
    new.retain(|name| !before.contains(name));
    new
}

/// The first of these names that another group defines, with that group.
pub fn taken<'a>(
    names: &BTreeSet<&'a str>,
    groups: impl IntoIterator<Item = &'a model::Template>,
) -> Option<(&'a str, &'a model::Template)> {
    groups.into_iter().find_map(|group| {
        // Most groups name none of them, and aren't read.
        let mut mentioned = names
            .iter()
            .filter(|name| group.content.contains(**name))
            .peekable();
        mentioned.peek()?;
        let defined = defined(group);
        let taken = mentioned.find(|name| defined.contains(**name))?;
        Some((*taken, group))
    })
}

/// What goes with a group, and is to be had nowhere else: what it defines and none of these others does. Grafana has its own of what its texts are made of.
pub fn only_defined_by<'a>(
    group: &'a model::Template,
    others: impl IntoIterator<Item = &'a model::Template>,
) -> BTreeSet<String> {
    let mut names = defined(group);
    names.retain(|name| !is_grafanas(name));
    for other in others {
        if names.is_empty() {
            break;
        }
        // Most groups name none of them, and aren't read.
        if names.iter().any(|name| other.content.contains(*name)) {
            let elsewhere = defined(other);
            names.retain(|name| !elsewhere.contains(name));
        }
    }
    names.into_iter().map(str::to_owned).collect()
}

/// Whether a group calls one of these in its texts.
pub fn calls_any(group: &model::Template, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| group.content.contains(name.as_str()))
        && calls(&group.content).iter().any(|called| names.contains(*called))
}

/// Whether Grafana's own texts are made of a template of this name, and with it what all contact points say that have no text of their own: `default.title`,
/// `__subject`, `jira.default.summary` (`default_template.go`).
pub fn is_grafanas(name: &str) -> bool {
    let is_default = |name: &str| name.starts_with("default.");
    name.starts_with("__")
        || is_default(name)
        || name.split_once('.').is_some_and(|(_, rest)| is_default(rest))
}

/// How a text is compared: Grafana leaves out white space at both ends.
fn compared(template: &model::Template) -> Cow<'_, str> {
    untrimmed(template.content.trim())
}

/// Whether two template groups have the same text.
pub fn is_same(one: &model::Template, other: &model::Template) -> bool {
    compared(one) == compared(other)
}

/// Where somebody has changed the text of a template group: its first line that is another one.
pub fn changed(found: &model::Template, wish: &model::Template) -> Vec<String> {
    let same = same_lines(&compared(found), &compared(wish));
    vec![format!("template: line {}", same + 1)]
}

/// How many lines two texts have in common before they differ.
fn same_lines(one: &str, other: &str) -> usize {
    let lines = one.lines().zip(other.lines());
    lines.take_while(|(a, b)| a == b).count()
}

/// The first line in which two template groups differ: first what Grafana has.
pub fn other(found: &model::Template, wish: &model::Template) -> String {
    let (found, wish) = (compared(found), compared(wish));
    let same = same_lines(&found, &wish);
    let line = |text: &str| {
        text.lines()
            .nth(same)
            .map_or_else(|| "nothing".to_owned(), |line| format!("{:?}", quoted(line)))
    };
    format!(
        "in line {} it has {} there, and {} here",
        same + 1,
        line(&found),
        line(&wish)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::condition::Reason;

    fn group(content: &str) -> model::Template {
        model::Template {
            name: "t".to_owned(),
            content: content.to_owned(),
        }
    }

    #[test]
    fn a_difference_is_told_by_its_first_line() {
        assert_eq!(
            other(&group("a\nb"), &group("a\nc\nd")),
            r#"in line 2 it has "b" there, and "c" here"#
        );
        assert_eq!(
            other(&group("a"), &group("a\nc")),
            r#"in line 2 it has nothing there, and "c" here"#
        );
    }

    #[test]
    fn a_text_that_defines_nothing_is_one_template_of_the_groups_name() {
        let content = |text| template(text, "mine", "spec.template").unwrap().content;
        assert_eq!(content(" a\nb \n"), "{{ define \"mine\" }}\n  a\n  b\n{{ end }}");
        for text in [
            "{{ define \"a\" }}{{ end }}",
            "{{define `a`}}x{{end}}",
            "{{\x0cdefine \"a\"}}{{ end }}",
        ] {
            assert_eq!(content(text), text);
        }
        assert_eq!(
            content("{{ definer }}"),
            "{{ definer }}",
            "what that is Grafana says"
        );
    }

    #[test]
    fn a_name_is_taken_where_another_group_defines_it_and_not_where_it_is_only_used() {
        let wish = group("{{ define \"a\" }}{{ end }}{{ block `b` . }}{{ end }}");
        assert_eq!(defined(&wish), BTreeSet::from(["a", "b"]));
        assert_eq!(
            newly_defined(&wish, Some(&group("{{define \"a\"}}{{end}}"))),
            BTreeSet::from(["b"])
        );
        let (uses, defines) = (
            group("{{ template \"b\" . }}"),
            group("{{- define \"b\" -}}{{ end }}"),
        );
        let taken = |groups: &[model::Template]| {
            taken(&BTreeSet::from(["a", "b"]), groups)
                .map(|(name, group)| (name.to_owned(), group.content.clone()))
        };
        assert_eq!(taken(std::slice::from_ref(&uses)), None);
        assert_eq!(
            taken(&[uses, defines.clone()]),
            Some(("b".to_owned(), defines.content))
        );
    }

    #[test]
    fn what_another_group_defines_too_or_grafana_has_itself_goes_with_no_group() {
        let wish = group(
            "{{ define \"a\" }}{{ end }}{{ define \"b\" }}{{ end }}{{ define \"default.title\" }}{{ end }}",
        );
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(only_defined_by(&wish, []), names(&["a", "b"]));
        let others = [
            group("{{ define \"b\" }}{{ template \"a\" . }}{{ end }}"),
            group("x"),
        ];
        assert_eq!(only_defined_by(&wish, &others), names(&["a"]));
        assert!(calls_any(&others[0], &names(&["a"])));
        assert!(!calls_any(&others[0], &names(&["b"])));
        let own = group("{{ define \"a\" }}{{ end }}{{ define \"c\" }}{{ template \"a\" . }}{{ end }}");
        assert!(!calls_any(&own, &names(&["a"])), "it calls its own");
    }

    #[test]
    fn whatever_the_group_is_called_its_text_is_a_template_of_that_name() {
        for (name, literal) in [
            ("na\"me", "`na\"me`"),
            ("na\\me", "`na\\me`"),
            ("na`me", "\"na`me\""),
        ] {
            let group = template("x", name, "spec.template").unwrap();
            assert_eq!(
                group.content,
                format!("{{{{ define {literal} }}}}\n  x\n{{{{ end }}}}")
            );
            assert_eq!(defined(&group), BTreeSet::from([name]));
        }
        for name in ["a\"b`c", "a\rb"] {
            let refusal = template("x", name, "spec.template").unwrap_err();
            assert!(refusal.message.starts_with("spec.name: "), "{}", refusal.message);
            template("{{ define \"a\" }}{{ end }}", name, "spec.template").unwrap();
        }
    }

    #[test]
    fn a_name_with_an_escape_could_be_any_and_is_refused() {
        let refusal = template("{{ define \"\\x61\" }}{{ end }}", "mine", "spec.template").unwrap_err();
        assert!(
            refusal.message.contains("write it plainly"),
            "{}",
            refusal.message
        );
        template("{{ define `\\x61` }}{{ end }}", "mine", "spec.template").unwrap();
    }

    #[test]
    fn the_names_that_grafanas_own_texts_are_made_of_are_known() {
        for (name, is_its) in [
            ("default.title", true),
            ("__subject", true),
            ("jira.default.summary", true),
            ("slack.title", false),
            ("default", false),
            ("my.default", false),
        ] {
            assert_eq!(is_grafanas(name), is_its, "{name}");
        }
    }

    #[test]
    fn a_text_that_is_not_closed_is_refused_with_its_line_and_column() {
        for (text, place) in [
            ("{{ define \"a\" }}\n  {{ if .Alerts }}", "line 2, column 3"),
            (
                "{{ define \"a\" }}x{{ end }}\n {{ define \"a\" }}y{{ end }}",
                "line 2, column 2",
            ),
            ("a\n\n{{ end }}", "line 3, column 1"),
            ("a {{ .X }", "line 1, column 3"),
            ("{{ \"a }}", "line 1, column 4"),
            ("a\n {{ if }}{{ end }}", "line 2, column 2"),
            ("{{ with .X }}{{ else with }}{{ end }}", "line 1, column 14"),
        ] {
            let refusal = template(text, "mine", "spec.template").unwrap_err();
            assert_eq!(refusal.reason, Reason::Invalid);
            assert!(
                refusal.message.starts_with("spec.template: ") && refusal.message.contains(place),
                "{}",
                refusal.message
            );
        }
    }

    #[test]
    fn a_text_whose_definitions_trim_what_is_before_them_is_sent_so_that_every_api_sees_them() {
        let content = |text| template(text, "mine", "spec.template").unwrap().content;
        for (text, sent) in [
            (
                "{{- define \"a\" -}}{{- end -}}",
                "{{ define \"a\" -}}{{- end -}}",
            ),
            ("{{-\n define `a` }}{{ end }}", "{{\n define `a` }}{{ end }}"),
            (
                "{{- /* two */ -}}\n{{- define \"a\" }}{{ end }}\n{{- define \"b\" }}{{ end }}",
                "{{- /* two */ -}}\n{{ define \"a\" }}{{ end }}\n{{- define \"b\" }}{{ end }}",
            ),
            (
                "{{ \"{{- define\" }}{{- define \"a\" }}{{ end }}",
                "{{ \"{{- define\" }}{{ define \"a\" }}{{ end }}",
            ),
        ] {
            assert_eq!(content(text), sent);
            assert!(is_same(&group(text), &group(sent)), "{text}");
        }
        for text in [
            "{{- define \"a\" }}{{ end }}{{ define \"b\" }}{{ end }}",
            "{{/* {{ define */}}{{- define \"a\" }}{{ end }}",
        ] {
            assert_eq!(content(text), text);
        }
        // A block may stand in the one definition that Grafana makes of the text.
        let block = "{{- block \"a\" . }}{{ end }}";
        assert_eq!(
            content(block),
            format!("{{{{ define \"mine\" }}}}\n  {block}\n{{{{ end }}}}")
        );
    }

    /// A text that may be a template, of the parts that tell one from another.
    const TEXT: &str = "(\\{\\{-? ?|define|block|template|end|if |with |range |else|\"a\"|`|/\\*|\\*/| ?-?\\}\\}|ü|\n| ){0,16}|(?s).{0,20}";

    proptest! {
        #[test]
        fn whatever_a_template_says_what_is_stored_of_it_is_what_it_says_from_then_on(text in TEXT) {
            if let Ok(first) = template(&text, "mine", "spec.template") {
                let again = template(&first.content, "mine", "spec.template");
                prop_assert_eq!(again.ok(), Some(first));
            }
        }
    }
}
