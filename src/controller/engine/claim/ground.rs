//! What an instance says that claims depend on.

use std::sync::Arc;

use crate::api::GrafanaInstanceSpec;
use crate::cluster::namespace::AllLabels;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::tenancy::{self, Tenant};

/// What a GrafanaInstance says that claims depend on.
pub struct Ground {
    pub(super) place: Arc<str>,
    pub(super) owners: Owners,
    /// `None` while there is no such GrafanaInstance. Nothing is decided then, and all may claim.
    pub(super) spec: Option<GrafanaInstanceSpec>,
    /// The organisation that Grafana has told.
    organisation: Option<i64>,
}

impl Ground {
    /// Whether the instance allows a namespace something; all is allowed while there is none.
    pub(super) fn allows(
        &self,
        namespaces: &AllLabels,
        name: &str,
        what: fn(&GrafanaInstanceSpec, Tenant<'_>) -> bool,
    ) -> bool {
        let labels = namespaces.of(name);
        let labels = labels.as_ref();
        let spec = self.spec.as_ref();
        spec.is_none_or(|spec| what(spec, Tenant { name, labels }))
    }

    /// What an instance says, for an operator with this owner id, and the organisation that its Grafana has told.
    pub(super) fn new(
        owner: &Owner,
        instance: &str,
        spec: Option<&GrafanaInstanceSpec>,
        organisation: Option<i64>,
    ) -> Self {
        let place = spec.map_or_else(
            || format!("instance {instance}"),
            |spec| tenancy::place(instance, spec, organisation),
        );
        let former = spec.map_or(&[][..], |spec| &spec.previous_owner_ids);
        Self {
            place: place.into(),
            owners: Owners::new(owner.clone(), former),
            spec: spec.cloned(),
            organisation,
        }
    }

    /// The organisation that was told, where that holds by another specification too.
    pub(super) fn organisation_by(&self, instance: &str, next: &GrafanaInstanceSpec) -> Option<i64> {
        let by = |spec| tenancy::place(instance, spec, None);
        let is_there = self.spec.as_ref().is_some_and(|spec| by(spec) == by(next));
        self.organisation.filter(|_| is_there)
    }

    /// Whether this and another one are one Grafana and organisation; `None` while that isn't known.
    pub(super) fn is_one_with(&self, other: &Self) -> Option<bool> {
        if self.place == other.place {
            return Some(true);
        }
        let (Some(spec), Some(of_other)) = (&self.spec, &other.spec) else {
            return Some(false);
        };
        let may_be = tenancy::may_be_one((spec, self.organisation), (of_other, other.organisation));
        (!may_be).then_some(false)
    }

    pub(super) fn prefix(&self) -> &str {
        let prefix = self.spec.as_ref().and_then(|spec| spec.folder_prefix.as_deref());
        prefix.unwrap_or_default()
    }
}
