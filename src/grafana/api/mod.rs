//! What the rest of the program may ask of Grafana: one trait per concern, whatever API is behind it.

pub mod apis;
mod deliveries;
#[cfg(feature = "cli")]
pub mod history;
pub mod notifications;
#[cfg(feature = "cli")]
mod queries;
#[cfg(feature = "cli")]
pub mod rehearsed;
pub mod rules;
mod states;
mod terms;
#[cfg(feature = "cli")]
pub mod testing;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::grafana::wire::{DataSource, Deprecation, Folder, Health, Settings, Silence};

use notifications::{ContactPoints, InhibitionRules, Templates, TimeIntervals, Trees};
use watch::Listed;

pub use apis::{Api, Apis, Capabilities, Change, Concern, Fallback, Preference, Why};
pub use deliveries::{Deliveries, Delivery};
#[cfg(feature = "cli")]
pub use queries::{Queries, Would};
pub use rules::{FoundRule, KeptInterval, RuleWrite, Rules, Stored, Updated};
pub use states::{AlertState, RuleState, RuleStates, StatesPage, Window};
pub use terms::{Answer, DEFAULT_INTERVAL, OWNER_LABEL, Provenance, TREE_LABEL};

/// A client of one Grafana and organisation.
#[derive(Clone)]
pub struct Grafana {
    /// Alert rules.
    pub rules: Arc<dyn Rules>,
    /// How rules do.
    pub states: Arc<dyn RuleStates>,
    /// Folders.
    pub folders: Arc<dyn Folders>,
    /// Contact points.
    pub contact_points: Arc<dyn ContactPoints>,
    /// Policy trees.
    pub trees: Arc<dyn Trees>,
    /// Time intervals.
    pub time_intervals: Arc<dyn TimeIntervals>,
    /// Notification templates.
    pub templates: Arc<dyn Templates>,
    /// Inhibition rules.
    pub inhibition_rules: Arc<dyn InhibitionRules>,
    /// How notifications were delivered.
    pub deliveries: Arc<dyn Deliveries>,
    /// What data sources say.
    #[cfg(feature = "cli")]
    pub queries: Arc<dyn Queries>,
    /// Tests of contact points.
    #[cfg(feature = "cli")]
    pub testing: Arc<dyn testing::Testing>,
    /// The history of states.
    #[cfg(feature = "cli")]
    pub history: Arc<dyn history::History>,
    /// Silences.
    pub silences: Arc<dyn Silences>,
    /// Grafana itself.
    pub server: Arc<dyn Server>,
    /// Which API each concern goes through.
    pub apis: Arc<dyn Apis>,
}

/// Folders.
pub trait Folders: Send + Sync {
    /// Every folder, at any depth.
    fn list(&self) -> Answer<'_, Listed<Folder>>;
    /// One folder.
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>>;
    /// Creates a folder. `Conflict` if the uid, or the title within the parent, is taken.
    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder>;
    /// How many things of any kind lie in a folder, at any depth; `None` without the folder.
    fn content<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<u64>>;
    /// Deletes a folder; one that is not there is no error. `Rejected` if rules lie in it.
    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()>;
}

/// Silences.
pub trait Silences: Send + Sync {
    /// Every silence, with those that expired in the last days.
    fn list(&self) -> Answer<'_, Vec<Silence>>;
    /// One silence.
    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>>;
    /// Creates a silence, or updates the one whose id it has, and returns the id it now has. `Missing` if there is no such id.
    fn put<'a>(&'a self, silence: &'a Silence) -> Answer<'a, String>;
    /// Ends a silence; one that is not there is no error.
    fn expire<'a>(&'a self, id: &'a str) -> Answer<'a, ()>;
    /// The labels of the firing alerts that match all of these filters, such as `severity="high"`.
    fn alerts<'a>(&'a self, filters: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>>;
}

/// Grafana itself.
pub trait Server: Send + Sync {
    /// How long it still wants to be left alone; until then every call fails unsent. `None` if it doesn't.
    fn pause(&self) -> Option<Duration>;
    /// What it has said that it will take away, by the operations that used it.
    fn deprecated(&self) -> BTreeMap<&'static str, Deprecation>;
    /// Whether it is there; needs no log in.
    fn health(&self) -> Answer<'_, Health>;
    /// Version and limits.
    fn settings(&self) -> Answer<'_, Settings>;
    /// The number of the organisation that the credentials are for.
    fn organisation(&self) -> Answer<'_, i64>;
    /// Every data source.
    fn data_sources(&self) -> Answer<'_, Vec<DataSource>>;
    /// What the credentials allow: the scopes of each action.
    #[cfg(feature = "cli")]
    fn permissions(&self) -> Answer<'_, BTreeMap<String, Vec<String>>>;
}
