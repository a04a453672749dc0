//! What stays in the Grafana that a GrafanaInstance has left, and whether it may be removed there.
//!
//! Another address may lead to the same Grafana, and so may another login. So nothing is removed before it is proven that there are two: each connection makes a
//! folder that nobody has asked for before, and is asked for both. Names, versions and what is stored prove nothing, for a database may have been copied; but what is made
//! after the copy is in one of them alone.

use std::time::Duration;

/// How many objects are removed after one look.
pub const BATCH: u32 = 20;
/// How long a look counts.
const COUNTS: Duration = Duration::from_secs(60);
/// How many rounds in a row may come to nothing before it is given up.
const TRIES: u32 = 10;

/// What the uids of these folders begin with, before the owner id's code.
const PROBE: &str = "alertwright-probe-";

/// What the uids of an owner's folders begin with that tell two Grafanas apart.
pub fn probe_prefix(owner_code: &str) -> String {
    format!("{PROBE}{owner_code}-")
}

/// What a connection says of such a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It is there.
    Seen,
    /// Grafana itself says that it isn't.
    Missing,
    /// Nothing can be told from what it says: this.
    Unclear(String),
}

/// What one connection says of the folder that it has made, and of the other's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sights {
    /// Its own.
    pub own: Sight,
    /// The other's.
    pub other: Sight,
}

/// One look through both connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Through the one that was left.
    pub old: Sights,
    /// Through the one that there is now.
    pub new: Sights,
}

/// What a look shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// That both are one Grafana and organisation.
    One,
    /// That they are two.
    Two,
    /// Neither, and why.
    Unclear(String),
}

impl Look {
    /// What it shows: two only where each connection sees its own folder, so that it may see such, and not the other's.
    pub fn verdict(&self) -> Verdict {
        let Self { old, new } = self;
        if old.other == Sight::Seen || new.other == Sight::Seen {
            return Verdict::One;
        }
        let sides = [("the Grafana before", old), ("this Grafana", new)];
        for (which, sights) in sides {
            match (&sights.own, &sights.other) {
                (Sight::Seen, Sight::Missing) => {}
                (Sight::Unclear(why), _) | (_, Sight::Unclear(why)) => {
                    return Verdict::Unclear(format!("{which}: {why}"));
                }
                _ => {
                    return Verdict::Unclear(format!(
                        "{which} doesn't show the folder that was just made there"
                    ));
                }
            }
        }
        Verdict::Two
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Both are one Grafana: there is nothing to remove.
    Same,
    /// Nothing is left.
    Gone,
    /// Something stays, if it is known what, and why.
    Stays {
        /// What, in words, where it isn't all of it.
        what: Option<String>,
        /// Why.
        why: String,
    },
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Look through both connections. What may be removed then is removed.
    Look,
    /// Nothing, until all is in sync where it is now.
    Wait,
    /// Nothing any more.
    Over(End),
}

/// What a round has come to that was allowed to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round {
    /// Something was removed, and there is more.
    Further,
    /// All of it was looked at. What stays for good, and what only waits, each in words; `is_further` says that something was removed.
    Through {
        /// What stays.
        kept: Vec<String>,
        /// What waits for others to let go of it.
        in_use: Vec<String>,
        /// Whether something was removed.
        is_further: bool,
    },
    /// It broke off, and why.
    Failed(String),
}

/// What is known of one Grafana that was left. Moments are told by how long it took to get there from one that stays the same.
#[derive(Debug)]
pub struct Moved {
    /// How long both folders must have stood, seen each by its own connection alone.
    apart_for: Duration,
    /// When the first look showed two of an unbroken row that all did, of the same folders.
    two_since: Option<Duration>,
    /// When the last look of that row was, and how much may still be removed after it.
    allowed: Option<(Duration, u32)>,
    is_proven: bool,
    in_vain: u32,
    end: Option<End>,
}

impl Moved {
    /// Nothing is known yet. Two looks that prove something lie so far apart.
    pub fn new(apart_for: Duration) -> Self {
        Self {
            apart_for,
            two_since: None,
            allowed: None,
            is_proven: false,
            in_vain: 0,
            end: None,
        }
    }

    /// Whether these were proven to be two.
    pub fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// What is to be done now. While something isn't in sync where it is now, nothing is taken away from where it was.
    pub fn next(&self, is_in_sync: bool) -> Step {
        match &self.end {
            Some(end) => Step::Over(end.clone()),
            None if self.is_proven && !is_in_sync => Step::Wait,
            None => Step::Look,
        }
    }

    /// Takes over what a look has shown.
    pub fn looked(&mut self, verdict: Verdict, now: Duration) {
        match verdict {
            Verdict::One => {
                self.begin_anew();
                self.end = Some(End::Same);
            }
            Verdict::Two => {
                let since = *self.two_since.get_or_insert(now);
                let is_long = now.saturating_sub(since) >= self.apart_for;
                let is_another = now > since;
                self.allowed = (is_long && is_another).then_some((now, BATCH));
                self.is_proven |= is_long && is_another;
            }
            Verdict::Unclear(why) => {
                self.begin_anew();
                self.failed(format!(
                    "it can't be told from the one that it is connected to now ({why})"
                ));
            }
        }
    }

    /// The folders don't stand any more, or may have been others: what was seen of them proves nothing from now on.
    pub fn begin_anew(&mut self) {
        self.two_since = None;
        self.allowed = None;
    }

    /// Whether something may be removed now.
    pub fn is_allowed(&self, now: Duration) -> bool {
        let is_fresh = |looked: Duration| now.saturating_sub(looked) <= COUNTS;
        self.end.is_none()
            && self
                .allowed
                .is_some_and(|(looked, left)| left > 0 && is_fresh(looked))
    }

    /// Whether one more object may be removed now. Each is asked for.
    pub fn may_remove(&mut self, now: Duration) -> bool {
        let is_allowed = self.is_allowed(now);
        if let Some((_, left)) = self.allowed.as_mut().filter(|_| is_allowed) {
            *left -= 1;
        }
        is_allowed
    }

    /// Takes over what a round of removing has come to.
    pub fn ended(&mut self, round: Round) {
        if self.end.is_some() {
            return;
        }
        match round {
            Round::Further => self.in_vain = 0,
            Round::Failed(why) => self.failed(why),
            Round::Through {
                kept,
                in_use,
                is_further,
            } => {
                if is_further {
                    self.in_vain = 0;
                }
                if in_use.is_empty() {
                    self.end = Some(if kept.is_empty() { End::Gone } else { stay(&kept) });
                } else if !is_further {
                    self.in_vain += 1;
                    if self.in_vain >= TRIES {
                        self.end = Some(stay(&[kept, in_use].concat()));
                    }
                }
            }
        }
    }

    fn failed(&mut self, why: String) {
        self.in_vain += 1;
        if self.in_vain >= TRIES {
            self.end = Some(End::Stays { what: None, why });
        }
    }
}

/// Most of those that are named that stay.
const NAMED: usize = 5;

fn stay(all: &[String]) -> End {
    let named: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    End::Stays {
        what: Some(match all.len() {
            1 => "1 object".to_owned(),
            count => format!("{count} objects"),
        }),
        why: format!("{}{more}", named.join("; ")),
    }
}

#[cfg(test)]
#[path = "moved_tests.rs"]
mod tests;
