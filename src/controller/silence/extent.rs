//! How much a silence covers.

use std::collections::HashSet;

use crate::api::{Silence, SilenceStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::domain::maintenance::generated::LABEL_WORKLOAD;
use crate::domain::refusal::Refusal;
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
        if self.candidates_of(context, instance, selection) <= most {
            return Ok(());
        }
        let reached = self.reached(context, instance, wish, selection);
        extent::check(most, reached, &instance.name)
    }

    /// How many rules it covers: those that it selects, and whose own labels contradict no matcher.
    pub(super) fn count_rules(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        selection: &Selection,
    ) -> usize {
        if self.spec.matchers.is_empty() {
            return self.candidates_of(context, instance, selection);
        }
        self.reached(context, instance, wish, selection).len()
    }

    fn is_everywhere(&self, instance: &Instance, selection: &Selection) -> bool {
        *selection == Selection::Matchers && instance.is_unrestricted(self.ns())
    }

    /// Where the rules are that it may cover.
    fn place(&self, instance: &Instance, selection: &Selection) -> By {
        if self.is_everywhere(instance, selection) {
            return By::Instance(instance.name.clone());
        }
        By::Rules {
            instance: instance.name.clone(),
            namespace: self.ns().to_owned(),
        }
    }

    /// How many rules it selects, whatever its matchers say.
    fn candidates_of(&self, context: &Context, instance: &Instance, selection: &Selection) -> usize {
        match selection {
            Selection::Rules(names) => {
                let rules = self.candidates(context, instance);
                let names: HashSet<&str> = names.iter().map(String::as_str).collect();
                let alerting = rules.iter().filter(|rule| rule.spec.record.is_none());
                alerting.filter(|rule| names.contains(rule.id())).count()
            }
            Selection::Namespace | Selection::Matchers => {
                context.stores.rules.count(&self.place(instance, selection))
            }
        }
    }

    /// The rules that it may cover, by name.
    fn reached(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        selection: &Selection,
    ) -> Vec<String> {
        let is_everywhere = self.is_everywhere(instance, selection);
        let rules = match selection {
            Selection::Rules(_) => self.candidates(context, instance),
            Selection::Namespace | Selection::Matchers => {
                context.stores.rules.by(&self.place(instance, selection))
            }
        };
        let candidates = rules.iter().map(|rule| extent::Candidate {
            called: if is_everywhere {
                format!("{}/{}", rule.ns(), rule.id())
            } else {
                rule.id().to_owned()
            },
            name: rule.id(),
            spec: &rule.spec,
        });
        extent::covered(wish, selection, candidates, &instance.spec.labels)
    }

    /// That it is stored, and that its matchers reach no alerts but the namespace's own where they don't.
    pub(super) fn stored_as(&self, instance: &Instance, selection: &Selection) -> String {
        let stored = "stored in Grafana".to_owned();
        match selection {
            Selection::Matchers if !instance.is_unrestricted(self.ns()) => {
                format!(
                    "{stored}; it covers alerts of the AlertRules of namespace {} alone",
                    self.ns()
                )
            }
            _ => stored,
        }
    }

    /// That a silence which somebody has written covers nothing, as counted when it was written or became active.
    pub(super) fn nothing_covered(
        &self,
        context: &Context,
        instance: &Instance,
        status: &SilenceStatus,
        selection: &Selection,
    ) -> Option<String> {
        if self.labels().contains_key(LABEL_WORKLOAD) {
            return None;
        }
        let reaches_none = status.matches_rules == Some(0);
        match selection {
            Selection::Namespace | Selection::Rules(_)
                if reaches_none && self.candidates_of(context, instance, selection) > 0 =>
            {
                // Without matchers they are covered: they came after it was counted.
                if self.spec.matchers.is_empty() {
                    return None;
                }
                Some(
                    "spec.matchers: the AlertRules that are selected give their alerts other labels, so nothing is silenced; compare them with the rules' labels"
                        .to_owned(),
                )
            }
            Selection::Namespace if reaches_none => {
                Some("there is no AlertRule in this namespace that has alerts, so nothing is silenced".to_owned())
            }
            Selection::Matchers if status.matches_alerts == Some(0) => Some(
                "spec.matchers: no alert had these labels when it was counted; if one is there that is meant, compare them with its labels in Grafana"
                    .to_owned(),
            ),
            Selection::Namespace | Selection::Matchers | Selection::Rules(_) => None,
        }
    }
}
