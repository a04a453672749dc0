//! Contact points, policy trees, time intervals and templates. They are one document in Grafana: all of them go through the newer API, or none.

mod contact_points;
mod inhibition_rules;
mod templates;
mod time_intervals;
mod trees;

use std::sync::Arc;

pub(super) use inhibition_rules::Inhibitions;

use super::newer::Newer;
use crate::grafana::error::Result;
use crate::grafana::model::Found;
use crate::grafana::platform::{Discovery, Kind, Need, Receivers, Templates, TimeIntervals, Trees};
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Transport;

/// The lists that show whether the newer API may be used.
const CONTACT_POINTS: &str = "contact points";
const TREES: &str = "trees";

/// All that is in the document.
pub(super) struct Notifications {
    older: Arc<Provisioning>,
    pub(super) newer: Newer<Document>,
}

/// The newer API of all of it.
pub(super) struct Document {
    contact_points: Receivers,
    trees: Trees,
    time_intervals: TimeIntervals,
    templates: Templates,
}

impl Document {
    /// Which kinds these are.
    pub(super) fn kinds(&self) -> [&Kind; 4] {
        let Self {
            contact_points,
            trees,
            time_intervals,
            templates,
        } = self;
        [
            contact_points.kind(),
            trees.kind(),
            time_intervals.kind(),
            templates.kind(),
        ]
    }
}

impl Notifications {
    pub(super) fn new(older: Arc<Provisioning>) -> Self {
        Self {
            older,
            newer: Newer::default(),
        }
    }

    /// Looks whether the newer API is there, where this version may have it or not.
    pub(super) async fn look(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        namespace: Option<&str>,
        is_expected: bool,
    ) -> Result<()> {
        let found = match namespace {
            Some(namespace) => find(transport, discovery, namespace).await?,
            None => None,
        };
        self.newer.found(found, is_expected, &[CONTACT_POINTS, TREES]);
        Ok(())
    }
}

async fn find(
    transport: &Arc<Transport>,
    discovery: &Discovery<'_>,
    namespace: &str,
) -> Result<Option<Document>> {
    let (group, receivers) = Receivers::KIND;
    let needs = [
        Need::to_write(receivers),
        Need::to_change(Trees::KIND.1),
        Need::to_write(TimeIntervals::KIND.1),
        Need::to_write(Templates::KIND.1),
    ];
    let found = discovery.find(group, needs, &Receivers::VERSIONS).await?;
    let namespace = || namespace.to_owned();
    Ok(
        found.map(|[receivers, trees, time_intervals, templates]| Document {
            contact_points: Receivers::new(transport.clone(), receivers, namespace()),
            trees: Trees::new(transport.clone(), trees, namespace()),
            time_intervals: TimeIntervals::new(transport.clone(), time_intervals, namespace()),
            templates: Templates::new(transport.clone(), templates, namespace()),
        }),
    )
}

/// What was found, for the older API: the newer one's word for its state means nothing there.
fn found_by_newer<T: Clone>(found: &Found<T>) -> Found<T> {
    Found {
        revision: None,
        ..found.clone()
    }
}
