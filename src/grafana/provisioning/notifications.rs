//! Contact points: `/api/v1/provisioning/contact-points`.

use futures::FutureExt;
use http::Method;

use super::Provisioning;
use crate::grafana::api::{Answer, Notifications, Provenance};
use crate::grafana::error::Error;
use crate::grafana::transport::Call;
use crate::grafana::wire::ContactPoint;

const CONTACT_POINTS: &str = "api/v1/provisioning/contact-points";

impl Notifications for Provisioning {
    fn contact_points(&self) -> Answer<'_, Vec<ContactPoint>> {
        self.transport
            .fetch(Call::get("contact_points.list", CONTACT_POINTS, &[]))
            .boxed()
    }

    fn contact_points_named<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<ContactPoint>> {
        self.transport
            .fetch(Call::get("contact_points.get", CONTACT_POINTS, &[]).query("name", name))
            .boxed()
    }

    fn create_contact_point<'a>(
        &'a self,
        contact_point: &'a ContactPoint,
        provenance: Provenance,
    ) -> Answer<'a, ()> {
        async move {
            let call =
                Call::new("contact_points.create", Method::POST, CONTACT_POINTS, &[]).json(contact_point)?;
            let sent = self.transport.send(call.provenance(provenance)).await;
            sent.map_err(|error| without_secrets(error, contact_point))
        }
        .boxed()
    }

    fn update_contact_point<'a>(
        &'a self,
        contact_point: &'a ContactPoint,
        provenance: Provenance,
    ) -> Answer<'a, ()> {
        async move {
            let names = [contact_point.uid.as_str()];
            let call = Call::new("contact_points.update", Method::PUT, CONTACT_POINTS, &names)
                .json(contact_point)?;
            let sent = self.transport.send(call.provenance(provenance)).await;
            sent.map_err(|error| without_secrets(error, contact_point))
        }
        .boxed()
    }

    fn delete_contact_point<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        async move {
            let call = Call::new("contact_points.delete", Method::DELETE, CONTACT_POINTS, &[uid]);
            let sent = self.transport.send(call).await;
            // There is no way to ask for one.
            let look = async {
                let all = self.contact_points().await?;
                Ok(all.into_iter().find(|found| found.uid == uid))
            };
            self.if_gone(sent, look).await
        }
        .boxed()
    }
}

/// Grafana's validation repeats settings. A caller knows what is secret among them; this takes out whatever may be.
fn without_secrets(error: Error, contact_point: &ContactPoint) -> Error {
    error.redact(&contact_point.sensitive_values())
}
