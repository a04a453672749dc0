//! What may be told of passes and calls.
#![cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "nothing is told"))]

use std::borrow::Cow;

use http::Method;

/// A request as it may be told of: where to and what for, never what it carries.
pub(crate) struct Request {
    /// Its name in metrics.
    pub(crate) operation: String,
    pub(crate) method: Method,
    /// Its path without names: the same for all that do the same.
    pub(crate) template: String,
    /// Its path without a query.
    pub(crate) path: String,
    pub(crate) server: Option<(String, Option<u16>)>,
    /// How many times it was sent before.
    pub(crate) resent: u32,
}

/// Why a call failed, in a word; nothing where it didn't.
pub(crate) type Failed = Option<Cow<'static, str>>;

/// What a pass is over.
pub(crate) struct Over {
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}
