//! Rules.

use std::sync::Arc;

use crate::controller::connection::Instance;
use crate::controller::instance::changed::Changed;
use crate::controller::instance::resend::Undone;
use crate::controller::instance::watch::{Begun, Watchable};
use crate::grafana::api::{Answer, FoundRule};
use crate::grafana::mirror::{self, Held, Part};
use crate::grafana::{self, Grafana};

/// Returns the uids of what changed, with what of it nobody of us has written, and how it goes on.
pub(super) async fn read(instance: &Instance) -> grafana::Result<((Vec<String>, Undone), Option<Begun>)> {
    let poll = instance.mirror.write(|held| held.rules.begin_poll());
    let listed = instance.grafana.rules.list().await?;
    Ok(instance.mirror.write(|held| {
        let undone = held.rules.undone(&listed.items);
        let (changed, watched) = held.rules.finish_list(poll, listed.items);
        // Nothing changes by a poll that a newer one has overtaken.
        let undone = if changed.is_empty() {
            Undone::default()
        } else {
            undone.into()
        };
        let begun = listed.watch.map(|watch| Begun::of::<Rules>(watched, watch));
        ((changed, undone), begun)
    }))
}

impl From<mirror::Undone> for Undone {
    fn from(undone: mirror::Undone) -> Self {
        let marks = |rules: Vec<FoundRule>| rules.into_iter().filter_map(|rule| rule.owner).collect();
        Self {
            older_rules: marks(undone.older),
            gone_rules: marks(undone.gone),
            ..Self::default()
        }
    }
}

/// Rules, as they are watched.
struct Rules;

impl Watchable for Rules {
    type Key = Arc<str>;
    type Item = FoundRule;
    type Value = FoundRule;
    type Mirrored = mirror::Rules;
    const PART: Part = Part::Rules;

    fn known(rule: FoundRule) -> (Arc<str>, FoundRule) {
        (rule.uid.as_str().into(), rule)
    }

    fn mirrored(held: &mut Held) -> &mut Self::Mirrored {
        &mut held.rules
    }

    fn look<'a>(grafana: &'a Grafana, uid: &'a Arc<str>) -> Answer<'a, Option<FoundRule>> {
        grafana.rules.get(uid)
    }

    fn changed(_: &Held, uids: Vec<Arc<str>>) -> Changed {
        Changed {
            rules: uids.iter().map(|uid| (**uid).to_owned()).collect(),
            ..Changed::default()
        }
    }

    fn undone(held: &Held, uid: &Arc<str>, now: Option<&FoundRule>) -> Undone {
        held.rules.undone_of(uid, now).into()
    }
}
