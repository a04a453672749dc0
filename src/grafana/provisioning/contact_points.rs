//! Contact points: `/api/v1/provisioning/contact-points`, where each integration is an object of its own, written by itself.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Provisioning;
use crate::grafana::api::notifications::{ContactPointWrite, ContactPoints, Sent};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::Result;
use crate::grafana::model::{ContactPoint, Found, Integration};
use crate::grafana::transport::Call;
use crate::grafana::wire::null_as_default;

const CONTACT_POINTS: &str = "api/v1/provisioning/contact-points";

/// One integration of a contact point; several of one name form one contact point.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    uid: String,
    /// Name of the contact point.
    name: String,
    r#type: String,
    #[serde(deserialize_with = "null_as_default")]
    settings: Map<String, Value>,
    disable_resolve_message: bool,
    #[serde(skip_serializing)]
    provenance: Option<String>,
}

impl Body {
    fn of(name: &str, integration: &Integration) -> Self {
        Self {
            uid: integration.uid.clone(),
            name: name.to_owned(),
            r#type: integration.r#type.clone(),
            settings: integration.settings.clone(),
            disable_resolve_message: integration.disable_resolve_message,
            provenance: None,
        }
    }
}

impl From<Body> for Integration {
    fn from(body: Body) -> Self {
        Self {
            uid: body.uid,
            r#type: body.r#type,
            settings: body.settings,
            disable_resolve_message: body.disable_resolve_message,
            provenance: body.provenance.filter(|provenance| !provenance.is_empty()),
        }
    }
}

/// The contact points that these integrations form.
fn whole(bodies: Vec<Body>) -> Vec<Found<ContactPoint>> {
    let mut by_name = BTreeMap::<String, Vec<Integration>>::new();
    for mut body in bodies {
        let name = std::mem::take(&mut body.name);
        by_name.entry(name).or_default().push(body.into());
    }
    let contact_points = by_name.into_iter().map(|(name, integrations)| Found {
        provenance: integrations.iter().find_map(|i| i.provenance.clone()),
        object: ContactPoint { name, integrations },
        revision: None,
    });
    contact_points.collect()
}

impl ContactPoints for Provisioning {
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>> {
        async move {
            let call = Call::get("contact_points.list", CONTACT_POINTS, &[]);
            Ok(whole(self.transport.fetch(call).await?).into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>> {
        async move {
            let call = Call::get("contact_points.get", CONTACT_POINTS, &[]).query("name", name);
            let mut found = whole(self.transport.fetch(call).await?).into_iter();
            Ok(found.find(|found| found.object.name == name))
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent> {
        async move {
            let mut sent = Sent::default();
            sent.failure = self.bring(&write, &mut sent).await.err();
            sent
        }
        .boxed()
    }

    fn remove<'a>(&'a self, _: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent> {
        async move {
            let mut sent = Sent::default();
            sent.failure = self.take_out(uids, &mut sent).await.err();
            sent
        }
        .boxed()
    }
}

impl Provisioning {
    /// Sends one integration after the other, up to the first that fails.
    async fn bring(&self, write: &ContactPointWrite<'_>, sent: &mut Sent) -> Result<()> {
        let ContactPoint { name, integrations } = write.wish;
        let found = write.found.map_or(&[][..], |found| &found.object.integrations);
        let changed = integrations.iter().filter(|i| write.changed.contains(&i.uid));
        for integration in changed {
            let is_there = found.iter().any(|found| found.uid == integration.uid);
            self.send(name, integration, is_there, write.provenance).await?;
            sent.sent.push(integration.uid.clone());
        }
        let stays = |found: &&Integration| {
            write.kept.contains(&found.uid) || integrations.iter().any(|wished| wished.uid == found.uid)
        };
        let surplus = found.iter().filter(|found| !stays(found));
        let surplus: Vec<String> = surplus.map(|found| found.uid.clone()).collect();
        self.take_out(&surplus, sent).await
    }

    /// Replaces an integration, or creates it: then it joins a contact point of this name, should there be one.
    async fn send(
        &self,
        name: &str,
        integration: &Integration,
        is_there: bool,
        provenance: Provenance,
    ) -> Result<()> {
        let uid = [integration.uid.as_str()];
        let call = if is_there {
            Call::new("contact_points.update", Method::PUT, CONTACT_POINTS, &uid)
        } else {
            Call::new("contact_points.create", Method::POST, CONTACT_POINTS, &[])
        };
        let call = call.json(&Body::of(name, integration))?.provenance(provenance);
        let sent = self.transport.send(call).await;
        // Grafana's validation repeats settings. A caller knows what is secret among them; this takes out whatever may be.
        sent.map_err(|error| error.redact(&integration.sensitive_values()))
    }

    async fn take_out(&self, uids: &[String], sent: &mut Sent) -> Result<()> {
        for uid in uids {
            let call = Call::new("contact_points.delete", Method::DELETE, CONTACT_POINTS, &[uid]);
            let deleted = self.transport.send(call).await;
            // There is no way to ask for one.
            let look = async {
                let all = ContactPoints::list(self).await?.items;
                let mut all = all.into_iter().flat_map(|found| found.object.integrations);
                Ok(all.find(|found| found.uid == *uid))
            };
            self.if_gone(deleted, look).await?;
            sent.gone.push(uid.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn integrations_of_one_name_are_one_contact_point() {
        let body = |name, uid, provenance| json!({"name": name, "uid": uid, "type": "email", "provenance": provenance});
        let bodies: Vec<Body> = from_value(json!([
            body("team", "a", ""),
            body("other", "b", ""),
            body("team", "c", "api")
        ]))
        .unwrap();
        let found = whole(bodies);
        let uids = |found: &Found<ContactPoint>| -> Vec<String> {
            let all = found.object.integrations.iter();
            all.map(|integration| integration.uid.clone()).collect()
        };
        let names: Vec<_> = found.iter().map(|found| found.object.name.as_str()).collect();
        assert_eq!(names, ["other", "team"]);
        assert_eq!(
            (uids(&found[0]), uids(&found[1])),
            (vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()])
        );
        assert_eq!(
            (found[0].provenance.as_deref(), found[1].provenance.as_deref()),
            (None, Some("api"))
        );
    }
}
