//! Lists that go on: where Grafana tells what changes as it happens, nobody has to ask again.

use std::fmt;

use futures::StreamExt;
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
    /// The watch works, which isn't sure before it has told something or has been open for a while. Whatever else it tells of
    /// one kind comes after this; of rules, which are two kinds, the one may tell before the other works.
    Works,
    /// An object is there and looks like this. It may be told twice, and after a break things may be told again that were told before.
    There(T),
    /// The object of this name is gone.
    Gone(String),
}

impl<T: Send + 'static> Listed<T> {
    /// The same, with what is made of each object, and of the name of one that is gone.
    pub fn map<U: Send + 'static>(self, make: fn(T) -> U, name: fn(String) -> String) -> Listed<U> {
        let told = move |told| match told {
            Told::Works => Told::Works,
            Told::There(object) => Told::There(make(object)),
            Told::Gone(gone) => Told::Gone(name(gone)),
        };
        Listed {
            items: self.items.into_iter().map(make).collect(),
            watch: self
                .watch
                .map(|watch| watch.map(move |next| next.map(told)).boxed()),
        }
    }
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
