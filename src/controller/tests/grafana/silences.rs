//! Its silences.

use std::collections::BTreeMap;

use super::Double;
use crate::grafana::api::{Answer, Silences};
use crate::grafana::wire::{Silence, SilenceState, SilenceStatus};

impl Silences for Double {
    fn list(&self) -> Answer<'_, Vec<Silence>> {
        self.call("silences.list", |held| Ok(held.silences.clone()))
    }
    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>> {
        let id = id.to_owned();
        self.call("silences.get", move |held| {
            Ok(held.silences.iter().find(|s| s.id.as_ref() == Some(&id)).cloned())
        })
    }
    fn put<'a>(&'a self, silence: &'a Silence) -> Answer<'a, String> {
        let mut silence = silence.clone();
        self.call("silences.put", move |held| {
            let number = held.silences.len();
            let id = silence.id.get_or_insert_with(|| format!("s{number}")).clone();
            silence.status = Some(SilenceStatus {
                state: SilenceState::Active,
            });
            held.silences.retain(|s| s.id.as_ref() != Some(&id));
            held.silences.push(silence);
            Ok(id)
        })
    }
    fn expire<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        let id = id.to_owned();
        self.call("silences.expire", move |held| {
            held.silences.retain(|s| s.id.as_ref() != Some(&id));
            Ok(())
        })
    }
    fn alerts<'a>(&'a self, _: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>> {
        self.call("silences.alerts", |held| Ok(held.alerts.clone()))
    }
}
