//! Reading a Grafana.

use std::collections::BTreeSet;

use super::super::common::connect::{Reached, Whose};
use crate::domain::export::Holdings;
use crate::domain::export::resource::Kind;
use crate::domain::version::Version;
use crate::grafana::model::AlertRule;
use crate::grafana::{Class, Grafana, Result};

/// Reads what is needed for these kinds, and says what the credentials may not read.
pub(super) async fn all(
    reached: &Reached,
    kinds: &BTreeSet<Kind>,
) -> std::result::Result<(Holdings, Vec<String>), String> {
    let (grafana, whose) = (&reached.grafana, &reached.whose);
    let settings = grafana.server.settings().await.map_err(|e| whose.why(&e))?;
    grafana.apis.choose(&settings).await.map_err(|e| whose.why(&e))?;
    let mut unread = Vec::new();
    let mut held = Holdings {
        version: settings.version.as_deref().and_then(Version::parse),
        toggles: settings.toggles,
        min_interval: settings.min_interval,
        ..Holdings::default()
    };
    let mut take = Unread {
        all: &mut unread,
        whose,
    };
    if kinds.contains(&Kind::AlertRule) {
        held.rules = take.or_none("rules", rules(grafana, &settings).await)?;
        let astray = astray(grafana, &held.rules).await;
        held.astray = astray.map_err(|e| format!("cannot read rules: {}", whose.why(&e)))?;
        let folders = grafana.folders.list().await.map(|listed| listed.items);
        held.folders = take.or_none("folders", folders)?;
        held.sources = take.or_none("data sources", grafana.server.data_sources().await)?;
    }
    if kinds.contains(&Kind::ContactPoint) {
        let all = grafana.contact_points.list().await.map(|listed| listed.items);
        held.contact_points = take.or_none("contact points", all)?;
    }
    if kinds.contains(&Kind::NotificationPolicy) {
        let all = grafana.trees.list().await.map(|listed| listed.items);
        held.trees = take.or_none("policy trees", all)?;
    }
    if kinds.contains(&Kind::TimeInterval) {
        held.time_intervals = take.or_none("time intervals", grafana.time_intervals.list().await)?;
    }
    if kinds.contains(&Kind::NotificationTemplate) {
        held.templates = take.or_none("templates", grafana.templates.list().await)?;
    }
    if kinds.contains(&Kind::InhibitionRule) {
        held.inhibition_rules = take.or_none("inhibition rules", grafana.inhibition_rules.list().await)?;
    }
    if kinds.contains(&Kind::Silence) {
        held.silences = take.or_none("silences", grafana.silences.list().await)?;
    }
    Ok((held, unread))
}

/// All rules; through the newer API where the older one isn't there any more, which shows only when it is asked.
async fn rules(grafana: &Grafana, settings: &crate::grafana::wire::Settings) -> Result<Vec<AlertRule>> {
    match grafana.rules.whole().await {
        Err(gone) if gone.class() == Class::Missing => {
            grafana.apis.choose(settings).await?;
            grafana.rules.whole().await
        }
        answer => answer,
    }
}

/// The names of the rules that aren't among these, which are all that can be read: their folder is gone, or may not be seen. None where that can't be told.
pub(in super::super) async fn astray(grafana: &Grafana, read: &[AlertRule]) -> Result<Vec<AlertRule>> {
    let mut all = match grafana.rules.named().await {
        Err(error) if matches!(error.class(), Class::Forbidden | Class::Missing) => Vec::new(),
        answer => answer?,
    };
    let known: BTreeSet<&str> = read.iter().map(|rule| rule.uid.as_str()).collect();
    all.retain(|rule| !known.contains(rule.uid.as_str()));
    Ok(all)
}

/// What may not be read.
struct Unread<'a> {
    all: &'a mut Vec<String>,
    whose: &'a Whose,
}

impl Unread<'_> {
    fn or_none<T>(&mut self, what: &str, answer: Result<Vec<T>>) -> std::result::Result<Vec<T>, String> {
        match answer {
            Ok(all) => Ok(all),
            Err(error) if error.class() == Class::Forbidden => {
                let why = self.whose.why(&error);
                self.all.push(format!("{what} may not be read: {why}"));
                Ok(Vec::new())
            }
            Err(error) => Err(format!("cannot read {what}: {}", self.whose.why(&error))),
        }
    }
}
