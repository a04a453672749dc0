//! The policy tree that Grafana holds: whose it is, as a mark in it says, and what follows.

use serde_json::Value;

use super::losses;
use crate::domain::changed::drift::{self, DELETED};
use crate::domain::tenancy::Adoption;
use crate::grafana::digest::RouteDigest;
use crate::grafana::model::{Found, Route, TreeName};

/// Label of the mark: the first of a tree's routes, which asks that this label has a value and has it not, so that no alert matches.
/// A rule of ours can't have a label that begins so, and a query can't bring forth one that is and isn't.
pub const MARK: &str = "__alertwright_tree__";

/// The tree with a mark in it that says whose it is: `ownerID/namespace/name`.
pub fn marked(tree: Route, whose: &str) -> Route {
    let matcher = |operator: &str| (MARK.to_owned(), operator.to_owned(), whose.to_owned());
    let mark = Route {
        receiver: tree.receiver.clone(),
        object_matchers: vec![matcher("="), matcher("!=")],
        ..Route::default()
    };
    Route {
        routes: std::iter::once(mark).chain(tree.routes).collect(),
        ..tree
    }
}

/// Whose a tree is by its mark: `ownerID/namespace/name`. People may have put routes before it.
pub fn mark(tree: &Route) -> Option<&str> {
    tree.routes.iter().find_map(mark_in)
}

/// Whether a route is the mark of its tree, which takes no alert.
pub fn is_mark(route: &Route) -> bool {
    mark_in(route).is_some()
}

fn mark_in(route: &Route) -> Option<&str> {
    let mut matchers = route.object_matchers.iter();
    let found = matchers.find(|(label, operator, _)| label == MARK && operator == "=");
    found.map(|(_, _, whose)| whose.as_str())
}

/// The tree without its mark.
fn unmarked(tree: &Route) -> Route {
    let routes = tree.routes.iter();
    Route {
        routes: routes.filter(|route| !is_mark(route)).cloned().collect(),
        ..tree.clone()
    }
}

/// Whose the tree is that Grafana holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's: there is none, or none but the default one of a fresh Grafana, which has neither routes nor provenance.
    Nobody,
    /// Ours: it carries our mark, or stands where ours is known to have stood and carries nobody's.
    Us,
    /// Somebody else's, with what its mark says if another operator has made it.
    Other(Option<String>),
}

impl Holder {
    /// Whose the tree of this name is. `is_ours` says whether a mark is; `had_it` whether we have written this tree of this Grafana, and not
    /// given it back since.
    pub fn of(
        name: &TreeName,
        found: Option<&Found<Route>>,
        is_ours: impl Fn(&str) -> bool,
        had_it: bool,
    ) -> Self {
        match found.and_then(|tree| mark(&tree.object)) {
            Some(mark) if is_ours(mark) => return Self::Us,
            Some(mark) => return Self::Other(Some(mark.to_owned())),
            None if had_it => return Self::Us,
            None => {}
        }
        if found.is_none_or(|tree| is_grafanas_own(name, &tree.object, tree.is_provisioned())) {
            Self::Nobody
        } else {
            Self::Other(None)
        }
    }
}

/// What to do with the tree that Grafana holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeDecision {
    /// It is as it should be, mark included.
    Keep,
    /// It isn't; whoever made it is us.
    Correct,
    /// It is nobody's, or may be taken over: remember it, then write ours.
    TakeOver,
    /// Somebody else made it.
    NotOwned,
}

/// What follows from whose tree Grafana holds. `wish` carries its mark. One that already says what is wished, and nothing else, is taken over
/// without being asked for, unless that is forbidden.
pub fn decide(
    wish: &Route,
    found: Option<&Found<Route>>,
    holder: &Holder,
    adoption: Adoption,
) -> TreeDecision {
    let digest = found.map(|tree| RouteDigest::of(&tree.object));
    let says_more = || found.is_some_and(|tree| losses::said(&tree.object, Some(wish)).is_some());
    if digest == Some(RouteDigest::of(wish)) && found.is_some_and(Found::is_provisioned) {
        return TreeDecision::Keep;
    }
    match holder {
        Holder::Us => TreeDecision::Correct,
        Holder::Nobody => TreeDecision::TakeOver,
        Holder::Other(_) if adoption == Adoption::Asked => TreeDecision::TakeOver,
        Holder::Other(_) if adoption == Adoption::Forbidden => TreeDecision::NotOwned,
        Holder::Other(_) if digest == Some(RouteDigest::of(&unmarked(wish))) && !says_more() => {
            TreeDecision::TakeOver
        }
        Holder::Other(_) => TreeDecision::NotOwned,
    }
}

/// What somebody has changed of a tree of ours that was stored as it is wished; nothing where it carries another's mark.
pub fn drift(wish: &Route, found: Option<&Found<Route>>) -> Vec<String> {
    let Some(found) = found else {
        return vec![DELETED.to_owned()];
    };
    if mark(&found.object).is_some_and(|whose| mark(wish) != Some(whose)) {
        return Vec::new();
    }
    let mut fields = changed(wish, &found.object);
    if !found.is_provisioned() {
        fields.push("provenance".to_owned());
    }
    fields
}

/// The fields in which a route, be it a whole tree, differs from the wish.
pub fn changed(wish: &Route, found: &Route) -> Vec<String> {
    let is_other = |tree: &Value| {
        let tree: Option<Route> = serde_json::from_value(tree.clone()).ok();
        tree.is_some_and(|tree| RouteDigest::of(&tree) != RouteDigest::of(wish))
    };
    let value = |tree: &Route| serde_json::to_value(tree).unwrap_or_default();
    drift::fields(&value(wish), &value(found), is_other)
}

/// In words, in which fields of its root a tree of somebody else's differs from the wish, and in which of its routes first; nothing where it says the same.
pub fn difference(wish: &Route, found: &Route) -> Option<String> {
    let (wish, found) = (unmarked(wish), &unmarked(found));
    let of = |route: &Route| Route {
        routes: Vec::new(),
        ..route.clone()
    };
    let is_other = |tree: &Value| {
        let tree: Option<Route> = serde_json::from_value(tree.clone()).ok();
        tree.is_some_and(|tree| RouteDigest::of(&tree) != RouteDigest::of(&of(&wish)))
    };
    let value = |tree: &Route| serde_json::to_value(of(tree)).unwrap_or_default();
    let mut fields = drift::fields(&value(&wish), &value(found), is_other);
    let (there, here) = (&found.routes, &wish.routes);
    let is_same = |(there, here): &(&Route, &Route)| RouteDigest::of(there) == RouteDigest::of(here);
    let same = there.iter().zip(here).take_while(is_same).count();
    if same < there.len().max(here.len()) {
        fields.push(format!(
            "routes ({} there and {} here, from routes[{same}] on)",
            there.len(),
            here.len()
        ));
    }
    (!fields.is_empty()).then(|| fields.join(", "))
}

/// What the tree of this name says that is lost while one of ours (`wish`, where it is known) stands in its place; `None` if nothing is. What a fresh
/// Grafana says of its own accord nobody misses.
pub fn lost(name: &TreeName, tree: &Route, wish: Option<&Route>, is_provisioned: bool) -> Option<String> {
    if is_grafanas_own(name, tree, is_provisioned) {
        return None;
    }
    losses::said(tree, wish)
}

/// Whether a tree is that of a fresh Grafana, which makes no other than the default one.
fn is_grafanas_own(name: &TreeName, tree: &Route, is_provisioned: bool) -> bool {
    name.is_default() && tree.routes.is_empty() && !is_provisioned
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    const MINE: &str = "prod/shop/tree";

    #[test]
    fn what_differs_in_somebody_elses_tree_is_named_and_the_mark_is_not() {
        let tree = |tree: Value| -> Route { from_value(tree).unwrap() };
        let wish = marked(
            tree(
                json!({"receiver": "ops", "group_by": ["a"], "routes": [{"receiver": "a"}, {"receiver": "b"}]}),
            ),
            MINE,
        );
        let of = |found: Value| difference(&wish, &tree(found));
        assert_eq!(of(serde_json::to_value(unmarked(&wish)).unwrap()), None);
        assert_eq!(
            of(json!({"receiver": "web", "group_by": ["a"], "group_wait": "1m", "routes": [{"receiver": "a"}, {"receiver": "c"}, {"receiver": "b"}]})).as_deref(),
            Some("group_wait, receiver, routes (3 there and 2 here, from routes[1] on)")
        );
        let fewer = json!({"receiver": "ops", "group_by": ["a"], "routes": [{"receiver": "a"}]});
        assert_eq!(
            of(fewer).as_deref(),
            Some("routes (1 there and 2 here, from routes[1] on)")
        );
    }

    #[test]
    fn drift_of_a_tree_names_its_fields_and_is_none_where_it_is_anothers() {
        let routes = json!([{"receiver": "b", "object_matchers": [["x", "=", "y"]]}]);
        let wish = marked(route(json!({"receiver": "a", "routes": routes})), MINE);
        let of = |tree: Route| super::drift(&wish, Some(&provisioned(tree)));
        assert_eq!(of(wish.clone()), [""; 0]);
        // Alertmanager's own default is no difference.
        let same = Route {
            group_wait: Some("30s".into()),
            ..wish.clone()
        };
        assert_eq!(of(same), [""; 0]);
        let other = Route {
            group_wait: Some("1m".into()),
            routes: Vec::new(),
            ..wish.clone()
        };
        assert_eq!(of(other), ["group_wait", "routes"]);
        let anothers = marked(route(json!({"receiver": "c"})), "prod/shop/other");
        assert_eq!(of(anothers), [""; 0]);
        assert_eq!(super::drift(&wish, Some(&by(None, wish.clone()))), ["provenance"]);
        assert_eq!(super::drift(&wish, None), ["deleted"]);
    }

    fn route(value: Value) -> Route {
        from_value(value).unwrap()
    }

    fn by(provenance: Option<&str>, tree: Route) -> Found<Route> {
        Found {
            object: tree,
            provenance: provenance.map(str::to_owned),
            revision: None,
        }
    }

    fn provisioned(tree: Route) -> Found<Route> {
        by(Some("api"), tree)
    }

    fn open(tree: Route) -> Found<Route> {
        by(None, tree)
    }

    fn wish() -> Route {
        route(
            json!({"receiver": "ops", "routes": [{"receiver": "pager", "object_matchers": [["a", "=", "b"]]}]}),
        )
    }

    #[test]
    fn a_mark_is_the_first_route_asks_for_the_impossible_and_is_read_wherever_people_have_moved_it() {
        let tree = marked(wish(), MINE);
        let expected = json!({"receiver": "ops", "object_matchers": [[MARK, "=", MINE], [MARK, "!=", MINE]]});
        assert_eq!(serde_json::to_value(&tree.routes[0]).unwrap(), expected);
        assert_eq!(tree.routes[1..], wish().routes);
        assert_eq!(mark(&tree), Some(MINE));
        assert_eq!(unmarked(&tree), wish());
        let moved = Route {
            routes: tree.routes.iter().rev().cloned().collect(),
            ..tree
        };
        assert_eq!(mark(&moved), Some(MINE));
        assert_eq!(mark(&wish()), None);
        // A route that names a rule's owner, as people may write it, is no mark.
        let named = json!({"routes": [{"object_matchers": [["__alertwright__", "=", MINE]]}]});
        assert_eq!(mark(&route(named)), None);
    }

    type Case<'a> = (Option<&'a Found<Route>>, bool, Adoption, TreeDecision, &'a str);

    /// What is found, whether this Grafana's tree was ours once, whether to adopt, and what follows.
    fn each_is_decided(cases: &[Case]) {
        for (found, had_it, adoption, expected, what) in cases {
            assert_eq!(
                decided(&TreeName::default(), *found, *had_it, *adoption),
                *expected,
                "{what}"
            );
        }
    }

    fn decided(
        name: &TreeName,
        found: Option<&Found<Route>>,
        had_it: bool,
        adoption: Adoption,
    ) -> TreeDecision {
        let holder = Holder::of(name, found, |mark| mark.starts_with("prod/"), had_it);
        decide(&marked(wish(), MINE), found, &holder, adoption)
    }

    fn other(mut tree: Route) -> Route {
        tree.routes.push(route(json!({"receiver": "y"})));
        tree
    }

    fn default() -> Route {
        route(json!({"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}))
    }

    #[test]
    fn a_tree_of_ours_is_kept_or_corrected() {
        use Adoption::Equal;
        use TreeDecision::{Correct, Keep};
        let mine = marked(wish(), MINE);
        let (ours, blank, editable) = (
            provisioned(mine.clone()),
            by(Some(""), mine.clone()),
            open(mine.clone()),
        );
        let (changed, unmarked) = (provisioned(other(mine)), open(other(wish())));
        let siblings = provisioned(marked(other(wish()), "prod/shop/older"));
        each_is_decided(&[
            (None, true, Equal, Correct, "gone"),
            (Some(&ours), true, Equal, Keep, "as wished"),
            (Some(&ours), false, Equal, Keep, "by its mark alone"),
            (Some(&editable), true, Equal, Correct, "open to editors"),
            (Some(&blank), true, Equal, Correct, "an empty provenance"),
            (Some(&changed), false, Equal, Correct, "changed by hand"),
            (Some(&unmarked), true, Equal, Correct, "put in its place"),
            (Some(&open(default())), true, Equal, Correct, "reset"),
            (Some(&siblings), false, Equal, Correct, "of another resource"),
        ]);
    }

    #[test]
    fn a_tree_of_somebody_else_is_left_alone_unless_it_is_adopted_or_nobodys() {
        use Adoption::{Asked, Equal, Forbidden};
        use TreeDecision::{NotOwned, TakeOver};
        let (equal, theirs) = (provisioned(wish()), open(other(wish())));
        let says_more = {
            let mut tree = wish();
            tree.routes[0]
                .unknown
                .insert("of_the_future".into(), json!(["x"]));
            provisioned(tree)
        };
        let (fresh, provisioned_default) = (open(default()), provisioned(default()));
        let operators = provisioned(marked(wish(), "staging/shop/tree"));
        each_is_decided(&[
            (None, false, Equal, TakeOver, "nothing"),
            (Some(&fresh), false, Equal, TakeOver, "a fresh Grafana's"),
            (Some(&open(wish())), false, Equal, TakeOver, "as wished, nobody's"),
            (Some(&equal), false, Equal, TakeOver, "as wished, somebody's"),
            (Some(&equal), false, Forbidden, NotOwned, "as wished, of others"),
            (
                Some(&fresh),
                false,
                Forbidden,
                TakeOver,
                "nobody's, adopting or not",
            ),
            (
                Some(&says_more),
                false,
                Equal,
                NotOwned,
                "as wished, and something unknown",
            ),
            (Some(&says_more), false, Asked, TakeOver, "the same, adopted"),
            (Some(&theirs), false, Equal, NotOwned, "other routes"),
            (Some(&theirs), false, Asked, TakeOver, "other routes, adopted"),
            (Some(&provisioned_default), false, Equal, NotOwned, "provisioned"),
            (Some(&operators), false, Equal, NotOwned, "another operator's"),
            (Some(&operators), true, Equal, NotOwned, "taken over from us"),
            (Some(&operators), false, Asked, TakeOver, "an operator's, adopted"),
        ]);
    }

    #[test]
    fn a_tree_beside_the_default_one_is_somebodys_even_where_it_has_no_routes() {
        use Adoption::{Asked, Equal};
        use TreeDecision::{Correct, Keep, NotOwned, TakeOver};
        let batch = TreeName("batch".to_owned());
        let (ours, empty) = (provisioned(marked(wish(), MINE)), open(default()));
        let (equal, changed) = (open(wish()), provisioned(other(marked(wish(), MINE))));
        let cases = [
            (None, false, Equal, TakeOver, "there is none"),
            (None, true, Equal, Correct, "ours, and gone"),
            (Some(&ours), false, Equal, Keep, "as wished"),
            (Some(&changed), false, Equal, Correct, "changed by hand"),
            (
                Some(&empty),
                false,
                Equal,
                NotOwned,
                "made by hand, without routes",
            ),
            (Some(&empty), true, Equal, Correct, "put in the place of ours"),
            (Some(&empty), false, Asked, TakeOver, "the same, adopted"),
            (Some(&equal), false, Equal, TakeOver, "as wished"),
        ];
        for (found, had_it, adoption, expected, what) in cases {
            assert_eq!(decided(&batch, found, had_it, adoption), expected, "{what}");
        }
        let more = route(json!({"receiver": "ops", "of_the_future": 1}));
        assert!(lost(&batch, &more, None, false).is_some());
        assert!(lost(&TreeName::default(), &more, None, false).is_none());
    }

    #[test]
    fn nobody_misses_what_a_fresh_grafana_says_of_its_own_accord() {
        let muted = json!({"receiver": "a", "routes": [{"mute_time_intervals": ["nights"]}]});
        let lost = |tree: &Route, is_provisioned| lost(&TreeName::default(), tree, None, is_provisioned);
        assert!(lost(&route(muted), false).is_some());
        let own = route(json!({"receiver": "grafana-default-email", "version": "abc"}));
        assert_eq!(lost(&own, false), None);
        assert!(lost(&own, true).is_some());
    }

    #[test]
    fn another_operators_mark_tells_whose_the_tree_is() {
        let theirs = open(marked(wish(), "staging/shop/tree"));
        let holder = Holder::of(&TreeName::default(), Some(&theirs), |_| false, false);
        assert_eq!(holder, Holder::Other(Some("staging/shop/tree".into())));
    }
}
