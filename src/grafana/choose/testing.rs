//! Tests of contact points, which 13.0 moved below `/apis`, without the older address staying (what's new in 13.0).

use std::sync::Arc;

use futures::FutureExt;

use crate::grafana::api::testing::{TestAlert, Tested, Testing};
use crate::grafana::api::{Answer, Server};
use crate::grafana::model::Integration;
use crate::grafana::platform::Receivers;
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Transport;

/// The first release with the newer one, and without the older.
const SINCE: u32 = 13;

pub(super) struct Tests {
    pub(super) transport: Arc<Transport>,
    pub(super) older: Arc<Provisioning>,
}

impl Testing for Tests {
    fn send<'a>(
        &'a self,
        point: &'a str,
        integration: &'a Integration,
        alert: &'a TestAlert,
    ) -> Answer<'a, Tested> {
        async move {
            let settings = self.older.settings().await?;
            let is_newer = settings.major().is_none_or(|major| major >= SINCE);
            match settings.namespace.filter(|_| is_newer) {
                Some(namespace) => {
                    Receivers::test(&self.transport, &namespace, point, integration, alert).await
                }
                None => self.older.send(point, integration, alert).await,
            }
        }
        .boxed()
    }
}
