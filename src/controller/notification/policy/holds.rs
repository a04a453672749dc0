//! Whether a tree in Grafana is a root's, whatever its status says.

use crate::api::NotificationPolicy;
use crate::cluster::memory::Remembered;
use crate::controller::connection::Instance;
use crate::controller::context::{Context, Holding, made_by};
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::notification::tree as marks;

impl Holding for NotificationPolicy {
    fn holds(&self, key: &Key, instance: &Instance) -> bool {
        matches!(key, Key::Tree(_, name) if *name == self.tree()) && self.has_tree(instance)
    }
    fn named(key: &Key, instance: &Instance) -> Option<Vec<(String, String)>> {
        let Key::Tree(_, name) = key else { return None };
        let marked = instance.mirror.read(|held| {
            let tree = held.trees.before(name).present();
            tree.and_then(|tree| marks::mark(&tree.object)).map(str::to_owned)
        });
        let memory = instance.memory().ok();
        let noted = memory.and_then(|memory| memory.read(|memory| memory.tree(name).mark.clone()));
        let all = [marked, noted];
        Some(
            all.iter()
                .flat_map(|mark| made_by(instance, mark.as_deref()))
                .collect(),
        )
    }
    fn all(context: &Context) -> &Store<Self> {
        &context.stores.policies
    }
}

impl NotificationPolicy {
    /// Whether a tree in Grafana is this root's by its mark, or was, and the one from before has still to be put in its place.
    pub(in crate::controller) fn has_tree(&self, instance: &Instance) -> bool {
        let name = self.tree();
        let is_own = |mark: &str| instance.owners.marks(mark, self.ns(), self.id());
        let is_marked = instance.mirror.read(|held| {
            let tree = held.trees.before(&name).present();
            tree.and_then(|tree| marks::mark(&tree.object))
                .is_some_and(is_own)
        });
        let is_noted = |memory: &Remembered| memory.tree(&name).was_of(is_own);
        is_marked || instance.memory().is_ok_and(|memory| memory.read(is_noted))
    }
}
