//! Reading a Grafana.

use std::collections::BTreeSet;

use crate::domain::export::Holdings;
use crate::domain::export::resource::Kind;
use crate::domain::version::Version;
use crate::grafana::{Class, Grafana, Result};

/// Reads what is needed for these kinds, and says what the credentials may not read.
pub(super) async fn all(
    grafana: &Grafana,
    kinds: &BTreeSet<Kind>,
) -> std::result::Result<(Holdings, Vec<String>), String> {
    let settings = grafana.server.settings().await.map_err(|e| e.to_string())?;
    grafana.apis.choose(&settings).await.map_err(|e| e.to_string())?;
    let mut unread = Vec::new();
    let mut held = Holdings {
        version: settings.version.as_deref().and_then(Version::parse),
        toggles: settings.toggles,
        min_interval: settings.min_interval,
        ..Holdings::default()
    };
    let mut take = Unread(&mut unread);
    if kinds.contains(&Kind::AlertRule) {
        held.rules = take.or_none("rules", rules(grafana, &settings).await)?;
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
async fn rules(
    grafana: &Grafana,
    settings: &crate::grafana::wire::Settings,
) -> Result<Vec<crate::grafana::model::AlertRule>> {
    match grafana.rules.whole().await {
        Err(gone) if gone.class() == Class::Missing => {
            grafana.apis.choose(settings).await?;
            grafana.rules.whole().await
        }
        answer => answer,
    }
}

/// What may not be read.
struct Unread<'a>(&'a mut Vec<String>);

impl Unread<'_> {
    fn or_none<T>(&mut self, what: &str, answer: Result<Vec<T>>) -> std::result::Result<Vec<T>, String> {
        match answer {
            Ok(all) => Ok(all),
            Err(error) if error.class() == Class::Forbidden => {
                self.0.push(format!("{what} may not be read: {error}"));
                Ok(Vec::new())
            }
            Err(error) => Err(format!("cannot read {what}: {error}")),
        }
    }
}
