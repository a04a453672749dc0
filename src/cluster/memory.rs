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
    /// What the Secret holds, or nothing yet.
    async fn read(api: &Api<Secret>, name: &str) -> kube::Result<Self> {
        let secret = api.get_opt(name).await?;
        let resource_version = secret.as_ref().and_then(|s| s.metadata.resource_version.clone());
        let remembered = secret
            .and_then(|s| s.data?.remove(DATA_KEY))
            .and_then(|bytes| serde_json::from_slice(&bytes.0).ok())
            .unwrap_or_else(Remembered::new);
        Ok(Self {
            remembered,
            resource_version,
        })
    }
}

impl Memory {
    /// Reads the memory of an instance, or begins one. Nothing is written yet.
    pub async fn load(client: &Client, namespace: &str, instance: &str) -> kube::Result<Self> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let name = format!("alertwright-memory-{instance}");
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
