//! Makes `{{ $value }}` in an annotation or a label mean the number, as in Prometheus, and tells what Grafana won't understand.
//!
//! Grafana puts a dump of every node into `$value` and `.Value`; the numbers are in `$values`, by node. Where an action is nothing
//! but the value, it is printed from there, in plain digits; where the value is an operand (`printf "%.1f" $value`), the
//! text first gives the number to a variable of ours. Nothing but actions, strings, and where the dot changes is understood of Go's
//! templates. Every text is read once, or twice if it defines templates; the work grows with its length and no faster.

mod action;
mod error;
mod grammar;
mod lexer;
mod read;
mod rewrite;
mod scope;
mod twice;
mod vocabulary;

pub use error::{Problem, TemplateError};
pub use read::{Definition, calls, check, check_for_go, definitions, mentions_value};
pub use rewrite::rewrite;
pub use vocabulary::{Unknown, unknown, unknown_to_notifications};

#[cfg(test)]
mod tests;
