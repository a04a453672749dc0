//! What is said where there is no contact point, or no integration, to be tried, and how it ends.

use super::super::common::exit::Exit;

/// Why no cluster can be asked for the resource, and that none has to be where Grafana is given.
pub(super) fn unconnected(why: String, is_given: bool) -> String {
    if is_given {
        format!(
            "{why}; a contact point that Grafana has under that name is meant with --in-grafana, and no cluster is asked"
        )
    } else {
        why
    }
}

/// That there is no integration to be tried.
pub(super) fn lacking(title: &str, count: usize, asked: Option<usize>) -> String {
    let has = match count {
        0 => "no integration".to_owned(),
        1 => "one integration".to_owned(),
        many => format!("{many} integrations"),
    };
    let asked = asked.map_or_else(String::new, |asked| {
        format!(", and --integration asks for number {asked}")
    });
    format!("contact point {title} has {has}{asked}")
}

/// In part where it ended before all were tried, whatever became of those that were.
pub(super) fn exit_code(failures: usize, has_ended: bool) -> Exit {
    match (has_ended, failures) {
        (true, _) => Exit::InPart,
        (false, 0) => Exit::Done,
        (false, _) => Exit::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_with_what_there_is() {
        assert_eq!(
            lacking("a", 1, Some(2)),
            "contact point a has one integration, and --integration asks for number 2"
        );
        assert_eq!(lacking("a", 0, None), "contact point a has no integration");
        assert!(unconnected("no cluster".to_owned(), true).contains("--in-grafana"));
        assert_eq!(unconnected("no cluster".to_owned(), false), "no cluster");
    }
}
