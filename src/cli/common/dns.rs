//! The names that arguments give. They become parts of addresses, so what is no name there is refused before anything is asked.

use super::print::wrong;
use crate::domain::lint::schema::{is_label, is_name};

/// The namespace of an argument.
pub(in super::super) fn namespace(text: &str) -> Result<String, String> {
    if is_label(text) {
        return Ok(text.to_owned());
    }
    Err(
        "no namespace has such a name: it has at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends"
            .to_owned(),
    )
}

/// One of the namespaces of an argument or a variable, which may be empty for none.
pub(in super::super) fn watched(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    namespace(text)
}

/// The name of a resource.
pub(in super::super) fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "nothing has the name {text:?}: names have at most 253 lower-case letters, digits, dashes and dots, with a letter or digit at both ends of each part"
    ))
}

/// Ends as for wrong arguments where this is no name of a resource, unless it may be any.
pub(in super::super) fn insist(text: &str, may_be_any: bool) {
    if let (Err(why), false) = (name(text), may_be_any) {
        wrong(&why);
    }
}

/// The name of a resource, or its namespace and name.
pub(in super::super) fn path(text: &str) -> Result<String, String> {
    if let Some((place, short)) = text.split_once('/') {
        namespace(place)?;
        name(short)?;
    } else {
        name(text)?;
    }
    Ok(text.to_owned())
}

/// A name, maybe behind a kind that somebody else looks at.
pub(in super::super) fn behind_kind(text: &str) -> Result<String, String> {
    let short = text.split_once('/').map_or(text, |(_, short)| short);
    name(short)?;
    Ok(text.to_owned())
}
