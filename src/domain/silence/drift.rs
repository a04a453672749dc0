//! What somebody has changed of a silence in Grafana.

use jiff::Timestamp;

use super::{Decision, Wish, is_as_wished, is_strangers};
use crate::api::silence::{ACTIVE, EXPIRED, PENDING};
use crate::domain::changed::drift::DELETED;
use crate::grafana::wire::Silence;

/// What somebody has changed of the silence that was stored as it is wished, where the decision is to write it.
pub fn drift(decision: &Decision, wish: &Wish, ours: &[Silence], now: Timestamp) -> Vec<String> {
    let update = match decision {
        Decision::Write { update: None, .. } => return vec![DELETED.to_owned()],
        Decision::Write { update, .. } => update.as_ref(),
        Decision::Keep { .. } | Decision::Expired { .. } => return Vec::new(),
    };
    let Some(found) = ours.iter().find(|silence| silence.id.as_ref() == update) else {
        return Vec::new();
    };
    let as_wished = |change: fn(&mut Silence, &Wish)| {
        let mut other = found.clone();
        change(&mut other, wish);
        other
    };
    let all = as_wished(|other, wish| {
        (other.starts_at, other.ends_at) = (wish.starts_at, wish.ends_at);
        other.comment.clone_from(&wish.comment);
        // Its mark is no change by hand: the operator may have had another owner id.
        if !is_strangers(other) {
            other.created_by.clone_from(&wish.author);
        }
    });
    let differs = |silence: Silence| !is_as_wished(&silence, wish, now);
    let fields = [
        (
            "startsAt",
            differs(Silence {
                starts_at: found.starts_at,
                ..all.clone()
            }),
        ),
        (
            "endsAt",
            differs(Silence {
                ends_at: found.ends_at,
                ..all.clone()
            }),
        ),
        (
            "comment",
            differs(Silence {
                comment: found.comment.clone(),
                ..all
            }),
        ),
    ];
    fields
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The state of a silence that is left as somebody has changed it.
pub fn state_left(decision: &Decision, ours: &[Silence], now: Timestamp) -> &'static str {
    let Decision::Write { update: Some(id), .. } = decision else {
        return EXPIRED;
    };
    match ours.iter().find(|silence| silence.id.as_ref() == Some(id)) {
        Some(found) if found.starts_at > now => PENDING,
        _ => ACTIVE,
    }
}
