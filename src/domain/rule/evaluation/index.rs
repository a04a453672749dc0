//! Values, found by labels: of many series each is compared with those that it belongs to, and not with all.

use std::collections::{BTreeMap, HashMap};

use super::{Labels, Value};

/// Values by their labels.
pub(super) struct Index<'a> {
    values: &'a [Value],
    /// The places of the values that have labels of exactly these names.
    shapes: BTreeMap<Vec<&'a str>, Vec<usize>>,
    /// How each shape is looked up by labels of these names.
    lookups: BTreeMap<Vec<&'a str>, Vec<Lookup<'a>>>,
    /// Whether values that have more labels are found too.
    finds_wider: bool,
}

/// The places of the values of one shape, by what their labels of these names are.
struct Lookup<'a> {
    names: Vec<&'a str>,
    places: HashMap<Vec<&'a str>, Vec<usize>>,
}

impl<'a> Index<'a> {
    /// Finds values whose labels are all among those that are asked for.
    pub(super) fn within(values: &'a [Value]) -> Self {
        Self::of(values, false)
    }

    /// Finds also values that have all labels that are asked for, and more.
    pub(super) fn joining(values: &'a [Value]) -> Self {
        Self::of(values, true)
    }

    fn of(values: &'a [Value], finds_wider: bool) -> Self {
        let mut shapes: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for (at, value) in values.iter().enumerate() {
            shapes.entry(names(&value.labels)).or_default().push(at);
        }
        Self {
            values,
            shapes,
            lookups: BTreeMap::new(),
            finds_wider,
        }
    }

    /// The values that belong to these labels, in their order.
    pub(super) fn find(&mut self, labels: &'a Labels) -> Vec<&'a Value> {
        let names = names(labels);
        if !self.lookups.contains_key(&names) {
            let lookups = self.look_up(&names);
            self.lookups.insert(names.clone(), lookups);
        }
        let mut found = Vec::new();
        for lookup in self.lookups.get(&names).into_iter().flatten() {
            #[cfg(test)]
            counted::LOOKED.with(|looked| looked.set(looked.get() + 1));
            if let Some(places) = values_of(labels, &lookup.names).and_then(|key| lookup.places.get(&key)) {
                found.extend_from_slice(places);
            }
        }
        found.sort_unstable();
        found.into_iter().filter_map(|at| self.values.get(at)).collect()
    }

    fn look_up(&self, names: &[&'a str]) -> Vec<Lookup<'a>> {
        let are_among = |some: &[&str], all: &[&str]| some.iter().all(|name| all.contains(name));
        let mut lookups = Vec::new();
        for (shape, places) in &self.shapes {
            let by = if are_among(shape, names) {
                shape.clone()
            } else if self.finds_wider && are_among(names, shape) {
                names.to_vec()
            } else {
                continue;
            };
            let mut of: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
            for at in places {
                let value = self.values.get(*at);
                if let Some(key) = value.and_then(|value| values_of(&value.labels, &by)) {
                    of.entry(key).or_default().push(*at);
                }
            }
            lookups.push(Lookup {
                names: by,
                places: of,
            });
        }
        lookups
    }
}

fn names(labels: &Labels) -> Vec<&str> {
    labels.keys().map(String::as_str).collect()
}

fn values_of<'b>(labels: &'b Labels, names: &[&str]) -> Option<Vec<&'b str>> {
    let each = names.iter().map(|name| labels.get(*name).map(String::as_str));
    each.collect()
}

/// How often was looked, for tests.
#[cfg(test)]
pub(super) mod counted {
    std::thread_local! {
        pub(in super::super) static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn contains(labels: &Labels, other: &Labels) -> bool {
        other.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    fn labels() -> impl Strategy<Value = Labels> {
        btree_map("[a-d]", "[x-y]", 0..4)
    }

    proptest! {
        #[test]
        fn it_finds_what_a_look_at_every_value_finds_in_the_same_order(all in vec(labels(), 0..20), asked in vec(labels(), 1..8)) {
            let values: Vec<Value> = (0..).zip(all).map(|(at, labels)| Value::of(labels, Some(f64::from(at)))).collect();
            let (mut within, mut joining) = (Index::within(&values), Index::joining(&values));
            for labels in &asked {
                let among = |value: &&Value| contains(labels, &value.labels);
                let either = |value: &&Value| among(value) || contains(&value.labels, labels);
                prop_assert_eq!(within.find(labels), values.iter().filter(among).collect::<Vec<_>>());
                prop_assert_eq!(joining.find(labels), values.iter().filter(either).collect::<Vec<_>>());
            }
        }
    }
}
