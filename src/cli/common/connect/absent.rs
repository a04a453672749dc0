//! That a namespace or a resource isn't there, and which one may be meant.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, ResourceExt};

use super::Connected;
use crate::cluster::answer::is_missing;
use crate::domain::lint::near::nearest;

impl Connected {
    /// Fails where there is no such namespace. Who may not look at namespaces isn't told.
    pub(in super::super::super) async fn check_namespace(&self, namespace: &str) -> Result<(), String> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        match api.get_metadata(namespace).await {
            Err(error) if is_missing(&error) => Err(format!("there is no namespace {namespace}")),
            _ => Ok(()),
        }
    }

    /// What to add where there is no such resource: one of that name elsewhere, or one of a name like it. Nothing of what one may not see.
    pub(in super::super::super) async fn hint(
        &self,
        resource: &ApiResource,
        namespace: &str,
        name: &str,
    ) -> String {
        let any = ListParams::default().match_any();
        let everywhere: Api<DynamicObject> = Api::all_with(self.client.clone(), resource);
        let here: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, resource);
        let found = match everywhere.list_metadata(&any).await {
            Ok(found) => found.items,
            Err(_) => here
                .list_metadata(&any)
                .await
                .map_or_else(|_| Vec::new(), |found| found.items),
        };
        let all: Vec<_> = found
            .iter()
            .map(|object| (object.namespace().unwrap_or_default(), object.name_any()))
            .collect();
        hint(
            namespace,
            name,
            all.iter().map(|(namespace, name)| (&**namespace, &**name)),
        )
    }
}

/// The same by the namespaces and names that there are.
pub(in super::super::super) fn hint<'a>(
    namespace: &str,
    name: &str,
    all: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> String {
    let mut of_that_name = all.clone().filter(|(_, other)| *other == name);
    if let Some((elsewhere, name)) = of_that_name.next() {
        return format!("; there is {elsewhere}/{name}");
    }
    let here = all.filter(|(other, _)| *other == namespace);
    nearest(name, here.map(|(_, name)| name)).map_or_else(String::new, |near| format!("; there is {near}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_is_meant_is_elsewhere_or_has_a_name_like_it() {
        let all = [
            ("revel", "stripe-failures"),
            ("shop", "stripe-errors"),
            ("shop", "latency"),
        ];
        for (name, said) in [
            ("stripe-failures", "; there is revel/stripe-failures"),
            ("stripe-error", "; there is stripe-errors"),
            ("pods", ""),
        ] {
            assert_eq!(hint("shop", name, all.into_iter()), said);
        }
    }
}
