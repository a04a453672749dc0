//! Notification templates: `/api/v1/provisioning/templates`. They have a revision from 11.2 on.

use futures::FutureExt;
use http::Method;
use serde::{Deserialize, Serialize};

use super::Provisioning;
use crate::grafana::api::notifications::Templates;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::Result;
use crate::grafana::model::{Found, Revision, Template};
use crate::grafana::transport::Call;

const TEMPLATES: &str = "api/v1/provisioning/templates";

/// A template file as it is read.
#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(default)]
    template: String,
    #[serde(default)]
    provenance: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

/// A template file as it is sent.
#[derive(Serialize)]
struct Wish<'a> {
    template: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

impl From<File> for Found<Template> {
    fn from(file: File) -> Self {
        let template = Template {
            name: file.name,
            content: file.template,
        };
        Self::of(template, file.provenance, file.version)
    }
}

impl Provisioning {
    async fn template(&self, name: &str) -> Result<Option<Found<Template>>> {
        let call = Call::get("templates.get", TEMPLATES, &[name]);
        self.one::<File, _>(call).await
    }

    /// Writes the file of the wished name, in this state if one is given: without one it may be there or not.
    async fn write_template(
        &self,
        wish: &Template,
        state: Option<&Revision>,
        provenance: Provenance,
    ) -> Result<Found<Template>> {
        let call = Call::new("templates.put", Method::PUT, TEMPLATES, &[&wish.name]).json(&Wish {
            template: &wish.content,
            version: state.map(|Revision(version)| version.as_str()),
        })?;
        let stored = self.transport.fetch::<File>(call.provenance(provenance));
        Ok(stored.await?.into())
    }

    async fn delete_template(&self, found: &Found<Template>) -> Result<()> {
        let name = found.object.name.as_str();
        let call = Call::new("templates.delete", Method::DELETE, TEMPLATES, &[name]);
        self.delete_found(call, found, self.template(name)).await
    }
}

impl Templates for Provisioning {
    fn list(&self) -> Answer<'_, Vec<Found<Template>>> {
        let call = Call::get("templates.list", TEMPLATES, &[]);
        self.every::<File, _>(call).boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<Template>>> {
        self.template(name).boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a Template,
        found: Option<&'a Found<Template>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<Template>> {
        async move {
            match found {
                Some(found) if found.object.name == wish.name => {
                    self.write_template(wish, found.revision.as_ref(), provenance)
                        .await
                }
                // This API renames nothing.
                Some(found) => {
                    let renamed = self.write_template(wish, None, provenance).await?;
                    self.delete_template(found).await?;
                    Ok(renamed)
                }
                None => self.write_template(wish, None, provenance).await,
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<Template>) -> Answer<'a, ()> {
        self.delete_template(found).boxed()
    }
}
