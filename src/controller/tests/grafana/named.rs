//! Its time intervals, templates and inhibition rules.

use std::collections::BTreeMap;

use super::{Double, Held};
use crate::grafana::api::notifications::{InhibitionRules, Templates, TimeIntervals};
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::model::{Found, InhibitionRule, Template, TimeInterval};

impl Double {
    /// Stores an object under its name, in the place of what was found.
    fn store<'a, T: Clone + Send + 'static>(
        &'a self,
        operation: &'static str,
        all: fn(&mut Held) -> &mut BTreeMap<String, Found<T>>,
        (name, wish): (&str, &T),
        found: Option<&str>,
        provenance: Provenance,
    ) -> Answer<'a, Found<T>> {
        let (name, found) = (name.to_owned(), found.map(str::to_owned));
        let stored = Found {
            object: wish.clone(),
            provenance: provenance.name().map(str::to_owned),
            revision: None,
        };
        self.call(operation, move |held| {
            if let Some(found) = found {
                all(held).remove(&found);
            }
            all(held).insert(name, stored.clone());
            Ok(stored)
        })
    }
}

impl TimeIntervals for Double {
    fn list(&self) -> Answer<'_, Vec<Found<TimeInterval>>> {
        self.call("time_intervals.list", |held| {
            Ok(held.time_intervals.values().cloned().collect())
        })
    }
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<TimeInterval>>> {
        let name = name.to_owned();
        self.call("time_intervals.get", move |held| {
            Ok(held.time_intervals.get(&name).cloned())
        })
    }
    fn put<'a>(
        &'a self,
        wish: &'a TimeInterval,
        found: Option<&'a Found<TimeInterval>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<TimeInterval>> {
        let found = found.map(|found| found.object.name.as_str());
        self.store(
            "time_intervals.put",
            |held| &mut held.time_intervals,
            (&wish.name, wish),
            found,
            provenance,
        )
    }
    fn delete<'a>(&'a self, found: &'a Found<TimeInterval>) -> Answer<'a, ()> {
        let name = found.object.name.clone();
        self.call("time_intervals.delete", move |held| {
            held.time_intervals.remove(&name);
            Ok(())
        })
    }
}

impl Templates for Double {
    fn list(&self) -> Answer<'_, Vec<Found<Template>>> {
        self.call("templates.list", |held| {
            Ok(held.templates.values().cloned().collect())
        })
    }
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<Template>>> {
        let name = name.to_owned();
        self.call("templates.get", move |held| {
            Ok(held.templates.get(&name).cloned())
        })
    }
    fn put<'a>(
        &'a self,
        wish: &'a Template,
        found: Option<&'a Found<Template>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<Template>> {
        let found = found.map(|found| found.object.name.as_str());
        self.store(
            "templates.put",
            |held| &mut held.templates,
            (&wish.name, wish),
            found,
            provenance,
        )
    }
    fn delete<'a>(&'a self, found: &'a Found<Template>) -> Answer<'a, ()> {
        let name = found.object.name.clone();
        self.call("templates.delete", move |held| {
            held.templates.remove(&name);
            Ok(())
        })
    }
}

impl InhibitionRules for Double {
    fn is_served(&self) -> bool {
        self.hold(|held| !held.unserved.contains("inhibitionrules"))
    }
    fn list(&self) -> Answer<'_, Vec<Found<InhibitionRule>>> {
        self.call("inhibition_rules.list", |held| {
            Ok(held.inhibition_rules.values().cloned().collect())
        })
    }
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<InhibitionRule>>> {
        let name = name.to_owned();
        self.call("inhibition_rules.get", move |held| {
            Ok(held.inhibition_rules.get(&name).cloned())
        })
    }
    fn put<'a>(
        &'a self,
        wish: &'a InhibitionRule,
        found: Option<&'a Found<InhibitionRule>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<InhibitionRule>> {
        let found = found.map(|found| found.object.name.as_str());
        self.store(
            "inhibition_rules.put",
            |held| &mut held.inhibition_rules,
            (&wish.name, wish),
            found,
            provenance,
        )
    }
    fn delete<'a>(&'a self, found: &'a Found<InhibitionRule>) -> Answer<'a, ()> {
        let name = found.object.name.clone();
        self.call("inhibition_rules.delete", move |held| {
            held.inhibition_rules.remove(&name);
            Ok(())
        })
    }
}
