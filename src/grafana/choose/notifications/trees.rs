//! Policy trees.

use futures::FutureExt;

use super::{Notifications, TREES};
use crate::grafana::api::notifications::Trees;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::choose::newer::{is_closed, read};
use crate::grafana::model::{Found, Revision, Route, TreeName};
use crate::grafana::platform;

impl Trees for Notifications {
    fn knows_names(&self) -> bool {
        self.newer.open().is_some()
    }

    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        async move {
            let Some(newer) = self.newer.to_list() else {
                return self.older.list().await;
            };
            let answer = newer.trees.list().await;
            self.newer.listed(TREES, answer, self.older.list()).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.get(name).await;
            };
            let answer = newer.trees.get(name).await;
            if !name.is_default() {
                // The older one knows no other, and "it is not there" would be a guess.
                return answer;
            }
            read(answer, self.older.get(name)).await
        }
        .boxed()
    }

    fn whole<'a>(&'a self, name: &'a TreeName, found: &'a Found<Route>) -> Answer<'a, Route> {
        async move {
            if found.revision.is_none() || !name.is_default() {
                return Ok(found.object.clone());
            }
            // The newer one shows older matchers as plain ones. That nobody changes the tree in between is seen by the write in the state that was
            // found. Where the older one is gone, nothing else can be had.
            match self.older.get(name).await {
                Ok(whole) => Ok(whole.map_or_else(|| found.object.clone(), |whole| whole.object)),
                Err(error) if is_closed(&error) => Ok(found.object.clone()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        found: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        async move {
            // The older one has no word for the state.
            let older = self.older.put(name, root, None, provenance);
            let Some(newer) = self.newer.open() else {
                return older.await;
            };
            if !name.is_default() {
                let root = platform::Trees::in_own_words(root);
                return newer.trees.put(name, &root, found, provenance).await;
            }
            if platform::Trees::can_say(root) {
                let Some(newer) = self.newer.to_write() else {
                    return older.await;
                };
                let answer = newer.trees.put(name, root, found, provenance).await;
                return self.newer.written(answer, older).await;
            }
            // A tree from before may have what only the older one can say. Where that one isn't there any more, the matchers are said in the newer one's
            // words, and what it has none for is refused.
            match older.await {
                Err(closed) if is_closed(&closed) => {
                    let root = platform::Trees::in_own_words(root);
                    newer.trees.put(name, &root, found, provenance).await
                }
                answer => answer,
            }
        }
        .boxed()
    }

    fn remove<'a>(&'a self, name: &'a TreeName, found: Option<&'a Revision>) -> Answer<'a, ()> {
        async move {
            if !name.is_default()
                && let Some(newer) = self.newer.open()
            {
                return newer.trees.remove(name, found).await;
            }
            let Some(newer) = self.newer.to_write() else {
                return self.older.remove(name, None).await;
            };
            let answer = newer.trees.remove(name, found).await;
            self.newer.written(answer, self.older.remove(name, None)).await
        }
        .boxed()
    }
}
