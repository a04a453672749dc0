//! All rules together.

use std::borrow::Cow;

use super::finding::Finding;
use super::object::Object;
use super::options::Options;
use super::references::Index;
use super::schema::Schemas;
use super::standing::Standing;
use super::{advice, duplicates, own, references, texts};

/// What is found in one resource by itself; `at` is its number among all that are looked at.
pub fn each(at: usize, object: &Object, schemas: &Schemas, options: &Options) -> Vec<Finding> {
    let mut found = schemas.check(at, object);
    let readable = object.as_far_as_readable();
    let own = own::check(at, &readable, options, &found);
    found.extend(own);
    found.extend(advice::each(at, &readable, options));
    found.retain(|finding| options.tells(finding, object));
    found
}

/// What is found between resources and those that stand beside them, and how many references lead to where nothing was looked at.
pub fn across(objects: &[Object], standing: &Standing, options: &Options) -> (Vec<Finding>, usize) {
    let all = if standing.others.is_empty() {
        Cow::Borrowed(objects)
    } else {
        Cow::Owned([objects, &standing.others].concat())
    };
    let (mut found, unseen) = references::check(objects, &Index::of(&all, &standing.known));
    found.extend(texts::uncalled(objects, &all));
    found.extend(duplicates::check(&all, objects.len(), standing, options));
    found.extend(advice::across(&all));
    // What is wrong with one that stands there is nothing that these files do.
    found.retain(|finding| {
        let object = objects.get(finding.object);
        object.is_some_and(|object| options.tells(finding, object))
    });
    (found, unseen)
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "whole_data_tests.rs"]
mod data_tests;
