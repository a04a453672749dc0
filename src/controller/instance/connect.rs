//! The connection of a GrafanaInstance: made from its specification and its Secrets, and anew when one of them changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, ResourceExt};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tracing::info;
use url::Url;

use super::{apis, moved, poller};
use crate::api::condition::Reason;
use crate::api::grafana_instance::{self, Auth, BasicAuth, Tls};
use crate::api::reference::{ConfigMapKeyRef, SecretKeyRef, TextSource, ValueSource};
use crate::api::{GrafanaInstance, GrafanaInstanceSpec};
use crate::cluster::identity::Identity;
use crate::cluster::leader::Term;
use crate::cluster::referenced;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::notification::contact_point::Secrets;
use crate::domain::ownership::{Owner, Owners, is_derived};
use crate::domain::tenancy;
use crate::grafana::transport::{self, Connection, Supervisor};
use crate::grafana::{Class, Company, Grafana};
use crate::metrics::Metrics;

/// Lets Grafana be written to only while this process holds the Lease, and counts the calls.
struct Leader {
    instance: String,
    term: Arc<Term>,
    metrics: Arc<Metrics>,
}

impl Supervisor for Leader {
    fn may_write(&self) -> bool {
        self.term.holds()
    }

    fn ended(&self, operation: &'static str, error: Option<Class>, took: Duration) {
        self.metrics.grafana_call(operation, error, took);
    }

    fn deprecated(&self, operation: &'static str) {
        self.metrics.grafana_deprecated_call(&self.instance, operation);
    }
}

/// The connection that fits the specification and its Secrets; a new one if they have changed.
pub(super) async fn connect(
    object: &GrafanaInstance,
    context: &Arc<Context>,
) -> Result<Arc<Instance>, Failure> {
    refuse_another_owner(object, &context.owner)?;
    let name = object.name_any();
    let spec = &object.spec;
    tenancy::check(spec)?;
    let values = read(spec, &context.client, &context.namespace).await?;
    let fingerprint = fingerprint(object, &values);
    let running = context.running.read().get(&name).cloned();
    if let Some(instance) = &running
        && instance.fingerprint == fingerprint
    {
        return Ok(instance.clone());
    }
    let connection = connection(spec, &values)?;
    let supervisor = Arc::new(Leader {
        instance: name.clone(),
        term: context.term.clone(),
        metrics: context.metrics.clone(),
    });
    let owners = Owners::new(context.owner.clone(), &spec.previous_owner_ids);
    let rights = context.rights.of(Identity::new(&spec.url, None).url());
    let ours = owners.clone();
    let company = Company {
        is_ours: Arc::new(move |mark| ours.resource(mark).is_some()),
        makes_uid: is_derived,
        groups: rights.groups.clone(),
        approaches: rights.approaches.clone(),
    };
    let grafana = Grafana::connect(&connection, supervisor, company).map_err(|e| {
        Failure::new(
            Reason::Invalid,
            format!("spec.{}", crate::cluster::answer::chain(&e)),
            Retry::OnChange,
        )
    })?;
    grafana.apis.prefer(apis::preference(
        object,
        running.as_ref().map(|before| &before.spec),
    ));
    let instance = Arc::new(Instance::new(
        name.clone(),
        spec.clone(),
        fingerprint,
        grafana,
        owners,
        rights,
        context.namespace.clone(),
    ));
    let old = {
        let mut running = context.running.write();
        // It may have gone while its Secrets were read. Whoever takes it out of the store ends what was connected by then.
        if !context.is_declared(object) {
            return Err(Failure::not_yet());
        }
        running.insert(name.clone(), instance.clone())
    };
    if let Some(old) = old {
        old.stop.cancel();
        moved::leave(&old, context);
    }
    info!(instance = name, url = spec.url, "connecting to grafana");
    tokio::spawn(poller::run(instance.clone(), context.clone()));
    Ok(instance)
}

/// What a specification refers to.
#[derive(Default)]
pub struct Values {
    secrets: Secrets,
    texts: BTreeMap<ConfigMapKeyRef, String>,
}

/// Reads what a specification refers to in the operator's own namespace.
pub async fn read(spec: &GrafanaInstanceSpec, client: &Client, home: &str) -> Result<Values, Failure> {
    let (secrets, texts) = grafana_instance::references(spec);
    Ok(Values {
        secrets: referenced::secrets(client, home, secrets).await?,
        texts: referenced::texts(client, home, texts).await?,
    })
}

/// Fails where the operator worked with another owner id before: it would find nothing of what it has made, and make all of it again.
pub(super) fn refuse_another_owner(object: &GrafanaInstance, owner: &Owner) -> Result<(), Failure> {
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.owner_id.as_deref());
    let owners = Owners::new(owner.clone(), &object.spec.previous_owner_ids);
    match before.filter(|before| owners.all().all(|owner| owner.as_str() != *before)) {
        None => Ok(()),
        Some(before) => Err(Failure::new(
            Reason::NotOwned,
            format!(
                "what this operator has made in this Grafana carries the owner id {before}, and now it runs with {}: to take over what is there, put {before} into spec.previousOwnerIDs; or run it with --owner-id={before} again. To leave all of it behind, delete this GrafanaInstance and create it anew",
                owner.as_str()
            ),
            Retry::OnChange,
        )),
    }
}

/// Differs when the specification or a value that it refers to does; nothing can be read from it.
pub(in crate::controller) fn fingerprint(object: &GrafanaInstance, values: &Values) -> String {
    let mut hash = Sha256::new();
    hash.update(object.metadata.uid.as_deref().unwrap_or_default());
    hash.update(serde_json::to_vec(&object.spec).unwrap_or_default());
    let secrets = values
        .secrets
        .iter()
        .map(|(at, value)| [&at.name, &at.key, value]);
    let texts = values.texts.iter().map(|(at, value)| [&at.name, &at.key, value]);
    for part in secrets.chain(texts).flatten() {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// How a specification says that its Grafana is reached.
pub fn connection(spec: &GrafanaInstanceSpec, values: &Values) -> Result<Connection, Failure> {
    let invalid = |message: String| Failure::new(Reason::Invalid, message, Retry::OnChange);
    let url = Url::parse(&spec.url).map_err(|e| invalid(format!("spec.url: {e}")))?;
    let kept = |reference: &SecretKeyRef| values.secrets.get(reference).cloned();
    let secret = |reference: &SecretKeyRef| SecretString::from(kept(reference).unwrap_or_default());
    let value = |source: &ValueSource| {
        let own = source.value.clone();
        own.or_else(|| kept(source.secret_key_ref.as_ref()?))
            .unwrap_or_default()
    };
    let text = |source: &TextSource| {
        let own = source.value.clone();
        let kept = own.or_else(|| kept(source.secret_key_ref.as_ref()?));
        kept.or_else(|| values.texts.get(source.config_map_key_ref.as_ref()?).cloned())
    };
    let basic = |basic: &BasicAuth| (value(&basic.username), secret(&basic.password.secret_key_ref));
    let auth = match &spec.auth {
        Auth {
            token: Some(token), ..
        } => transport::Auth::Token(secret(&token.secret_key_ref)),
        Auth {
            basic: Some(login), ..
        } => {
            let (user, password) = basic(login);
            transport::Auth::Basic { user, password }
        }
        Auth {
            token: None,
            basic: None,
        } => {
            return Err(invalid("spec.auth: give exactly one of token and basic".into()));
        }
    };
    let tls = spec.tls.as_ref().map(|tls: &Tls| transport::Tls {
        ca_pem: tls.ca.as_ref().and_then(text),
        client_cert_pem: tls.client_certificate.as_ref().and_then(text),
        client_key_pem: tls.client_key.as_ref().map(|key| secret(&key.secret_key_ref)),
        insecure_skip_verify: tls.insecure_skip_verify.unwrap_or(false),
    });
    Ok(Connection {
        url,
        auth,
        org_id: spec.org_id,
        tls: tls.unwrap_or_default(),
        headers: spec
            .headers
            .iter()
            .map(|(name, source)| (name.clone(), SecretString::from(value(source))))
            .collect(),
        proxy: spec.proxy_url.clone().map(|url| transport::Proxy {
            url,
            auth: spec.proxy_auth.as_ref().map(basic),
        }),
        user_agent: concat!("alertwright/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn another_connection_is_made_for_another_text_of_a_config_map_or_another_secret() {
        let object: GrafanaInstance = from_value(json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
            "spec": {
                "url": "https://grafana", "auth": {"token": {"secretKeyRef": {"name": "token", "key": "token"}}},
                "headers": {"X-Plain": {"value": "plain"}, "X-Secret": {"secretKeyRef": {"name": "access", "key": "secret"}}},
                "tls": {"ca": {"configMapKeyRef": {"name": "bundle", "key": "ca.crt"}}},
                "proxyURL": "http://proxy:3128",
                "proxyAuth": {"username": {"value": "u"}, "password": {"secretKeyRef": {"name": "proxy", "key": "password"}}},
            },
        }))
        .unwrap();
        let values = |secret: &str, ca: &str| {
            let (secrets, texts) = grafana_instance::references(&object.spec);
            Values {
                secrets: secrets
                    .into_iter()
                    .map(|at| (at.clone(), format!("{secret} of {}", at.name)))
                    .collect(),
                texts: texts.into_iter().map(|at| (at.clone(), ca.to_owned())).collect(),
            }
        };
        let first = values("first", "ca");
        assert_eq!(
            fingerprint(&object, &first),
            fingerprint(&object, &values("first", "ca"))
        );
        assert_ne!(
            fingerprint(&object, &first),
            fingerprint(&object, &values("second", "ca"))
        );
        assert_ne!(
            fingerprint(&object, &first),
            fingerprint(&object, &values("first", "other"))
        );
        let made = connection(&object.spec, &first).unwrap();
        assert_eq!(made.tls.ca_pem.as_deref(), Some("ca"));
        let headers: Vec<_> = made
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(headers, [("X-Plain", "plain"), ("X-Secret", "first of access")]);
        let (url, auth) = made.proxy.map(|proxy| (proxy.url, proxy.auth.unwrap())).unwrap();
        assert_eq!(
            (url.as_str(), auth.0.as_str(), auth.1.expose_secret()),
            ("http://proxy:3128", "u", "first of proxy")
        );
        for (says, is) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
            let mut object = object.clone();
            object.spec.tls = from_value(json!({"insecureSkipVerify": says})).unwrap();
            let made = connection(&object.spec, &first).unwrap();
            assert_eq!(made.tls.insecure_skip_verify, is, "{says}");
        }
    }

    #[test]
    fn another_owner_id_is_refused_until_the_former_one_is_named() {
        let refused = |before: Option<&str>, former: &[&str]| {
            let object: GrafanaInstance = from_value(json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
                "spec": {"url": "http://grafana", "auth": {}, "previousOwnerIDs": former},
                "status": {"ownerID": before},
            }))
            .unwrap();
            refuse_another_owner(&object, &Owner::parse("new").unwrap()).err()
        };
        assert_eq!(refused(None, &[]), None);
        assert_eq!(refused(Some("new"), &[]), None);
        assert_eq!(refused(Some("old"), &["older", "old"]), None);
        let failure = refused(Some("old"), &["older"]).unwrap();
        assert_eq!(failure.reason, Some(Reason::NotOwned));
        for part in [
            "put old into spec.previousOwnerIDs",
            "--owner-id=old",
            "runs with new",
        ] {
            assert!(failure.message.contains(part), "{}", failure.message);
        }
    }
}
