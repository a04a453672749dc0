//! Where nothing is told.

use super::about::{Failed, Over, Request};

pub(crate) fn pass<F: Future>(_: impl FnOnce() -> Over, _: fn(&F::Output) -> &'static str, pass: F) -> F {
    pass
}

pub(crate) fn call<F: Future>(
    _: impl FnOnce() -> Request,
    _: impl FnOnce(&F::Output) -> Failed,
    call: F,
) -> F {
    call
}

pub(crate) fn below<F: Future>(
    _: impl FnOnce() -> Request,
    _: impl FnOnce(&F::Output) -> Failed,
    call: F,
) -> F {
    call
}

pub(crate) fn carried<F: Future>(work: F) -> F {
    work
}

pub(crate) fn reason(_: &'static str) {}

pub(crate) fn answered(_: u16) {}
