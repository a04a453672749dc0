//! Policy trees.

use crate::controller::connection::Instance;
use crate::controller::instance::changed::Changed;
use crate::controller::instance::watch::{Begun, Watchable};
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Part};
use crate::grafana::model::{Found, Route, TreeName};
use crate::grafana::{self, Grafana};

/// Returns the names of what changed, and how it goes on.
pub(super) async fn read(instance: &Instance) -> grafana::Result<(Vec<TreeName>, Option<Begun>)> {
    let poll = instance.mirror.write(|held| held.trees.begin_poll());
    let listed = instance.grafana.trees.list().await?;
    let (changed, watched) = instance
        .mirror
        .write(|held| held.trees.finish_list(poll, listed.items));
    let begun = listed.watch.map(|watch| Begun::of::<Trees>(watched, watch));
    Ok((changed, begun))
}

/// Trees, as they are watched.
struct Trees;

impl Watchable for Trees {
    type Key = TreeName;
    type Item = (TreeName, Found<Route>);
    type Value = Found<Route>;
    type Mirrored = Collection<TreeName, Found<Route>>;
    const PART: Part = Part::Policy;

    fn known(found: (TreeName, Found<Route>)) -> (TreeName, Found<Route>) {
        found
    }

    fn mirrored(held: &mut Held) -> &mut Self::Mirrored {
        &mut held.trees
    }

    fn look<'a>(grafana: &'a Grafana, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        grafana.trees.get(name)
    }

    fn changed(_: &Held, names: Vec<TreeName>) -> Changed {
        Changed {
            trees: names,
            ..Changed::default()
        }
    }
}
