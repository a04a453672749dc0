//! What is looked at of stores, mirrors and their indexes, counted in tests: what a pass looks at mustn't grow with what there is.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Notes that so many entries were looked at. Outside of tests this is nothing.
#[inline]
pub(crate) fn note(entries: usize) {
    #[cfg(test)]
    COUNT.with(|count| count.set(count.get() + entries));
    #[cfg(not(test))]
    let _ = entries;
}

/// How many entries were looked at in this thread since the last time this was asked.
#[cfg(test)]
pub(crate) fn take() -> usize {
    COUNT.with(Cell::take)
}
