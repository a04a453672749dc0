//! One resource in several Grafanas: what the definitions of the kinds that can be have in common.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, ValidationRule,
};

/// The names in `self` or `oldSelf`. A list may be null, which is as if it weren't there.
fn names_in(object: &str) -> String {
    format!(
        "(has({object}.spec.instances) && dyn({object}.spec.instances) != null ? {object}.spec.instances : [has({object}.spec.instance) ? {object}.spec.instance : 'default'])"
    )
}

fn rule(path: &str, message: &str, rule: String) -> ValidationRule {
    ValidationRule {
        field_path: (!path.is_empty()).then(|| path.to_owned()),
        message: Some(message.to_owned()),
        rule,
        ..ValidationRule::default()
    }
}

/// Says of a kind with `spec.instances` what may be changed, and of its status what there is for each instance.
///
/// What a MaintenancePolicy names may be changed at will: it has nothing in Grafana itself, and each silence stays where it has opened.
///
/// What a status without `instances` speaks of isn't named in it: it is the first of the instances. So that one stays the first, and none goes, until
/// the status names them. The AlertRules of an import have such a status, and the import has none: what it lets happen they must let happen one by one.
pub(super) fn add(kind: &str, root: &mut JSONSchemaProps) {
    let Some(spec) = field(root, "spec").filter(|spec| has(spec, "instances")) else {
        return;
    };
    spec.x_kubernetes_validations.get_or_insert_default().push(rule(
        "",
        "give instance or instances, not both",
        "!has(self.instance) || !has(self.instances) || dyn(self.instances) == null".to_owned(),
    ));
    if let Some(list) = field(spec, "instances") {
        list.x_kubernetes_validations.get_or_insert_default().push(rule(
            "",
            "each GrafanaInstance can be named once",
            "dyn(self) == null || self.all(one, self.exists_one(other, other == one))".to_owned(),
        ));
        if let Some(JSONSchemaPropsOrArray::Schema(name)) = &mut list.items {
            name.x_kubernetes_validations.get_or_insert_default().push(rule(
                "",
                "each is the name of one GrafanaInstance, of lower-case letters, digits, dashes and dots",
                "self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')".to_owned(),
            ));
        }
    }
    if kind == "MaintenancePolicy" {
        return;
    }
    let (before, now) = (names_in("oldSelf"), names_in("self"));
    let has_statuses = field(root, "status").is_some_and(|status| has(status, "instances"));
    let (message, or) = if has_statuses {
        (
            "instance is immutable: to move the resource, list both in instances, the former one first, and take that out as soon as status.instances names both",
            "has(oldSelf.status) && has(oldSelf.status.instances)".to_owned(),
        )
    } else {
        (
            "instance is immutable: to move the rules, list both in instances, the former one first, and take that out as soon as status.instances of the AlertRules names both",
            format!("{now}.all(name, name in {before})"),
        )
    };
    root.x_kubernetes_validations.get_or_insert_default().push(rule(
        ".spec.instance",
        message,
        format!("({or}) || ({before}[0] == {now}[0] && {before}.all(name, name in {now}))"),
    ));
    if !has_statuses {
        return;
    }
    let Some(status) = field(root, "status") else {
        return;
    };
    let mut one = status.clone();
    one.description = None;
    let properties = one.properties.get_or_insert_default();
    properties.remove("instances");
    properties.insert(
        "instance".to_owned(),
        JSONSchemaProps {
            description: Some("The GrafanaInstance.".to_owned()),
            type_: Some("string".to_owned()),
            ..JSONSchemaProps::default()
        },
    );
    one.required = Some(vec!["instance".to_owned()]);
    one.nullable = None;
    if let Some(list) = field(status, "instances") {
        list.items = Some(JSONSchemaPropsOrArray::Schema(Box::new(one)));
        list.x_kubernetes_list_type = Some("map".to_owned());
        list.x_kubernetes_list_map_keys = Some(vec!["instance".to_owned()]);
    }
}

fn has(schema: &JSONSchemaProps, name: &str) -> bool {
    let properties = schema.properties.as_ref();
    properties.is_some_and(|properties| properties.contains_key(name))
}

fn field<'a>(schema: &'a mut JSONSchemaProps, name: &str) -> Option<&'a mut JSONSchemaProps> {
    schema.properties.as_mut()?.get_mut(name)
}
