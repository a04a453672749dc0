//! Whether what others have is read: the rules that they have written for Prometheus, and which of them have been.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::api::prometheus_rule_import::SourceKind;

/// How long what the API server has refused isn't sent again as it is: it may have been refused for a passing reason.
const REFUSED: Duration = Duration::from_secs(600);

/// Whether somebody asks for a kind of others, so that it is watched. Once somebody has asked it stays so.
pub struct Wanted(watch::Sender<bool>);

impl Default for Wanted {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Wanted {
    /// Asks.
    pub fn want(&self) {
        self.0.send_if_modified(|wanted| !std::mem::replace(wanted, true));
    }

    /// Waits until somebody has asked.
    pub async fn wanted(&self) {
        // The sender is ours, so it isn't gone.
        let _ = self.0.subscribe().wait_for(|wanted| *wanted).await;
    }
}

/// What is known of the kinds that imports read, and of what became of their AlertRules.
#[derive(Default)]
pub struct Sources {
    wanted: Wanted,
    listed: Mutex<BTreeSet<SourceKind>>,
    refused: Mutex<HashMap<String, Refused>>,
}

/// An AlertRule that the API server has refused.
struct Refused {
    /// The fingerprint of what was asked for.
    asked: String,
    message: String,
    due: Instant,
}

impl Sources {
    /// Notes that there is an import. Without any, nothing of others is watched, or kept in memory.
    pub fn want(&self) {
        self.wanted.want();
    }

    /// Waits until there is an import.
    pub async fn wanted(&self) {
        self.wanted.wanted().await;
    }

    /// Notes that a kind has been listed, or isn't there.
    pub fn set_listed(&self, kind: SourceKind) {
        self.listed.lock().insert(kind);
    }

    /// Whether a kind has been listed, or isn't there.
    pub fn is_listed(&self, kind: SourceKind) -> bool {
        self.listed.lock().contains(&kind)
    }

    /// What the API server said when it refused the same for this AlertRule, given as its namespace and name, if its time isn't over.
    pub fn refusal(&self, rule: &str, asked: &str, now: Instant) -> Option<String> {
        let refused = self.refused.lock();
        let known = refused.get(rule)?;
        (known.asked == asked && known.due > now).then(|| known.message.clone())
    }

    /// Notes what the API server says to an AlertRule; nothing where it has taken it.
    pub fn note(&self, rule: String, asked: &str, refusal: Option<String>, now: Instant) {
        let mut refused = self.refused.lock();
        match refusal {
            None => _ = refused.remove(&rule),
            Some(message) => {
                refused.retain(|_, known| known.due > now);
                let asked = asked.to_owned();
                let due = now + REFUSED;
                refused.insert(rule, Refused { asked, message, due });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_sent_again_when_it_is_another_one_or_its_time_is_over() {
        let (sources, now) = (Sources::default(), Instant::now());
        let refusal = |asked, now| sources.refusal("shop/a", asked, now);
        assert_eq!(refusal("1", now), None);
        sources.note("shop/a".into(), "1", Some("too long".into()), now);
        assert_eq!(refusal("1", now), Some("too long".into()));
        assert_eq!(refusal("2", now), None);
        assert_eq!(sources.refusal("shop/b", "1", now), None);
        assert_eq!(refusal("1", now + REFUSED), None);
        sources.note("shop/a".into(), "1", None, now);
        assert_eq!(refusal("1", now), None);
    }
}
