//! Fields that people know from Grafana or Prometheus and expect here, and that aren't there yet or have another name.
//!
//! An API server drops a field that its schema doesn't know, and says so only to clients that ask for it (`fieldValidation`). What was written
//! would then have no effect, or another one than was meant, and nobody would hear of it. So these are in the schemas, and refused with what to do
//! meanwhile, or in their place. They have the type that they will have.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, ValidationRule,
};

struct Field {
    kind: &'static str,
    /// The fields below `spec` that lead to the object that has it; `[]` for the elements of a list.
    within: &'static [&'static str],
    name: &'static str,
    type_: &'static str,
    answer: Answer,
}

/// What is said of a field.
#[derive(Clone, Copy)]
enum Answer {
    /// What to write in its place.
    Called(&'static str),
}

impl Field {
    fn message(&self) -> String {
        let name = self.name;
        match self.answer {
            Answer::Called(cure) => format!("{name} is Prometheus' name: {cure}"),
        }
    }

    fn description(&self) -> String {
        match self.answer {
            Answer::Called(cure) => format!("Refused, for it is Prometheus' name: {cure}."),
        }
    }
}

const FIELDS: &[Field] = &[
    Field {
        kind: "AlertRule",
        within: &[],
        name: "expr",
        type_: "string",
        answer: Answer::Called("write query, with the same text, its comparison included"),
    },
    Field {
        kind: "AlertRule",
        within: &[],
        name: "alert",
        type_: "string",
        answer: Answer::Called("write title, or leave it to the resource's name"),
    },
    Field {
        kind: "AlertRule",
        within: &[],
        name: "keep_firing_for",
        type_: "string",
        answer: Answer::Called("write keepFiringFor"),
    },
];

/// Adds to the schema of a kind what is not there yet.
pub(super) fn add(kind: &str, root: &mut JSONSchemaProps) {
    for field in FIELDS.iter().filter(|field| field.kind == kind) {
        let Some(object) = at(root, &["spec"]).and_then(|spec| at(spec, field.within)) else {
            continue;
        };
        let rule = ValidationRule {
            field_path: Some(format!(".{}", field.name)),
            message: Some(field.message()),
            rule: format!("!has(self.{})", field.name),
            ..ValidationRule::default()
        };
        object.x_kubernetes_validations.get_or_insert_default().push(rule);
        let schema = JSONSchemaProps {
            description: Some(field.description()),
            nullable: Some(true),
            type_: Some(field.type_.to_owned()),
            x_kubernetes_preserve_unknown_fields: (field.type_ == "object").then_some(true),
            ..JSONSchemaProps::default()
        };
        object
            .properties
            .get_or_insert_default()
            .insert(field.name.to_owned(), schema);
    }
}

fn at<'a>(schema: &'a mut JSONSchemaProps, path: &[&str]) -> Option<&'a mut JSONSchemaProps> {
    let Some((first, rest)) = path.split_first() else {
        return Some(schema);
    };
    let inner = match (*first, &mut schema.items) {
        ("[]", Some(JSONSchemaPropsOrArray::Schema(items))) => Some(items.as_mut()),
        _ => schema.properties.as_mut()?.get_mut(*first),
    };
    at(inner?, rest)
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt;

    use super::super::alert_rule::AlertRule;
    use super::*;

    #[test]
    fn every_field_that_is_refused_finds_its_place_and_stands_in_the_way_of_none_that_is() {
        let kinds = [AlertRule::crd()];
        for field in FIELDS {
            let crd = kinds.iter().find(|crd| crd.spec.names.kind == field.kind);
            let mut root = crd
                .and_then(|crd| crd.spec.versions.first()?.schema.clone()?.open_api_v3_schema)
                .expect(field.kind);
            let object = |root: &mut JSONSchemaProps| {
                at(root, &["spec"])
                    .and_then(|spec| at(spec, field.within))
                    .cloned()
                    .expect(field.name)
            };
            let before = object(&mut root);
            assert!(
                !before.properties.unwrap_or_default().contains_key(field.name),
                "{} is there by now",
                field.name
            );
            add(field.kind, &mut root);
            let after = object(&mut root);
            assert!(after.properties.unwrap_or_default().contains_key(field.name));
            let rules = after.x_kubernetes_validations.unwrap_or_default();
            assert!(
                rules
                    .iter()
                    .any(|rule| rule.rule == format!("!has(self.{})", field.name)),
                "{}: {rules:#?}",
                field.name
            );
        }
    }
}
