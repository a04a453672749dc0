//! Time intervals: `timeintervals` of `notifications.alerting.grafana.app`.

use std::sync::Arc;

use futures::FutureExt;

use crate::grafana::api::{Answer, Provenance, notifications};
use crate::grafana::model::{Found, TimeInterval};
use crate::grafana::platform::Kind;
use crate::grafana::platform::titled::{ByTitle, Titled};
use crate::grafana::transport::Transport;

/// A time interval is in its spec what it is elsewhere.
impl Titled for TimeInterval {
    const KIND: &'static str = "TimeInterval";
    const CALLS: [&'static str; 5] = [
        "time_intervals.list",
        "time_intervals.get",
        "time_intervals.create",
        "time_intervals.update",
        "time_intervals.delete",
    ];
}

/// The time intervals of an organisation, those of imported configurations among them.
pub(in crate::grafana) struct TimeIntervals(ByTitle<TimeInterval>);

impl TimeIntervals {
    /// Where these are, in the versions of [`Receivers`](crate::grafana::platform::Receivers): all of them are one document.
    pub(in crate::grafana) const KIND: (&'static str, &'static str) =
        ("notifications.alerting.grafana.app", "timeintervals");

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(ByTitle::new(transport, kind, namespace))
    }

    /// Which API this is.
    pub(in crate::grafana) fn kind(&self) -> &Kind {
        self.0.kind()
    }
}

impl notifications::TimeIntervals for TimeIntervals {
    fn list(&self) -> Answer<'_, Vec<Found<TimeInterval>>> {
        self.0.list().boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<TimeInterval>>> {
        self.0.get(name).boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a TimeInterval,
        found: Option<&'a Found<TimeInterval>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<TimeInterval>> {
        let found = found.map(|found| (found.object.name.as_str(), found.revision.as_ref()));
        self.0.put(wish.clone(), found, provenance).boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<TimeInterval>) -> Answer<'a, ()> {
        self.0.delete(&found.object.name, found.revision.as_ref()).boxed()
    }
}
