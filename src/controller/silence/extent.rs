//! How much a silence covers.

use crate::api::{Silence, SilenceStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::domain::maintenance::generated::LABEL_WORKLOAD;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::silence::{Selection, Wish, extent};
use kube::ResourceExt;

impl Silence {
    /// Fails if it would cover more rules than its instance allows for one silence.
    pub(super) fn check_extent(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        selection: &Selection,
    ) -> Result<(), Refusal> {
        let Some(most) = instance.spec.max_rules_per_silence else {
            return Ok(());
        };
        let most = usize::try_from(most).unwrap_or_default();
        let is_everywhere = *selection == Selection::Matchers && instance.is_unrestricted(self.ns());
        let reached = match selection {
            Selection::Rules(names) => names.clone(),
            Selection::Namespace | Selection::Matchers => {
                let place = if is_everywhere {
                    By::Instance(instance.name.clone())
                } else {
                    By::Rules {
                        instance: instance.name.clone(),
                        namespace: self.ns().to_owned(),
                    }
                };
                let rules = &context.stores.rules;
                if rules.count(&place) <= most {
                    return Ok(());
                }
                let rules = rules.by(&place);
                let named = rules.iter().map(|rule| {
                    let name = if is_everywhere {
                        format!("{}/{}", rule.ns(), rule.id())
                    } else {
                        rule.id().to_owned()
                    };
                    (
                        name,
                        extent::labels(
                            &rule.spec,
                            rule::title(&rule.spec, rule.id()),
                            &instance.spec.labels,
                        ),
                    )
                });
                extent::reached(&wish.matchers, named)
            }
        };
        extent::check(most, reached, &instance.name)
    }

    pub(super) fn count_rules(&self, context: &Context, instance: &Instance, selection: &Selection) -> usize {
        match selection {
            Selection::Rules(names) => names.len(),
            Selection::Namespace | Selection::Matchers => context.stores.rules.count(&By::Rules {
                instance: instance.name.clone(),
                namespace: self.ns().to_owned(),
            }),
        }
    }

    /// That a silence which somebody has written covers nothing, as counted when it was written or became active.
    pub(super) fn nothing_covered(&self, status: &SilenceStatus, selection: &Selection) -> Option<String> {
        if self.labels().contains_key(LABEL_WORKLOAD) {
            return None;
        }
        match selection {
            Selection::Namespace if status.matches_rules == Some(0) => {
                Some("there is no AlertRule in this namespace, so nothing is silenced".to_owned())
            }
            Selection::Matchers if status.matches_alerts == Some(0) => Some(
                "spec.matchers: no alert had these labels when it was counted; if one is there that is meant, compare them with its labels in Grafana"
                    .to_owned(),
            ),
            Selection::Namespace | Selection::Matchers | Selection::Rules(_) => None,
        }
    }
}
