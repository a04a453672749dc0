//! What the API server's refusals mean, and how they are told.
//!
//! kube 5.0 asks of a `Status` whether the reason that is looked for is a known one, not whether the one that came is, so
//! `is_not_found()` is false for the plain text `404 page not found` of an API server that doesn't have a type. So the code
//! is compared here.

use std::error::Error as StdError;

use kube::core::Status;

/// The HTTP status of a refusal; `None` where there was no answer, or one that isn't a refusal.
pub fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// The HTTP status of a refusal that is somewhere among the sources of an error.
pub fn code_within(error: &(dyn StdError + 'static)) -> Option<u16> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(status) = refusal(error) {
            return Some(status.code);
        }
        next = error.source();
    }
    None
}

/// Whether the object, or its whole type, isn't there.
pub fn is_missing(error: &kube::Error) -> bool {
    code(error) == Some(404)
}

/// Whether our account may not do this.
pub fn is_forbidden(error: &kube::Error) -> bool {
    code(error) == Some(403)
}

/// Whether somebody else was faster: the object exists already, or has changed since it was read.
pub fn is_conflict(error: &kube::Error) -> bool {
    code(error) == Some(409)
}

/// Whether the object can't be as it was sent.
pub fn is_invalid(error: &kube::Error) -> bool {
    code(error) == Some(422)
}

/// Whether nothing new may be made in a namespace because it is being deleted.
pub fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
}

/// An error with its sources in one line, each part once.
///
/// kube prints a refusal twice, the second time as Rust's debug form of the whole `Status`; its message says it all.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let refusal = refusal(error);
        let part = refusal.map_or_else(|| without_its_source(error), said);
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        next = error.source().filter(|_| refusal.is_none());
    }
    text
}

/// What an error says itself, where it ends with what its source says.
fn without_its_source(error: &(dyn StdError + 'static)) -> String {
    let text = error.to_string();
    let own = error
        .source()
        .and_then(|source| text.strip_suffix(&source.to_string()));
    own.map_or(text.as_str(), |own| own.trim_end_matches([':', ' ']))
        .to_owned()
}

/// The refusal that an error is. A source in a box is its box.
fn refusal<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Status> {
    let of_kube = error.downcast_ref::<kube::Error>();
    let of_kube = of_kube.or_else(|| error.downcast_ref::<Box<kube::Error>>().map(AsRef::as_ref));
    if let Some(kube::Error::Api(status)) = of_kube {
        return Some(status);
    }
    let boxed = || error.downcast_ref::<Box<Status>>().map(AsRef::as_ref);
    error.downcast_ref::<Status>().or_else(boxed)
}

fn said(status: &Status) -> String {
    if status.message.is_empty() {
        format!("HTTP status {} {}", status.code, status.reason)
    } else {
        status.message.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write")]
    struct Boxed(#[source] Box<kube::Error>);

    type Finalizer = kube::runtime::finalizer::Error<Boxed>;

    fn refused(code: u16, reason: &str, message: &str) -> kube::Error {
        let mut status = Status::failure(message, reason);
        status.code = code;
        kube::Error::Api(Box::new(status))
    }

    #[test]
    fn a_type_that_is_not_there_is_missing_though_its_reason_is_no_known_one() {
        let error = refused(404, "Failed to parse error data", "404 page not found");
        assert!(is_missing(&error));
        assert!(is_missing(&refused(
            404,
            "NotFound",
            "alertrules \"x\" not found"
        )));
        assert!(!is_missing(&refused(403, "Forbidden", "no")));
        assert!(is_forbidden(&refused(403, "", "no")));
        assert!(is_conflict(&refused(409, "AlreadyExists", "there")));
        assert!(is_invalid(&refused(422, "Invalid", "bad")));
    }

    #[test]
    fn a_namespace_that_is_being_deleted_is_told_from_a_right_that_is_missing() {
        let text = r#"{"status": "Failure", "message": "events is forbidden", "reason": "Forbidden", "code": 403,
            "details": {"name": "x", "kind": "events", "causes": [{"reason": "NamespaceTerminating", "message": "shop is being terminated", "field": "metadata.namespace"}]}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert!(is_terminating(&kube::Error::Api(Box::new(status))));
        assert!(!is_terminating(&refused(403, "Forbidden", "events is forbidden")));
    }

    #[test]
    fn a_refusal_is_told_by_its_message_once_however_deep_it_lies() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write")]
        struct Outer(#[source] kube::Error);

        let error = Outer(refused(403, "Forbidden", "silences is forbidden"));
        assert_eq!(chain(&error), "cannot write: silences is forbidden");
        let error = Boxed(Box::new(refused(403, "Forbidden", "silences is forbidden")));
        assert_eq!(chain(&error), "cannot write: silences is forbidden");
        assert_eq!(code_within(&error), Some(403));
        // kube's own, which end with what their sources say.
        let error = Finalizer::AddFinalizer(refused(422, "Invalid", "alertrules is invalid"));
        assert_eq!(chain(&error), "failed to add finalizer: alertrules is invalid");
        assert_eq!(code_within(&error), Some(422));
        let error = Finalizer::ApplyFailed(Boxed(Box::new(refused(403, "Forbidden", "denied"))));
        assert!(
            chain(&error).ends_with(": cannot write: denied"),
            "{}",
            chain(&error)
        );
        let error =
            kube::runtime::watcher::Error::WatchError(Box::new(Status::failure("too old", "Expired")));
        assert!(chain(&error).ends_with(": too old"), "{}", chain(&error));
        let bare = refused(500, "InternalError", "");
        assert_eq!(chain(&bare), "HTTP status 500 InternalError");
    }
}
