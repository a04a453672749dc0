//! Rules that several types of integrations have in common, as an API server checks them.

use kube::core::Rule;

/// Headers that Grafana lets nobody set on a webhook, in lower case. From its list in github.com/grafana/alerting.
const RESTRICTED: [&str; 26] = [
    "accept-charset",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "max-forwards",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-real-ip",
];

/// A text is given here or from a ConfigMap.
pub(super) fn one_text(field: &str) -> Rule {
    Rule::new(format!("!(has(self.{field}) && has(self.{field}From))"))
        .message(format!("give {field} or {field}From, not both").as_str())
        .field_path(format!(".{field}From"))
}

/// A text is a URL of HTTP.
pub(super) fn is_url() -> Rule {
    Rule::new("self.matches('^https?://.')").message("a URL begins with http:// or https://")
}

/// A text is the name of something in AWS.
pub(super) fn is_arn() -> Rule {
    Rule::new("self.matches('^arn:[^:]*:[^:]*:[^:]*:[^:]*:.')")
        .message("an ARN has six parts, such as arn:aws:sns:eu-south-1:123456789012:alerts")
}

/// Both halves of basic authentication are given, or none.
pub(super) fn basic_auth() -> Rule {
    Rule::new("has(self.username) == has(self.password)").message("username and password belong together")
}

/// A user may have no password, but not the other way round.
pub(super) fn password_has_username() -> Rule {
    Rule::new("!has(self.password) || has(self.username)")
        .message("password goes with username, which is missing")
        .field_path(".password")
}

/// Grafana sends one of both.
pub(super) fn one_authorization() -> Rule {
    Rule::new("!(has(self.username) && has(self.authorizationCredentials))")
        .message("give username and password, or authorizationCredentials, not both")
}

/// A scheme says what the credentials are.
pub(super) fn scheme_has_credentials() -> Rule {
    Rule::new("!has(self.authorizationScheme) || has(self.authorizationCredentials)")
        .message("authorizationScheme goes with authorizationCredentials, which are missing")
        .field_path(".authorizationScheme")
}

/// Headers' names are such, without a dot, which leads into an object elsewhere.
pub(super) fn header_names() -> Rule {
    Rule::new("self.all(name, name.matches('^[A-Za-z0-9_-]+$'))")
        .message("the name of a header consists of letters, digits, dashes and underscores")
}

/// None of the headers of a webhook is one that Grafana sets itself.
pub(super) fn no_restricted_header() -> Rule {
    Rule::new(format!(
        "self.all(name, !name.matches('(?i)^({})$'))",
        RESTRICTED.join("|")
    ))
    .message("Grafana lets nobody set this header; Authorization has fields of its own, and the others are the connection's")
}
