//! What somebody has changed of a rule in Grafana, where that is only told of.

use super::{apply, folder, mirrored};
use crate::api::{AlertRule, AlertRuleStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::pass::Report;
use crate::domain::rule::{Wish, decision};
use crate::grafana::api::FoundRule;

impl AlertRule {
    /// What is told of a rule that somebody has changed in Grafana, where that isn't put right. Its folder may be gone, so it is looked at where it was.
    pub(super) async fn drifted(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
    ) -> Result<Option<Report<AlertRuleStatus>>, Failure> {
        let status = self.status.as_ref().filter(|_| instance.only_reports_drift(self));
        let Some(status) = status.filter(|status| status.uid.as_ref() == Some(&wish.rule.uid)) else {
            return Ok(None);
        };
        let place = folder::Place {
            uid: status.folder_uid.clone().unwrap_or_default(),
            title: status.folder.clone().unwrap_or_default(),
        };
        let mut wish = wish.clone();
        wish.rule.folder_uid.clone_from(&place.uid);
        let found = mirrored::find(instance, &wish.rule.uid).await?;
        let label = instance.owners.now().label(self.ns(), self.id());
        let drift = decision::drift(&wish.rule, found.as_ref(), &label, status.stored.as_deref());
        // One that is kept for somebody else's rule is nobody's change.
        let is_kept = drift == [decision::INTERVAL] && !are_siblings_ours(&wish, instance);
        if drift.is_empty() || is_kept {
            return Ok(None);
        }
        // What somebody has paused, or let go on, is in that state.
        wish.rule.is_paused ^= drift.iter().any(|field| field == "paused");
        let mut report = match found {
            Some(stored) => {
                let (kept, drift) = (None, None);
                self.report(
                    context,
                    instance,
                    wish,
                    &place,
                    apply::Applied { stored, kept, drift },
                )
            }
            // What is gone is in no state.
            None => Report::synced(
                AlertRuleStatus {
                    state: None,
                    state_since: None,
                    state_message: None,
                    ..status.clone()
                },
                "",
            ),
        };
        report.status.stored.clone_from(&status.stored);
        Ok(Some(report.drifted(drift)))
    }
}

/// Whether all rules of the group are this operator's.
fn are_siblings_ours(wish: &Wish, instance: &Instance) -> bool {
    let is_ours = |found: &FoundRule| {
        let mark = found.owner.as_deref();
        mark.is_some_and(|mark| instance.owners.resource(mark).is_some())
    };
    let group = wish.rule.group.as_deref().unwrap_or_default();
    instance.mirror.read(|held| {
        let mut all = held.rules.in_group(&wish.rule.folder_uid, group);
        all.all(is_ours)
    })
}
