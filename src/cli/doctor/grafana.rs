//! What Grafanas say.

use super::super::common::connect::{Connected, Reached, ToGrafana};
use super::before::Addressed;
use super::facts::{Asked, Facts, Instance, Read};
use crate::cluster::answer::chain;
use crate::grafana::Error;

/// Asks each instance's Grafana, with its own Secret; somebody's own token goes to no other than the one that they name.
pub(super) async fn ask(facts: &mut Facts, to: &ToGrafana, connected: &Connected) -> Result<(), String> {
    let is_elsewhere = to.is_given();
    let is_own_token = to.has_own_token();
    let named = to.instance.clone();
    let Ok(instances) = &mut facts.instances else {
        return Ok(());
    };
    if is_elsewhere && !instances.iter().any(|instance| instance.name == to.instance()) {
        instances.push(Instance {
            name: to.instance().to_owned(),
            is_declared: false,
            url: String::new(),
            ready: None,
            written: None,
            default: None,
            grafana: None,
        });
    }
    let is_meant = |instance: &&mut Instance| named.as_ref().is_none_or(|name| instance.name == *name);
    for instance in instances.iter_mut().filter(is_meant) {
        let is_named = instance.name == to.instance();
        let other = ToGrafana::to_other(&instance.name);
        let to = match is_named {
            true => to,
            false if is_own_token || is_elsewhere => continue,
            false => &other,
        };
        instance.grafana = Some(match to.reach(Some(connected), None).await {
            Ok(reached) => {
                instance.url.clone_from(&reached.spec.url);
                asked(&reached, is_own_token).await
            }
            Err(why) => Err(why),
        });
    }
    Ok(())
}

async fn asked(reached: &Reached, is_own_token: bool) -> Read<Asked> {
    let server = &reached.grafana.server;
    let said = |error: Error| reached.whose.why(&error);
    let settings = server.settings().await.map_err(said)?;
    Ok(Asked {
        version: settings.version,
        toggles: settings.toggles,
        min_interval: settings.min_interval,
        permissions: server.permissions().await.map_err(said),
        sources: server.data_sources().await.map_err(said),
        is_own_token,
    })
}

/// The Grafana of `GRAFANA_URL`, before there is an instance; `None` where no address is given.
pub(super) async fn addressed(to: &ToGrafana) -> Result<Option<Addressed>, String> {
    if !to.is_given() {
        return Ok(None);
    }
    if !to.has_own_token() {
        let reached = to.unauthenticated()?;
        let health = reached.server.health().await.map_err(|e| chain(&e));
        return Ok(Some(Addressed::Seen(health.map(|health| health.version))));
    }
    let reached = to.reach(None, None).await?;
    // Then nothing is wrong with the address.
    if let Err(error @ Error::Status { status: 401, .. }) = reached.grafana.server.settings().await {
        return Ok(Some(Addressed::Refused(reached.whose.why(&error))));
    }
    Ok(Some(Addressed::Asked(asked(&reached, true).await)))
}
