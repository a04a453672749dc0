//! Annotations and labels as they were written before the operator has given `{{ $value }}` its meaning.

/// A text without what the operator has added for the value of a node. Whether it was that is told by what becomes of it when it is written again.
pub fn unwritten(text: &str) -> String {
    let Some(node) = ["B", "A"].into_iter().find(|node| is_rewritten(text, node)) else {
        return text.to_owned();
    };
    let mut text = text.replace(&printed(node), "$value");
    for end in [" -}}", " }}"] {
        text = text.replace(&format!("{}{end}", definition(node)), "");
    }
    text.replace(NUMBER, "$value")
}

/// The variable that has the number where it is an operand.
const NUMBER: &str = "$__aw";

fn is_rewritten(text: &str, node: &str) -> bool {
    text.contains(&printed(node)) || text.contains(&definition(node))
}

fn printed(node: &str) -> String {
    format!("with $values.{node} }}}}{{{{ . }}}}{{{{ end")
}

fn definition(node: &str) -> String {
    format!(
        "{{{{- {NUMBER} := 0.0 -}}}}{{{{- range $k, $v := $values -}}}}{{{{- if eq $k \"{node}\" -}}}}\
         {{{{- {NUMBER} = $v.Value -}}}}{{{{- end -}}}}{{{{- end"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::rule::template::rewrite;

    #[test]
    fn a_text_that_was_rewritten_says_the_value_again() {
        for text in [
            "{{ $value }} failures",
            "{{- $value -}}",
            r#"{{ printf "%.1f" $value }} errors/s, at most {{ $value }}"#,
            r"{{ if gt $value 5.0 }}many{{ end }} on {{ $labels.host }}",
            "{{ $values.B }} of {{ $labels.team }}",
            "nothing",
        ] {
            for node in ["A", "B"] {
                let written = rewrite(text, node).unwrap();
                let unwritten = unwritten(&written);
                assert_eq!(rewrite(&unwritten, node).unwrap(), written, "{text}");
                let is_same = unwritten == text;
                assert!(is_same, "{unwritten} was {text}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_not_rewritten_stays(text in "[a-z {}$.]{0,40}") {
            prop_assert_eq!(unwritten(&text), text);
        }
    }
}
