mod notifications;
mod places;
mod rules;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::domain::ownership::Owner;
use crate::domain::version::Version;
use crate::grafana::model::{Found, Route, Template, TreeName};
use crate::grafana::wire::{DataSource, Folder, Toggles};

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn owners() -> Owners {
    Owners::new(Owner::parse("prod").unwrap(), &[])
}

fn asked() -> Asked {
    Asked {
        namespace: Some("shop".to_owned()),
        secret: "secrets".to_owned(),
        adopts: true,
        ..Asked::default()
    }
}

fn exported(held: &Holdings, asked: &Asked) -> Export {
    let export = export(held, asked, &owners(), now());
    for resource in &export.resources {
        // Whoever reads it as YAML reads the same.
        let manifest = resource.manifest();
        let text = serde_saphyr::to_string(&manifest).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, serde_json::to_value(&manifest).unwrap(), "{text}");
    }
    export
}

/// The specifications by their resources' names.
fn specs(export: &Export) -> BTreeMap<&str, Value> {
    let all = export.resources.iter();
    all.map(|resource| {
        (
            resource.name.as_str(),
            serde_json::to_value(&resource.spec).unwrap(),
        )
    })
    .collect()
}

fn found<T>(object: T) -> Found<T> {
    Found {
        object,
        provenance: None,
        revision: None,
    }
}
