//! How many calls may be under way at once: as many as there are connections, and fewer where Grafana can't keep up.

use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::connection::CONNECTIONS;
use crate::deadline;
use crate::grafana::error::{Class, Error};

/// How many there are at least: while one is kept waiting until its time is over, another notices that Grafana answers again.
const LEAST: usize = 2;

/// What the end of a call says of how Grafana keeps up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It answers, whatever it says.
    Answers,
    /// It fails, or doesn't answer in time.
    Overloaded,
    /// It wasn't asked, or isn't there.
    None,
}

impl Sign {
    fn of(error: Option<&Error>) -> Self {
        let Some(error) = error else {
            return Self::Answers;
        };
        match (error, error.class(), error.status()) {
            (Error::Timeout { .. }, ..) | (_, Class::Transient, Some(500..)) => Self::Overloaded,
            // It has said itself how long it is to be left alone.
            (_, Class::Throttled(_), _) => Self::None,
            (.., Some(_)) => Self::Answers,
            _ => Self::None,
        }
    }
}

/// How many may be under way: half as many after a failure, and one more after each answer.
#[derive(Debug)]
struct Flow {
    allowed: usize,
    /// When it was halved last.
    halved: Option<Instant>,
}

impl Flow {
    fn new() -> Self {
        Self {
            allowed: CONNECTIONS,
            halved: None,
        }
    }

    /// Takes note of how a call ended that began at that time. What was sent before it was halved says nothing new.
    fn note(&mut self, sign: Sign, began: Instant, now: Instant) {
        match sign {
            Sign::Answers => self.allowed = (self.allowed + 1).min(CONNECTIONS),
            Sign::Overloaded if self.halved.is_none_or(|halved| began >= halved) => {
                self.allowed = (self.allowed / 2).max(LEAST);
                self.halved = Some(now);
            }
            Sign::Overloaded | Sign::None => {}
        }
    }
}

/// Lets so many in.
#[derive(Debug)]
pub(super) struct Gate {
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    flow: Flow,
    /// How many turns there are, had or not.
    turns: usize,
}

/// A turn, since when it is had.
pub(super) struct Turn<'a> {
    permit: SemaphorePermit<'a>,
    began: Instant,
}

impl Default for Gate {
    fn default() -> Self {
        let flow = Flow::new();
        Self {
            turns: Semaphore::new(flow.allowed),
            state: Mutex::new(State {
                turns: flow.allowed,
                flow,
            }),
        }
    }
}

impl Gate {
    /// Waits for a turn. `None` can't be: nobody closes it.
    pub(super) async fn enter(&self) -> Option<Turn<'_>> {
        let permit = deadline::waiting(self.turns.acquire()).await.ok()?;
        Some(Turn {
            permit,
            began: Instant::now(),
        })
    }

    /// Gives a turn back, with how its call ended. One that is dropped says nothing.
    pub(super) fn leave(&self, turn: Turn<'_>, error: Option<&Error>) {
        let mut state = self.state.lock();
        state.flow.note(Sign::of(error), turn.began, Instant::now());
        let allowed = state.flow.allowed;
        if let Some(more) = allowed.checked_sub(state.turns) {
            self.turns.add_permits(more);
            state.turns = allowed;
            return;
        }
        state.turns -= self.turns.forget_permits(state.turns - allowed);
        if state.turns > allowed {
            state.turns -= 1;
            turn.permit.forget();
        }
    }

    /// How many turns nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.turns.available_permits()
    }

    #[cfg(test)]
    pub(super) fn allowed(&self) -> usize {
        self.state.lock().flow.allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn status(status: u16) -> Error {
        Error::NotGrafana {
            operation: "test.read",
            status,
            retry_after: None,
        }
    }

    const TIMEOUT: Error = Error::Timeout {
        operation: "test.read",
    };

    #[test]
    fn failures_and_time_outs_say_that_there_are_too_many_calls_and_nothing_else_does() {
        for (error, sign) in [
            (None, Sign::Answers),
            (Some(TIMEOUT), Sign::Overloaded),
            (Some(status(500)), Sign::Overloaded),
            (Some(status(504)), Sign::Overloaded),
            (Some(status(404)), Sign::Answers),
            (Some(status(429)), Sign::None),
            (
                Some(Error::NotGrafana {
                    operation: "test.read",
                    status: 503,
                    retry_after: Some(SECOND),
                }),
                Sign::None,
            ),
            (
                Some(Error::NotLeading {
                    operation: "test.read",
                }),
                Sign::None,
            ),
        ] {
            assert_eq!(Sign::of(error.as_ref()), sign, "{error:?}");
        }
    }

    #[test]
    fn each_failure_halves_how_many_there_may_be_and_each_answer_adds_one() {
        let (mut flow, mut now) = (Flow::new(), Instant::now());
        let mut seen = Vec::new();
        for sign in [Sign::Overloaded; 4] {
            now += SECOND;
            flow.note(sign, now, now);
            seen.push(flow.allowed);
        }
        assert_eq!(seen, [4, 2, 2, 2], "two go on looking whether the outage is over");
        for _ in 0..CONNECTIONS - LEAST {
            flow.note(Sign::Answers, now, now);
        }
        assert_eq!(flow.allowed, CONNECTIONS, "and soon it is as before");
        flow.note(Sign::Answers, now, now);
        flow.note(Sign::None, now, now);
        assert_eq!(flow.allowed, CONNECTIONS);
    }

    #[test]
    fn calls_that_were_sent_together_and_fail_together_are_one_failure() {
        let (mut flow, now) = (Flow::new(), Instant::now());
        for _ in 0..CONNECTIONS {
            flow.note(Sign::Overloaded, now, now + SECOND);
        }
        assert_eq!(flow.allowed, CONNECTIONS / 2);
        flow.note(Sign::Overloaded, now + SECOND, now + SECOND);
        assert_eq!(flow.allowed, CONNECTIONS / 4);
    }

    #[tokio::test]
    async fn no_more_get_in_than_may_and_whoever_waits_gets_in_once_grafana_answers() {
        let gate = Gate::default();
        let enter = || gate.enter().now_or_never().flatten();
        let mut turns: Vec<_> = (0..CONNECTIONS).filter_map(|_| enter()).collect();
        assert_eq!(turns.len(), CONNECTIONS);
        assert!(enter().is_none());
        gate.leave(turns.pop().unwrap(), Some(&TIMEOUT));
        // Seven are still under way, and four may be.
        for _ in 0..3 {
            assert!(enter().is_none());
            drop_unheard(&gate, turns.pop().unwrap());
        }
        assert!(enter().is_none());
        gate.leave(turns.pop().unwrap(), None);
        let more: Vec<_> = (0..CONNECTIONS).filter_map(|_| enter()).collect();
        assert_eq!(turns.len() + more.len(), CONNECTIONS / 2 + 1);
        drop((turns, more));
        for _ in 0..CONNECTIONS {
            gate.leave(enter().unwrap(), None);
        }
        let all: Vec<_> = (0..=CONNECTIONS).filter_map(|_| enter()).collect();
        assert_eq!(all.len(), CONNECTIONS);
    }

    /// Ends a call that says nothing.
    fn drop_unheard(gate: &Gate, turn: Turn<'_>) {
        let unheard = Error::NotLeading {
            operation: "test.read",
        };
        gate.leave(turn, Some(&unheard));
    }
}
