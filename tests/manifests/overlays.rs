//! What docs/install.md has people write over the base that kubectl applies.

use alertwright_testbed::Scratch;
use serde_json::Value;

use crate::{documents, of_kind, read, root, run};

/// The base with what the page has in the block that begins like this, as one writes it where the base is beside it.
fn overlaid(begins: &str) -> Value {
    // A part of a kustomization isn't YAML to those who try each manifest of the pages.
    let page = read("docs/install.md").replace("```yml\n", "```yaml\n");
    let (_, rest) = page.split_once(&format!("```yaml\n{begins}")).expect("the block");
    let (block, _) = rest.split_once("\n```").expect("its end");
    let mut overlay: Value = serde_saphyr::from_str(&format!("{begins}{block}")).expect("YAML");
    if let Some(resources) = overlay["resources"].as_array() {
        assert_eq!(resources.len(), 1);
        let address = resources[0].as_str().expect("an address");
        assert!(
            address.contains("//deploy?ref="),
            "{address} is whatever there is"
        );
    }
    overlay["resources"] = serde_json::json!(["deploy"]);
    let folder = Scratch::new("overlay").expect("a folder");
    folder
        .write("kustomization.yaml", overlay.to_string())
        .expect("a file");
    for base in ["deploy", "crds"] {
        run("cp", ["-R".into(), root().join(base), folder.join(base)]);
    }
    let objects = documents(&run("kubectl", ["kustomize".as_ref(), folder.path()]));
    of_kind(&objects, "Deployment")[0].clone()
}

#[test]
fn the_overlay_for_another_grafana_changes_its_address_and_nothing_else() {
    let deployment = overlaid("# kustomization.yaml");
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let changed: Vec<&Value> = env
        .as_array()
        .expect("variables")
        .iter()
        .filter(|variable| variable["value"] == "https://grafana.example.com")
        .collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["name"], "GRAFANA_URL");
}

#[test]
fn the_overlay_for_openshift_leaves_users_and_groups_to_it() {
    let deployment = overlaid("patches:");
    let context = &deployment["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(context["runAsNonRoot"], true, "{context}");
    let said = deployment.to_string();
    assert!(
        !said.contains("runAsUser") && !said.contains("runAsGroup"),
        "{context}"
    );
}
