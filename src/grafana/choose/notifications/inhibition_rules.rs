//! Inhibition rules: they go through the newer API or not at all.

use std::sync::Arc;

use futures::FutureExt;
use parking_lot::RwLock;

use crate::grafana::api::notifications::InhibitionRules as Concern;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::{Error, Result};
use crate::grafana::model::{Found, InhibitionRule};
use crate::grafana::platform::{Discovery, InhibitionRules, Need, Receivers};
use crate::grafana::transport::Transport;

/// What there is of them.
#[derive(Default)]
enum Stand {
    /// This version has none.
    #[default]
    Absent,
    /// This version should have them, and they aren't to be seen.
    Hidden,
    /// They are served.
    Served(Arc<InhibitionRules>),
}

/// Where inhibition rules are served, if they are.
#[derive(Default)]
pub(in crate::grafana::choose) struct Inhibitions(RwLock<Stand>);

impl Inhibitions {
    /// Looks whether they are there, where this version should have them or not.
    pub(in crate::grafana::choose) async fn look(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        namespace: Option<&str>,
        is_expected: bool,
    ) -> Result<()> {
        let (group, plural) = InhibitionRules::KIND;
        let found = match namespace.filter(|_| is_expected) {
            Some(namespace) => discovery
                .find(group, [Need::to_write(plural)], &Receivers::VERSIONS)
                .await?
                .map(|[kind]| InhibitionRules::new(transport.clone(), kind, namespace.to_owned())),
            None => None,
        };
        *self.0.write() = match found {
            Some(served) => Stand::Served(Arc::new(served)),
            None if is_expected => Stand::Hidden,
            None => Stand::Absent,
        };
        Ok(())
    }

    /// Where they are; `None` where there are none.
    fn served(&self, operation: &'static str) -> Result<Option<Arc<InhibitionRules>>> {
        match &*self.0.read() {
            Stand::Absent => Ok(None),
            Stand::Hidden => Err(Error::NotServed { operation }),
            Stand::Served(served) => Ok(Some(served.clone())),
        }
    }

    fn to_write(&self, operation: &'static str) -> Result<Arc<InhibitionRules>> {
        self.served(operation)?.ok_or(Error::NotServed { operation })
    }
}

impl Concern for Inhibitions {
    fn is_served(&self) -> bool {
        matches!(&*self.0.read(), Stand::Served(_))
    }

    fn list(&self) -> Answer<'_, Vec<Found<InhibitionRule>>> {
        async move {
            match self.served("inhibition_rules.list") {
                Ok(Some(served)) => served.list().await,
                // What can't be seen is for the resources to say.
                Ok(None) | Err(_) => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<InhibitionRule>>> {
        async move {
            match self.served("inhibition_rules.get")? {
                Some(served) => served.get(name).await,
                None => Ok(None),
            }
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a InhibitionRule,
        found: Option<&'a Found<InhibitionRule>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<InhibitionRule>> {
        async move {
            let served = self.to_write("inhibition_rules.put")?;
            served.put(wish, found, provenance).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<InhibitionRule>) -> Answer<'a, ()> {
        async move {
            let served = self.to_write("inhibition_rules.delete")?;
            served.delete(found).await
        }
        .boxed()
    }
}
