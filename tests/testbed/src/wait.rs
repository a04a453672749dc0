//! Waiting for what must come true, with a useful message when it does not.

use std::{
    fmt::{Debug, Display},
    panic::Location,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::log;

/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// What one look at the world showed.
#[derive(Debug)]
pub enum Seen<T> {
    /// What was waited for.
    Yes(T),
    /// Something else; said when time is up.
    NotYet(String),
}

/// A look that shows something other than what is waited for.
pub fn not_yet<T>(seen: impl Debug) -> Seen<T> {
    Seen::NotYet(format!("{seen:#?}"))
}

impl<T> From<Option<T>> for Seen<T> {
    fn from(option: Option<T>) -> Self {
        option.map_or_else(|| Self::NotYet("nothing".to_owned()), Self::Yes)
    }
}

impl<T, E: Display> From<Result<Option<T>, E>> for Seen<T> {
    fn from(result: Result<Option<T>, E>) -> Self {
        result.map_or_else(|error| Self::NotYet(error.to_string()), Self::from)
    }
}

impl From<bool> for Seen<()> {
    fn from(yes: bool) -> Self {
        if yes {
            Self::Yes(())
        } else {
            Self::NotYet("false".to_owned())
        }
    }
}

/// Looks every 50 ms until the closure shows something, and gives that.
///
/// # Panics
///
/// When time is up, with what was expected, what was seen last, and the ends of the logs of this test's programs.
#[track_caller]
pub fn until<T, S: Into<Seen<T>>>(
    what: &str,
    timeout: Duration,
    mut look: impl AsyncFnMut() -> S,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let mut last = "nothing".to_owned();
        // A look that hangs, for example on a server that is down, must not outlast the time either.
        let found = tokio::time::timeout(timeout, async {
            loop {
                match look().await.into() {
                    Seen::Yes(found) => return found,
                    Seen::NotYet(seen) => last = seen,
                }
                sleep(POLL).await;
            }
        });
        found.await.unwrap_or_else(|_elapsed| {
            panic!(
                "{caller}: not within {timeout:?}: {what}\nseen last: {last}{}",
                log::tails_of_this_thread()
            )
        })
    }
}

/// Looks every 50 ms for the whole time and fails as soon as the closure shows something: for what must not happen.
///
/// # Panics
///
/// When it happens, with what was seen.
#[track_caller]
pub fn never<T: Debug, S: Into<Seen<T>>>(
    what: &str,
    time: Duration,
    mut look: impl AsyncFnMut() -> S,
) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Seen::Yes(seen) = look().await.into() {
                panic!(
                    "{caller}: must not happen: {what}\nseen: {seen:#?}{}",
                    log::tails_of_this_thread()
                );
            }
            sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn until_gives_what_was_waited_for() {
        let mut looks = 0;
        let found = until("a third look", Duration::from_secs(5), async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(found, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "not within 60ms: an answer\nseen last: nothing")]
    async fn until_does_not_wait_for_a_look_that_hangs() {
        until::<(), _>("an answer", Duration::from_millis(60), async || {
            std::future::pending::<Option<()>>().await
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "not within 60ms: a silence\nseen last: \"pending\"")]
    async fn until_says_what_it_saw_last() {
        until::<(), _>("a silence", Duration::from_millis(60), async || {
            not_yet("pending")
        })
        .await;
    }
}
