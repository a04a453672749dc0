//! Every manifest in the documentation is accepted by an API server that has our definitions.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use alertwright_testbed::{ControlPlane, Scratch};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use crate::{control_plane, root};

/// The kustomize base as the documentation names it.
const PUBLISHED: &str = concat!(
    "https://github.com/letsrevel/alertwright//deploy?ref=v",
    env!("CARGO_PKG_VERSION")
);

/// Every page that users read.
fn pages() -> Vec<PathBuf> {
    let mut folders = vec![root().to_owned()];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_documentation =
                path.parent() != Some(root()) || ["docs", "deploy", "charts"].contains(&&*name);
            if path.is_dir() && is_documentation {
                folders.push(path);
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// What a title is found by in a link, as GitHub has it.
fn anchor(title: &str) -> String {
    let lower = title.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a page, and where its links lead within the project.
fn anchors_and_links(page: &Path) -> (BTreeSet<String>, Vec<String>) {
    let text = fs::read_to_string(page).expect("a page");
    let (mut anchors, mut links, mut title) = (BTreeSet::new(), Vec::new(), None);
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::Heading { .. }) => title = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(title.take().map(|title| anchor(&title))),
            Event::Text(text) | Event::Code(text) => title.iter_mut().for_each(|title| title.push_str(&text)),
            Event::Start(Tag::Link { dest_url, .. }) if !dest_url.contains(':') => {
                links.push(dest_url.to_string());
            }
            _ => {}
        }
    }
    (anchors, links)
}

#[test]
fn every_link_within_the_documentation_leads_somewhere() {
    let pages = pages();
    let mut count = 0;
    for page in &pages {
        let (own, links) = anchors_and_links(page);
        for link in links {
            count += 1;
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let folder = page.parent().expect("a page is in a folder");
            let target = folder.join(path);
            assert!(path.is_empty() || target.exists(), "{}: {link}", page.display());
            if fragment.is_empty() {
                continue;
            }
            let there = match path {
                "" => own.clone(),
                _ => anchors_and_links(&target).0,
            };
            assert!(there.contains(fragment), "{}: {link}: {there:?}", page.display());
        }
    }
    assert!(count > 50, "{count} links in {} pages", pages.len());
}

/// The site's contents are made from these indexes.
#[test]
fn every_page_of_the_documentation_is_in_the_index_of_its_folder() {
    let docs = root().join("docs");
    let pages = pages().into_iter().filter(|page| page.starts_with(&docs));
    for page in pages.filter(|page| !page.ends_with("README.md")) {
        let index = page.with_file_name("README.md");
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        let (_, links) = anchors_and_links(&index);
        assert!(
            links.iter().any(|link| *link == name),
            "{} has no link to {name}",
            index.display()
        );
    }
}

/// A page's manifests: its blocks of YAML, and what its commands read from a here-document.
fn manifests(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let mut found = Vec::new();
    let mut language = None;
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                language = Some(info.to_string());
                found.push(String::new());
            }
            Event::Text(text) if language.is_some() => {
                found.last_mut().expect("a block has begun").push_str(&text);
            }
            Event::End(TagEnd::CodeBlock) => {
                if let (Some(language), Some(block)) = (language.take(), found.pop()) {
                    match language.as_str() {
                        "yaml" => found.push(block),
                        "sh" => found.extend(here_documents(&block)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn here_documents(commands: &str) -> Vec<String> {
    let starts = commands.split("<<'END'\n").skip(1);
    starts
        .filter_map(|rest| rest.split_once("\nEND\n"))
        .map(|(document, _)| document.to_owned())
        .collect()
}

/// What a kustomization makes, based on this checkout instead of the published one.
fn built(kustomization: &str) -> String {
    let scratch = Scratch::new("kustomization").expect("a folder");
    let run = |program: &str, args: &[&OsStr]| {
        let output = Command::new(program).args(args).output().expect(program);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}\n{kustomization}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    // Copied, because kustomize takes no absolute paths.
    for folder in ["deploy", "crds"] {
        let (from, to) = (root().join(folder), scratch.join(folder));
        run("cp", &["-R".as_ref(), from.as_ref(), to.as_ref()]);
    }
    let overlay = scratch.join("overlay");
    fs::create_dir(&overlay).expect("a folder");
    let here = kustomization.replace(PUBLISHED, "../deploy");
    assert_ne!(here, kustomization, "it is based on {PUBLISHED}");
    fs::write(overlay.join("kustomization.yaml"), here).expect("it can be written");
    run("kubectl", &["kustomize".as_ref(), overlay.as_ref()])
}

async fn accept(plane: &ControlPlane, manifest: &str, page: &Path) {
    let objects: Vec<Value> = serde_saphyr::from_multiple(manifest)
        .unwrap_or_else(|error| panic!("{}: {error}\n{manifest}", page.display()));
    for object in objects {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
        let exists = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        plane.apply(&exists.to_string(), "default").await;
        let args = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
        let output = plane.kubectl_with_input(args, &object.to_string()).await;
        assert!(
            output.success,
            "{}: {}\n{manifest}",
            page.display(),
            output.stderr
        );
    }
}

#[tokio::test]
async fn every_manifest_of_the_documentation_is_accepted() {
    let plane = control_plane().await;
    let mut kinds = BTreeSet::new();
    for page in pages() {
        for manifest in manifests(&page) {
            let object: Value = serde_saphyr::from_str(&manifest).unwrap_or_default();
            let kind = object["kind"].as_str().unwrap_or("several").to_owned();
            if kind == "Kustomization" && object["apiVersion"] == "kustomize.config.k8s.io/v1beta1" {
                accept(plane, &built(&manifest), &page).await;
            } else {
                accept(plane, &manifest, &page).await;
            }
            kinds.insert(kind);
        }
    }
    // Where these are, the blocks have been found.
    for kind in ["AlertRule", "Kustomization"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
}
