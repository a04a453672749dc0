//! What Grafana can't remember for us, kept in one Secret for each Grafana and organisation in the operator's own namespace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use hmac::{Hmac, Mac};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::answer::{is_conflict, is_missing};
use super::identity::Identity;
use crate::api::FIELD_MANAGER;
use crate::deadline;
use crate::grafana::model::{Route, TreeName};

/// The key of the Secret's data that holds everything.
const DATA_KEY: &str = "memory.json";

/// The annotation of the Secret that tells people which Grafana it is about.
const ABOUT: &str = "alerting.letsrevel.io/grafana";

/// How often a change is tried when somebody else writes the Secret too.
const TRIES: usize = 3;

/// What is remembered of one Grafana.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    /// Key of the message authentication codes below.
    key: String,
    /// The policy tree that every organisation has.
    #[serde(flatten)]
    default_tree: PolicyTree,
    /// Those beside it, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    trees: BTreeMap<String, PolicyTree>,
    /// By uid of an integration: the code of what was sent, secrets included. Empty before it was sent, and when it is to be sent again; `making` where it is
    /// to be the first of its contact point.
    #[serde(default)]
    pub sent: BTreeMap<String, String>,
    /// By the uid that an integration of a resource would have: the uid that it has, where somebody else's became ours as it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_uids: BTreeMap<String, String>,
    /// By name of a GrafanaInstance: the code of the value of its annotation to send again that was acted upon.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resent: BTreeMap<String, String>,
    /// By name of a contact point: the state in which our last write left it, or in which it was seen first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<String, Seen>,
    /// By kind and name of an object that has no place for a mark in Grafana: whose it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Named>,
    /// Objects that were left in Grafana on purpose when their resource went: kind and identity of each, as long as it is there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub released: BTreeSet<String>,
}

/// What is remembered of a policy tree.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTree {
    /// The tree that was there before ours, whole. Stored before the write that replaces it.
    #[serde(default, rename = "previousTree", skip_serializing_if = "Option::is_none")]
    pub previous: Option<Route>,
    /// Whether that could be edited by hand.
    #[serde(default)]
    pub was_editable: bool,
    /// Whether Grafana has taken this tree from us, and we haven't given it back since.
    #[serde(default, rename = "hadTree")]
    pub was_ours: bool,
    /// The mark in ours, which says what resource has written it. Several GrafanaInstances share a memory, with a policy each.
    #[serde(default, rename = "treeMark", skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl PolicyTree {
    /// Nothing.
    const NONE: Self = Self {
        previous: None,
        was_editable: false,
        was_ours: false,
        mark: None,
    };

    /// Whether Grafana has taken it from a resource of this mark, and it wasn't given back since; `is_it` knows the mark.
    pub fn was_of(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.was_ours && self.mark.as_deref().is_none_or(is_it)
    }
}

/// An object that is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The resource that has it: `ownerID/namespace/name`.
    pub mark: String,
    /// While it is being made, or taken over: the code of what is sent. Until that is over somebody else may have made one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<String>,
}

/// The state of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What Grafana calls it.
    pub revision: String,
    /// What calls it so: another version may have another name for the same state.
    pub by: String,
}

/// The memories that are in use: one for each Grafana, however many GrafanaInstances and connections there are for it.
#[derive(Default)]
pub struct Memories(tokio::sync::Mutex<HashMap<Identity, Weak<Memory>>>);

impl Memories {
    /// The memory of a Grafana, read unless it is in use already. One that there isn't yet begins; nothing is written before there is
    /// something to remember. Fails where its Secret can't be read, or holds what isn't understood.
    pub async fn of(
        &self,
        client: &Client,
        namespace: &str,
        identity: &Identity,
    ) -> kube::Result<Arc<Memory>> {
        let mut known = self.0.lock().await;
        if let Some(memory) = known.get(identity).and_then(Weak::upgrade) {
            return Ok(memory);
        }
        let memory = Arc::new(Memory::load(client, namespace, identity.clone()).await?);
        known.retain(|_, memory| memory.strong_count() > 0);
        known.insert(identity.clone(), Arc::downgrade(&memory));
        Ok(memory)
    }
}

/// The memory of one Grafana. Whoever changes what a write protects, or has made, holds the right to write notifications there.
pub struct Memory {
    api: Api<Secret>,
    identity: Identity,
    state: parking_lot::Mutex<State>,
    /// One change at a time: of two that are stored side by side one finds the Secret changed, and answers don't come in the order of the writes.
    changing: tokio::sync::Mutex<()>,
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
    async fn load(client: &Client, namespace: &str, identity: Identity) -> kube::Result<Self> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let state = parking_lot::Mutex::new(State::read(&api, &identity.secret_name()).await?);
        Ok(Self {
            api,
            identity,
            state,
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Which Grafana it is about.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Looks at what is remembered.
    pub fn read<T>(&self, look: impl FnOnce(&Remembered) -> T) -> T {
        look(&self.state.lock().remembered)
    }

    /// Changes what is remembered and stores it, one caller after the other; on an error nothing has changed.
    ///
    /// If somebody else has changed the Secret meanwhile, the change is made to what they left; if they deleted it, it is
    /// written anew.
    pub async fn update(&self, change: impl Fn(&mut Remembered)) -> kube::Result<()> {
        let _changing = deadline::waiting(self.changing.lock()).await;
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
                next = State::read(&self.api, &self.identity.secret_name()).await?;
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
        let name = self.identity.secret_name();
        match &state.resource_version {
            None => self.api.create(&params, &secret).await,
            Some(_) => self.api.replace(&name, &params, &secret).await,
        }
    }

    fn secret(&self, state: &State) -> kube::Result<Secret> {
        let mut secret = Secret::default();
        secret.metadata.name = Some(self.identity.secret_name());
        secret
            .metadata
            .resource_version
            .clone_from(&state.resource_version);
        secret.metadata.labels = Some(BTreeMap::from([(
            "app.kubernetes.io/managed-by".to_owned(),
            FIELD_MANAGER.to_owned(),
        )]));
        secret.metadata.annotations = Some(BTreeMap::from([(ABOUT.to_owned(), self.identity.to_string())]));
        let bytes = serde_json::to_vec(&state.remembered).map_err(kube::Error::SerdeError)?;
        secret.data = Some(BTreeMap::from([(DATA_KEY.to_owned(), ByteString(bytes))]));
        Ok(secret)
    }
}

impl Remembered {
    /// What is remembered of the policy tree of this name.
    pub fn tree(&self, name: &TreeName) -> &PolicyTree {
        if name.is_default() {
            return &self.default_tree;
        }
        self.trees.get(&name.0).unwrap_or(&PolicyTree::NONE)
    }

    /// The same, to note something.
    pub fn tree_mut(&mut self, name: &TreeName) -> &mut PolicyTree {
        if name.is_default() {
            return &mut self.default_tree;
        }
        self.trees.entry(name.0.clone()).or_default()
    }

    /// Forgets what was before our tree of this name, and that there was ours.
    pub fn forget_tree(&mut self, name: &TreeName) {
        if name.is_default() {
            self.default_tree = PolicyTree::default();
        } else {
            self.trees.remove(&name.0);
        }
    }

    /// The trees that were there before ours, of whichever name.
    pub fn previous_trees(&self) -> impl Iterator<Item = &Route> {
        let all = std::iter::once(&self.default_tree).chain(self.trees.values());
        all.filter_map(|tree| tree.previous.as_ref())
    }

    fn new() -> Self {
        let key: [u8; 32] = rand::random();
        Self {
            key: data_encoding::HEXLOWER.encode(&key),
            default_tree: PolicyTree::default(),
            trees: BTreeMap::new(),
            sent: BTreeMap::new(),
            kept_uids: BTreeMap::new(),
            resent: BTreeMap::new(),
            revisions: BTreeMap::new(),
            names: BTreeMap::new(),
            released: BTreeSet::new(),
        }
    }

    /// Forgets what was sent, and not that it is ours: all of it is sent again.
    pub fn forget_sent(&mut self) {
        self.sent.values_mut().for_each(String::clear);
    }

    /// The code of a message under this Grafana's key.
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

    fn identity() -> Identity {
        Identity::new("http://grafana", Some(1))
    }

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
            let loaded = Memory::load(&holding(memory), "home", identity()).await;
            let text = super::super::answer::chain(&loaded.err().expect("an error"));
            assert!(text.contains("not understood at line 1"), "{text}");
            assert!(!text.contains("hunter2") && !text.contains('5'), "{text}");
        }
        let kept = Memory::load(&holding("{\"key\": \"k\"}"), "home", identity()).await;
        assert!(kept.is_ok());
    }

    #[test]
    fn what_is_remembered_of_trees_is_kept_by_their_names_and_the_default_one_where_it_always_was() {
        let before = r#"{"key":"k","previousTree":{"receiver":"ops"},"wasEditable":true,"hadTree":true,"treeMark":"a/b/c","sent":{}}"#;
        let mut remembered: Remembered = serde_json::from_str(before).unwrap();
        let (own, batch) = (TreeName::default(), TreeName("batch".to_owned()));
        assert!(remembered.tree(&own).was_of(|mark| mark == "a/b/c"));
        assert!(!remembered.tree(&batch).was_ours);
        assert_eq!(serde_json::to_string(&remembered).unwrap(), before);
        remembered.tree_mut(&batch).was_ours = true;
        remembered.tree_mut(&batch).previous = Some(Route::default());
        let kept = serde_json::to_string(&remembered).unwrap();
        let mut again: Remembered = serde_json::from_str(&kept).unwrap();
        assert!(again.tree(&batch).was_ours && again.tree(&own).was_ours);
        assert_eq!(again.previous_trees().count(), 2);
        again.forget_tree(&own);
        assert!(again.tree(&batch).was_ours && !again.tree(&own).was_ours);
        again.forget_tree(&batch);
        assert_eq!(again.previous_trees().count(), 0);
        assert!(!serde_json::to_string(&again).unwrap().contains("trees"));
    }

    #[test]
    fn what_was_sent_is_forgotten_and_not_whose_it_is() {
        let mut remembered = Remembered::new();
        remembered.sent.insert("uid".to_owned(), "code".to_owned());
        remembered.forget_sent();
        assert_eq!(remembered.sent.get("uid").map(String::as_str), Some(""));
    }

    /// An API server that takes one change of its Secret at a time, each of what the one before has left.
    fn strict() -> Client {
        let stored = Arc::new(parking_lot::Mutex::new((0, serde_json::json!({}))));
        let service = tower::service_fn(move |request: Request<Body>| {
            let stored = stored.clone();
            async move {
                let method = request.method().clone();
                let body = request.into_body().collect_bytes().await?;
                let mut stored = stored.lock();
                let mut answer = 200;
                if method != http::Method::GET {
                    let mut secret: serde_json::Value = serde_json::from_slice(&body)?;
                    let of = secret["metadata"]["resourceVersion"].as_str().unwrap_or("0");
                    if of == stored.0.to_string() {
                        stored.0 += 1;
                        secret["metadata"]["resourceVersion"] = stored.0.to_string().into();
                        stored.1 = secret;
                    } else {
                        answer = 409;
                    }
                } else if stored.0 == 0 {
                    answer = 404;
                }
                let refused = serde_json::json!({"kind": "Status", "status": "Failure", "code": answer, "message": "",
                    "reason": if answer == 404 { "NotFound" } else { "Conflict" }});
                let body = if answer == 200 { &stored.1 } else { &refused };
                let mut response = Response::new(Body::from(serde_json::to_vec(body)?));
                *response.status_mut() = answer.try_into()?;
                Ok::<_, tower::BoxError>(response)
            }
        });
        ClientBuilder::new(service, "default").build()
    }

    #[tokio::test]
    async fn those_that_change_it_at_the_same_time_all_have_their_change() {
        let client = strict();
        let memory = Memory::load(&client, "home", identity()).await.expect("a memory");
        let note = |i: usize| {
            let change = move |kept: &mut Remembered| drop(kept.sent.insert(i.to_string(), String::new()));
            memory.update(change)
        };
        let ends = futures::future::join_all((0..20).map(note)).await;
        assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 0);
        let kept = |memory: &Memory| memory.read(|memory| memory.sent.len());
        let stored = Memory::load(&client, "home", identity()).await.expect("a memory");
        assert_eq!((kept(&memory), kept(&stored)), (20, 20));
    }

    #[tokio::test]
    async fn all_connections_to_one_grafana_share_its_memory_and_those_to_another_do_not() {
        let (memories, client) = (Memories::default(), holding("{\"key\": \"k\"}"));
        let of = async |identity: &Identity| memories.of(&client, "home", identity).await.expect("a memory");
        let (first, again) = (of(&identity()).await, of(&identity()).await);
        assert!(Arc::ptr_eq(&first, &again));
        let other = of(&Identity::new("http://other", Some(1))).await;
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(first.identity(), &identity());
    }
}
