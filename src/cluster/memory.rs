//! What Grafana can't remember for us, kept in one Secret for each instance in the operator's own namespace.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::answer::{is_conflict, is_missing};
use crate::api::FIELD_MANAGER;
use crate::grafana::wire::Route;

/// The key of the Secret's data that holds everything.
const DATA_KEY: &str = "memory.json";

/// How often a change is tried when somebody else writes the Secret too.
const TRIES: usize = 3;

/// What is remembered of one Grafana.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    /// Key of the message authentication codes below.
    key: String,
    /// The policy tree that was there before ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_tree: Option<Route>,
    /// Whether the previous tree could be edited by hand.
    #[serde(default)]
    pub was_editable: bool,
    /// The policy tree that we wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_tree: Option<Route>,
    /// By uid of an integration: the code of what was sent, secrets included.
    #[serde(default)]
    pub sent: BTreeMap<String, String>,
}

/// The memory of one instance. Whoever changes it holds the instance's notification lock.
pub struct Memory {
    api: Api<Secret>,
    name: String,
    state: parking_lot::Mutex<State>,
}

#[derive(Clone)]
struct State {
    remembered: Remembered,
    resource_version: Option<String>,
}

impl State {
    /// What the Secret holds, or nothing yet. What can't be read (damaged, or of a newer version of the operator) is an error: it
    /// would be lost with the next write.
    async fn read(api: &Api<Secret>, name: &str) -> kube::Result<Self> {
        let secret = api.get_opt(name).await?;
        let resource_version = secret.as_ref().and_then(|s| s.metadata.resource_version.clone());
        let remembered = match secret.and_then(|s| s.data?.remove(DATA_KEY)) {
            Some(bytes) => serde_json::from_slice(&bytes.0).map_err(|e| not_understood(&e))?,
            None => Remembered::new(),
        };
        Ok(Self {
            remembered,
            resource_version,
        })
    }
}

impl Memory {
    /// The name of the Secret that holds the memory of an instance.
    pub fn secret_name(instance: &str) -> String {
        format!("alertwright-memory-{instance}")
    }

    /// Reads the memory of an instance, or begins one. Nothing is written yet. Fails where the Secret can't be read, or holds what isn't
    /// understood.
    pub async fn load(client: &Client, namespace: &str, instance: &str) -> kube::Result<Self> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let name = Self::secret_name(instance);
        let state = parking_lot::Mutex::new(State::read(&api, &name).await?);
        Ok(Self { api, name, state })
    }

    /// Looks at what is remembered.
    pub fn read<T>(&self, look: impl FnOnce(&Remembered) -> T) -> T {
        look(&self.state.lock().remembered)
    }

    /// Changes what is remembered and stores it; on an error nothing has changed.
    ///
    /// If somebody else has changed the Secret meanwhile, the change is made to what they left; if they deleted it, it is
    /// written anew.
    pub async fn update(&self, change: impl Fn(&mut Remembered)) -> kube::Result<()> {
        let mut next = self.state.lock().clone();
        let mut tries = 1;
        loop {
            change(&mut next.remembered);
            let error = match self.store(&next).await {
                Ok(stored) => {
                    next.resource_version = stored.metadata.resource_version;
                    *self.state.lock() = next;
                    return Ok(());
                }
                Err(error) => error,
            };
            if tries < TRIES && is_missing(&error) {
                next.resource_version = None;
            } else if tries < TRIES && is_conflict(&error) {
                next = State::read(&self.api, &self.name).await?;
            } else {
                return Err(error);
            }
            tries += 1;
        }
    }

    async fn store(&self, state: &State) -> kube::Result<Secret> {
        let secret = self.secret(state)?;
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        match &state.resource_version {
            None => self.api.create(&params, &secret).await,
            Some(_) => self.api.replace(&self.name, &params, &secret).await,
        }
    }

    fn secret(&self, state: &State) -> kube::Result<Secret> {
        let mut secret = Secret::default();
        secret.metadata.name = Some(self.name.clone());
        secret
            .metadata
            .resource_version
            .clone_from(&state.resource_version);
        secret.metadata.labels = Some(BTreeMap::from([(
            "app.kubernetes.io/managed-by".to_owned(),
            FIELD_MANAGER.to_owned(),
        )]));
        let bytes = serde_json::to_vec(&state.remembered).map_err(kube::Error::SerdeError)?;
        secret.data = Some(BTreeMap::from([(DATA_KEY.to_owned(), ByteString(bytes))]));
        Ok(secret)
    }
}

impl Remembered {
    fn new() -> Self {
        let key: [u8; 32] = rand::random();
        Self {
            key: data_encoding::HEXLOWER.encode(&key),
            previous_tree: None,
            was_editable: false,
            written_tree: None,
            sent: BTreeMap::new(),
        }
    }

    /// The code of a message under this instance's key.
    pub fn code(&self, message: &[u8]) -> String {
        // Keys of any length are accepted, so the error can't occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else {
            return String::new();
        };
        mac.update(message);
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    }
}

/// Where the memory isn't understood, without what stands there: it holds a key.
fn not_understood(error: &serde_json::Error) -> kube::Error {
    let place = format!(
        "not understood at line {} column {}",
        error.line(),
        error.column()
    );
    kube::Error::SerdeError(serde::de::Error::custom(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::{Body, ClientBuilder};

    /// An API server that has one Secret, with this memory in it.
    fn holding(memory: &str) -> Client {
        let encoded = data_encoding::BASE64.encode(memory.as_bytes());
        let secret = format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s"}},"data":{{"memory.json":"{encoded}"}}}}"#
        );
        let service = tower::service_fn(move |_: Request<Body>| {
            let secret = secret.clone().into_bytes();
            async move { Ok::<_, tower::BoxError>(Response::new(Body::from(secret))) }
        });
        ClientBuilder::new(service, "default").build()
    }

    #[tokio::test]
    async fn a_memory_that_is_not_understood_is_an_error_and_not_begun_anew() {
        for memory in ["{\"key\": 5, \"hunter2\": \"x\"}", "half of {"] {
            let loaded = Memory::load(&holding(memory), "home", "default").await;
            let text = super::super::answer::chain(&loaded.err().expect("an error"));
            assert!(text.contains("not understood at line 1"), "{text}");
            assert!(!text.contains("hunter2") && !text.contains('5'), "{text}");
        }
        let kept = Memory::load(&holding("{\"key\": \"k\"}"), "home", "default").await;
        assert!(kept.is_ok());
    }
}
