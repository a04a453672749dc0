//! Lists that go on: where Grafana tells what changes as it happens, nobody has to ask again.

use std::fmt;

use futures::stream::BoxStream;

use crate::grafana::error::Result;

/// Every object of a kind, and what happens to them from then on.
pub struct Listed<T> {
    /// The objects.
    pub items: Vec<T>,
    /// What happens afterwards; nothing is asked before it is looked at. `None` where Grafana doesn't tell.
    pub watch: Option<Watch<T>>,
}

/// What happens to the objects of a kind, in its order. It goes on until Grafana doesn't tell any more, with an error that says why, or
/// without one where nothing is wrong but that it always ends at once. What happens then is to be listed anew.
pub type Watch<T> = BoxStream<'static, Result<Told<T>>>;

/// What a watch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<T> {
    /// The watch works, which isn't sure before it has told something or has been open for a while.
    Works,
    /// An object is there and looks like this. It may be told twice, and after a break things may be told again that were told before.
    There(T),
    /// The object of this name is gone.
    Gone(String),
}

impl<T> From<Vec<T>> for Listed<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, watch: None }
    }
}

impl<T: fmt::Debug> fmt::Debug for Listed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("items", &self.items)
            .field("is_watchable", &self.watch.is_some())
            .finish()
    }
}
