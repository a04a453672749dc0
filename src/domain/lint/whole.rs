//! All rules together.

use super::finding::Finding;
use super::object::Object;
use super::options::Options;
use super::references::Index;
use super::schema::Schemas;
use super::{advice, duplicates, own, references};

/// What is found in one resource by itself; `at` is its number among all that are looked at.
pub fn each(at: usize, object: &Object, schemas: &Schemas, options: &Options) -> Vec<Finding> {
    let mut found = schemas.check(at, object);
    let own = own::check(at, object, options, &found);
    found.extend(own);
    found.extend(advice::each(at, object, options));
    found.retain(|finding| options.tells(finding, object));
    found
}

/// What is found between resources, and how many references lead to where nothing was looked at.
pub fn across(objects: &[Object], options: &Options) -> (Vec<Finding>, usize) {
    let (mut found, unseen) = references::check(objects, &Index::of(objects));
    found.extend(duplicates::check(objects, options));
    found.extend(advice::across(objects));
    found.retain(|finding| {
        let object = objects.get(finding.object);
        object.is_some_and(|object| options.tells(finding, object))
    });
    (found, unseen)
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
