//! What a request to the API server is about, by its path and headers alone.

use http::header::CONTENT_TYPE;
use http::{Method, Request};

use crate::telemetry::spans;

/// The type that a path is about, in the plural, with its subresource. Of names there is nothing in it.
pub(super) fn resource(path: &str) -> String {
    let mut parts: Vec<_> = path.trim_matches('/').split('/').collect();
    // `api/v1`, or `apis`, group and version; then perhaps a namespace.
    parts.drain(..if path.starts_with("/api/") { 2 } else { 3 }.min(parts.len()));
    if parts.len() > 2 && parts.first() == Some(&"namespaces") {
        parts.drain(..2);
    }
    let plural = parts.first().copied().unwrap_or_default();
    match parts.get(2) {
        Some(part) => format!("{plural}/{part}"),
        None => plural.to_owned(),
    }
}

/// What is done, in Kubernetes' words.
pub(super) fn verb<B>(request: &Request<B>) -> &'static str {
    let type_ = request.headers().get(CONTENT_TYPE);
    let is_apply = type_.is_some_and(|type_| type_.as_bytes().starts_with(b"application/apply-patch"));
    match *request.method() {
        Method::POST => "create",
        Method::PUT => "update",
        Method::DELETE => "delete",
        Method::PATCH if is_apply => "apply",
        _ => "patch",
    }
}

/// What may be told of a request in a trace. A path names things, Secrets among them, and never says what is in them.
pub(super) fn told(method: Method, path: String, server: Option<(String, Option<u16>)>) -> spans::Request {
    spans::Request {
        operation: resource(&path),
        template: template(&path),
        method,
        path,
        server,
        resent: 0,
    }
}

/// A path without names.
fn template(path: &str) -> String {
    let fixed = if path.starts_with("/api/") { 2 } else { 3 };
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let is_in_namespace = parts.len() > fixed + 2 && parts.get(fixed) == Some(&"namespaces");
    let part = |(i, part)| match usize::checked_sub(i, fixed) {
        Some(1) if is_in_namespace => "{namespace}",
        Some(3) if is_in_namespace => "{name}",
        Some(1) if !is_in_namespace => "{name}",
        _ => part,
    };
    let parts: Vec<_> = parts.into_iter().enumerate().map(part).collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_no_name_of_anything_in_it() {
        for (path, expected) in [
            ("/api/v1/secrets", "/api/v1/secrets"),
            ("/api/v1/namespaces/team", "/api/v1/namespaces/{name}"),
            (
                "/api/v1/namespaces/team/secrets/keys",
                "/api/v1/namespaces/{namespace}/secrets/{name}",
            ),
            (
                "/apis/events.k8s.io/v1/namespaces/namespaces/events",
                "/apis/events.k8s.io/v1/namespaces/{namespace}/events",
            ),
            (
                "/apis/alerting.letsrevel.io/v1alpha1/namespaces/team/alertrules/a/status",
                "/apis/alerting.letsrevel.io/v1alpha1/namespaces/{namespace}/alertrules/{name}/status",
            ),
            (
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.y",
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}",
            ),
            ("/version", "/version"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}
