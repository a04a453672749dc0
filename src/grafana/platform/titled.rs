//! Objects whose name Grafana makes of their title: a new one is sent without a name, and one that gets another title has another name.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Kind;
use super::object::{Metadata, Object};
use super::place::Place;
use crate::grafana::api::Provenance;
use crate::grafana::api::watch::Listed;
use crate::grafana::error::Result;
use crate::grafana::model::{Found, Revision};
use crate::grafana::presence;
use crate::grafana::transport::Transport;

/// Most objects that one page has. Up to 13.3 they come all at once.
const PAGE: usize = 500;

/// What such an object says.
pub(super) trait Titled: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// As `kind` has it.
    const KIND: &'static str;
    /// What the calls are called: to list, get, create, update and delete.
    const CALLS: [&'static str; 5];
}

/// The objects of one such kind.
pub(super) struct ByTitle<S> {
    place: Place,
    of: PhantomData<fn() -> S>,
}

impl<S: Titled> ByTitle<S> {
    pub(super) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self {
            place: Place {
                transport,
                kind,
                namespace,
            },
            of: PhantomData,
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.place.kind
    }

    pub(super) async fn list(&self) -> Result<Vec<Found<S>>> {
        let [list, ..] = S::CALLS;
        self.place
            .pages(|| self.place.list(list), PAGE, Object::found)
            .await
    }

    /// The same, with what happens to them from then on where Grafana tells that. The watch is called so.
    pub(super) async fn listed(&self, watch: &'static str) -> Result<Listed<Found<S>>> {
        let [list, ..] = S::CALLS;
        let listed = self.place.listed((list, watch), PAGE, Object::found).await?;
        Ok(listed.map(|found| found, title_of))
    }

    pub(super) async fn get(&self, title: &str) -> Result<Option<Found<S>>> {
        let [_, get, ..] = S::CALLS;
        let found = self.place.get::<S>(get, &name_of(title)).await?;
        Ok(found.map(Object::found))
    }

    /// The same to be written again as it is: whole or not at all.
    pub(super) async fn get_whole(&self, title: &str) -> Result<Option<Found<S>>> {
        let [_, get, ..] = S::CALLS;
        let found = self.place.get_whole::<S>(get, &name_of(title)).await;
        let found = presence::if_present(&self.place.transport, found).await?;
        Ok(found.map(Object::found))
    }

    pub(super) async fn put(
        &self,
        wish: S,
        found: Option<(&str, Option<&Revision>)>,
        provenance: Provenance,
    ) -> Result<Found<S>> {
        let [_, _, create, update, _] = S::CALLS;
        let (name, version) = match found {
            Some((title, state)) => (name_of(title), state.map(|Revision(version)| version.clone())),
            None => (String::new(), None),
        };
        let metadata = Metadata {
            name: name.clone(),
            resource_version: version.unwrap_or_default(),
            ..Metadata::default()
        };
        let object = Object {
            metadata: metadata.provided(provenance),
            spec: wish,
        };
        let stored = if found.is_some() {
            self.place.replace(update, S::KIND, &name, &object).await?
        } else {
            self.place.create(create, S::KIND, &object).await?
        };
        Ok(stored.found())
    }

    pub(super) async fn delete(&self, title: &str, state: Option<&Revision>) -> Result<()> {
        let [.., delete] = S::CALLS;
        let version = state.map(|Revision(version)| version.as_str());
        self.place.delete(delete, &name_of(title), version).await
    }
}

/// The name of an object with this title (`NameToUid` in `pkg/services/ngalert/notifier/legacy_storage/compat.go`).
pub(super) fn name_of(title: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(title.as_bytes())
}

/// The title of an object with this name. One that isn't made of a title is none's.
fn title_of(name: String) -> String {
    let decoded = data_encoding::BASE64URL_NOPAD.decode(name.as_bytes());
    decoded
        .ok()
        .and_then(|title| String::from_utf8(title).ok())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_any_title() {
        assert_eq!(name_of("nights"), "bmlnaHRz");
        assert_eq!(name_of("a/b?"), "YS9iPw");
        assert_eq!(name_of("Wöchentlich ✓~~"), "V8O2Y2hlbnRsaWNoIOKck35-");
    }

    #[test]
    fn the_name_of_what_is_gone_says_which_title_it_had() {
        for title in ["nights", "a/b?", "Wöchentlich ✓~~"] {
            assert_eq!(title_of(name_of(title)), title);
        }
        assert_eq!(title_of("no base64!".to_owned()), "no base64!");
    }
}
