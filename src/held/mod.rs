//! What stores, claims and mirrors are made of, and how it is counted what is looked at of them.

pub(crate) mod few;
pub(crate) mod touched;
