//! Contact points, policy trees, time intervals and templates, by what is intended. They are one document in Grafana: of concurrent writes all
//! but one end in `Conflict`.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::watch::Listed;
use super::{Answer, Provenance};
use crate::grafana::Error;
use crate::grafana::model::{
    ContactPoint, Found, InhibitionRule, Revision, Route, Template, TimeInterval, TreeName,
};

/// Contact points, each whole.
pub trait ContactPoints: Send + Sync {
    /// Every contact point.
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>>;
    /// One contact point.
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>>;
    /// Makes a contact point what is wished: what `write` names is sent, and then goes what was found and is neither wished nor kept, so that it
    /// never is empty in between. Where an API has no states, what is new joins a contact point that has come to be since.
    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent>;
    /// Takes integrations out of a contact point, and removes it with the last of them. Those that are gone meanwhile are no error.
    fn remove<'a>(&'a self, found: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent>;
}

/// What one write of a contact point is to do.
#[derive(Debug, Clone, Copy)]
pub struct ContactPointWrite<'a> {
    /// What is wished, with its secrets.
    pub wish: &'a ContactPoint,
    /// What Grafana holds in its place right now.
    pub found: Option<&'a Found<ContactPoint>>,
    /// The uids of those that differ, or whose secrets are to be sent. An API that writes contact points whole sends them all.
    pub changed: &'a [String],
    /// The uids of those that were found, aren't wished, and stay as they are.
    pub kept: &'a [String],
    /// Who is to have provisioned it.
    pub provenance: Provenance,
}

/// How far a write of a contact point came, which may be part of the way.
#[derive(Debug, Default)]
pub struct Sent {
    /// The uids of the integrations that Grafana has as they were sent.
    pub sent: Vec<String>,
    /// The uids of those that are gone.
    pub gone: Vec<String>,
    /// In which state the contact point is now, where the API has a word for that.
    pub revision: Option<Revision>,
    /// Why it came no further.
    pub failure: Option<Error>,
}

impl Sent {
    /// Whether Grafana holds what it held before.
    pub fn changed_nothing(&self) -> bool {
        let failed_so = |error: &Error| error.changed_nothing();
        self.sent.is_empty() && self.gone.is_empty() && self.failure.as_ref().is_some_and(failed_so)
    }
}

/// Policy trees.
pub trait Trees: Send + Sync {
    /// Whether trees are known by their names: the provisioning API has the default one alone, and what it shows says nothing of others.
    fn knows_names(&self) -> bool;
    /// Every tree, by its name.
    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>>;
    /// One tree; `None` also while the organisation is so new that it has none.
    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>>;
    /// All that a tree that was found says, to be kept and put back one day: its older matchers as they were written, where an API shows them
    /// otherwise than it takes them.
    fn whole<'a>(&'a self, name: &'a TreeName, found: &'a Found<Route>) -> Answer<'a, Route> {
        let _ = name;
        async move { Ok(found.object.clone()) }.boxed()
    }
    /// Replaces a tree in the state that was found. `Conflict` if it is in another one meanwhile, where the API can tell.
    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        found: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>>;
    /// Removes a tree in the state that was found. In the place of the default one comes Grafana's own. `Conflict` if it is in another state
    /// meanwhile, where the API can tell.
    fn remove<'a>(&'a self, name: &'a TreeName, found: Option<&'a Revision>) -> Answer<'a, ()>;
}

/// Time intervals.
pub trait TimeIntervals: Send + Sync {
    /// Every time interval. Of who provisioned one, Grafana 10.0 says nothing.
    fn list(&self) -> Answer<'_, Vec<Found<TimeInterval>>>;
    /// One time interval.
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<TimeInterval>>>;
    /// Creates a time interval, or makes the one that was found what is wished, also under another name; gives it as Grafana has stored it.
    /// What refers to one that gets another name is changed with it from Grafana 11.3 on; before, the one of the old name can't go while it is
    /// in use. `Missing` if what was found is gone. `Conflict` if there is one of this name that wasn't found, and if what was found is in another
    /// state by now, where the API can tell.
    fn put<'a>(
        &'a self,
        wish: &'a TimeInterval,
        found: Option<&'a Found<TimeInterval>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<TimeInterval>>;
    /// Deletes a time interval in the state that was found; one that is gone meanwhile is no error. One that policies or rules name is in use.
    fn delete<'a>(&'a self, found: &'a Found<TimeInterval>) -> Answer<'a, ()>;
}

/// Notification templates.
pub trait Templates: Send + Sync {
    /// Every template file that people have made. Of who provisioned one, Grafana 10.0 says nothing.
    fn list(&self) -> Answer<'_, Vec<Found<Template>>>;
    /// One template file.
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<Template>>>;
    /// Creates a template file, or makes the one that was found what is wished, also under another name; gives it as Grafana has stored it.
    /// `Missing` if what was found is gone, and `Conflict` if it is in another state by now, or if there is one of this name that wasn't found,
    /// where the API can tell: the provisioning API can't tell the last.
    fn put<'a>(
        &'a self,
        wish: &'a Template,
        found: Option<&'a Found<Template>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<Template>>;
    /// Deletes a template file in the state that was found; one that is gone meanwhile is no error.
    fn delete<'a>(&'a self, found: &'a Found<Template>) -> Answer<'a, ()>;
}

/// Inhibition rules. The provisioning API has none.
pub trait InhibitionRules: Send + Sync {
    /// Whether this Grafana serves them.
    fn is_served(&self) -> bool;
    /// Every inhibition rule, those of imported configurations among them; none where they aren't served.
    fn list(&self) -> Answer<'_, Vec<Found<InhibitionRule>>>;
    /// One inhibition rule.
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<InhibitionRule>>>;
    /// Creates an inhibition rule, or makes the one of this name that was found what is wished; gives it as Grafana has stored it. `Missing` if what
    /// was found is gone, and `Conflict` if it is in another state by now.
    fn put<'a>(
        &'a self,
        wish: &'a InhibitionRule,
        found: Option<&'a Found<InhibitionRule>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<InhibitionRule>>;
    /// Deletes an inhibition rule in the state that was found; one that is gone meanwhile is no error.
    fn delete<'a>(&'a self, found: &'a Found<InhibitionRule>) -> Answer<'a, ()>;
}
