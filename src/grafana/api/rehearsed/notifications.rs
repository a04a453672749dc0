//! Contact points, policy trees, time intervals, templates and inhibition rules.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Concern, Stage};
use crate::grafana::api::notifications::{
    ContactPointWrite, ContactPoints, InhibitionRules, Sent, Templates, TimeIntervals, Trees,
};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::model::{
    ContactPoint, Found, InhibitionRule, Integration, Revision, Route, Template, TimeInterval, TreeName,
};

fn found<T>(object: T, provenance: Provenance) -> Found<T> {
    Found {
        object,
        provenance: provenance.name().map(str::to_owned),
        revision: None,
    }
}

impl ContactPoints for Stage {
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>> {
        async move {
            let all = self.real.contact_points.list().await?.items;
            let key = |point: &Found<ContactPoint>| point.object.name.clone();
            Ok(self.notes.note(|held| held.contact_points.list(all, key)).into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>> {
        async move {
            if let Some(written) = self.notes.note(|held| held.contact_points.written(name).cloned()) {
                return Ok(written);
            }
            let found = self.real.contact_points.get(name).await?;
            self.notes
                .note(|held| held.contact_points.seen(name, found.as_ref()));
            Ok(found)
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent> {
        let before = write.found.map_or(&[][..], |found| &found.object.integrations);
        let mine = write.wish.integrations.iter().map(|wish| Integration {
            provenance: write.provenance.name().map(str::to_owned),
            ..wish.clone()
        });
        let kept = before.iter().filter(|other| write.kept.contains(&other.uid));
        let integrations: Vec<_> = mine.chain(kept.cloned()).collect();
        let stays = |uid: &String| integrations.iter().any(|integration| integration.uid == *uid);
        let sent = Sent {
            sent: write.changed.to_vec(),
            gone: before
                .iter()
                .map(|other| other.uid.clone())
                .filter(|uid| !stays(uid))
                .collect(),
            revision: write.found.and_then(|found| found.revision.clone()),
            failure: None,
        };
        let name = write.wish.name.clone();
        let after = ContactPoint {
            name: name.clone(),
            integrations,
        };
        self.notes.note(|held| {
            held.contact_points
                .write(&name, Some(found(after, write.provenance)));
            held.touched.push((Concern::ContactPoint, name));
        });
        async { sent }.boxed()
    }

    fn remove<'a>(&'a self, found: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent> {
        let mut left = found.clone();
        left.object.integrations.retain(|one| !uids.contains(&one.uid));
        let name = found.object.name.clone();
        self.notes.note(|held| {
            let left = Some(left).filter(|left| !left.object.integrations.is_empty());
            held.contact_points.write(&name, left);
            held.touched.push((Concern::ContactPoint, name));
        });
        async {
            Sent {
                gone: uids.to_vec(),
                ..Sent::default()
            }
        }
        .boxed()
    }
}

impl Trees for Stage {
    fn knows_names(&self) -> bool {
        self.real.trees.knows_names()
    }

    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        async move {
            let all = self.real.trees.list().await?.items;
            self.notes.note(|held| {
                for (name, tree) in &all {
                    held.trees.seen(&name.0, Some(tree));
                }
            });
            Ok(all.into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        async move {
            if let Some(written) = self.notes.note(|held| held.trees.written(&name.0).cloned()) {
                return Ok(written);
            }
            let found = self.real.trees.get(name).await?;
            self.notes.note(|held| held.trees.seen(&name.0, found.as_ref()));
            Ok(found)
        }
        .boxed()
    }

    fn whole<'a>(&'a self, name: &'a TreeName, found: &'a Found<Route>) -> Answer<'a, Route> {
        self.real.trees.whole(name, found)
    }

    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        _: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        self.notes.note(|held| {
            held.trees.write(&name.0, Some(found(root.clone(), provenance)));
            held.touched.push((Concern::Tree, name.0.clone()));
        });
        async { Ok(None) }.boxed()
    }

    fn remove<'a>(&'a self, name: &'a TreeName, _: Option<&'a Revision>) -> Answer<'a, ()> {
        self.notes.note(|held| {
            held.trees.write(&name.0, None);
            held.touched.push((Concern::Tree, name.0.clone()));
        });
        async { Ok(()) }.boxed()
    }
}

/// What three kinds have in common that are found by their names.
macro_rules! named {
    ($object:ident, $concern:ident, $field:ident) => {
        fn list(&self) -> Answer<'_, Vec<Found<$object>>> {
            async move {
                let all = self.real.$field.list().await?;
                let key = |one: &Found<$object>| one.object.name.clone();
                Ok(self.notes.note(|held| held.$field.list(all, key)))
            }
            .boxed()
        }

        fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<$object>>> {
            async move {
                if let Some(written) = self.notes.note(|held| held.$field.written(name).cloned()) {
                    return Ok(written);
                }
                let found = self.real.$field.get(name).await?;
                self.notes
                    .note(|held| held.$field.seen(name, found.as_ref()));
                Ok(found)
            }
            .boxed()
        }

        fn put<'a>(
            &'a self,
            wish: &'a $object,
            before: Option<&'a Found<$object>>,
            provenance: Provenance,
        ) -> Answer<'a, Found<$object>> {
            let now = found(wish.clone(), provenance);
            self.notes.note(|held| {
                if let Some(before) = before.filter(|before| before.object.name != wish.name) {
                    held.$field.rename(&before.object.name, &wish.name);
                }
                held.$field.write(&wish.name, Some(now.clone()));
                held.touched.push((Concern::$concern, wish.name.clone()));
            });
            async { Ok(now) }.boxed()
        }

        fn delete<'a>(&'a self, found: &'a Found<$object>) -> Answer<'a, ()> {
            self.notes.note(|held| {
                held.$field.write(&found.object.name, None);
                held.touched
                    .push((Concern::$concern, found.object.name.clone()));
            });
            async { Ok(()) }.boxed()
        }
    };
}

impl TimeIntervals for Stage {
    named!(TimeInterval, TimeInterval, time_intervals);
}

impl Templates for Stage {
    named!(Template, Template, templates);
}

impl InhibitionRules for Stage {
    fn is_served(&self) -> bool {
        self.real.inhibition_rules.is_served()
    }

    named!(InhibitionRule, InhibitionRule, inhibition_rules);
}
