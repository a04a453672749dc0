//! How its alert rules do.

use super::Double;
use crate::grafana::api::{Answer, RuleStates, StatesPage, Window};

impl RuleStates for Double {
    /// Pages are numbered by the group that they begin with.
    fn page<'a>(&'a self, window: Window<'a>) -> Answer<'a, StatesPage> {
        let (from, groups): (usize, usize) = match window {
            Window::Whole => (0, usize::MAX),
            Window::Page { from, groups, .. } => {
                let from = from.map_or(0, |from| from.parse().unwrap());
                (from, usize::try_from(groups).unwrap())
            }
        };
        self.call("rules.states", move |held| {
            let end = from.saturating_add(groups).min(held.states.len());
            // Where the next page begins, as this Grafana finds it.
            let next = held.lost_page.filter(|_| end < held.states.len()).unwrap_or(end);
            Ok(StatesPage {
                states: held.states.get(from..end).unwrap_or_default().to_vec(),
                next: (end < held.states.len()).then(|| next.to_string()),
            })
        })
    }
}
