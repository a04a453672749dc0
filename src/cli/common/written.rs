//! The files that resources become, whatever they were before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::document::to_yaml;
use super::print::harmless;
use crate::api::reference::SecretKeyRef;
use crate::domain::export::resource::{Kind, Resource};
use crate::domain::import::name::words;

/// How files are laid out in a directory.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Layout {
    /// A directory for each kind.
    Kind,
    /// A directory for each folder of rules, and one for each other kind.
    Folder,
    /// All in the directory itself.
    Flat,
}

/// What is written.
pub(in super::super) struct Written {
    directory: Option<PathBuf>,
    /// Each resource with its file within the directory, in their order.
    resources: Vec<(PathBuf, String)>,
    /// What no resource says.
    left: String,
}

impl Written {
    /// Resources as they are written, with a line for each of what no resource says.
    pub(in super::super) fn of<'a>(
        all: impl Iterator<Item = &'a Resource>,
        left: impl Iterator<Item = String>,
        directory: Option<&Path>,
        layout: Layout,
    ) -> Result<Self, String> {
        let mut taken = BTreeSet::new();
        let mut resources = Vec::new();
        for resource in all {
            let mut file = place(resource, layout);
            // Two folders may be of one name in small letters.
            while !taken.insert(file.clone()) {
                file = file.with_extension("more.yaml");
            }
            resources.push((file, text(resource)?));
        }
        let left = left.map(|line| format!("# Not carried over: {}\n", harmless(&line)));
        Ok(Self {
            directory: directory.map(Path::to_path_buf),
            resources,
            left: left.collect(),
        })
    }

    /// The file of a resource, by its number.
    pub(in super::super) fn file(&self, at: usize) -> Option<String> {
        let directory = self.directory.as_ref()?;
        let (file, _) = self.resources.get(at)?;
        Some(directory.join(file).display().to_string())
    }

    /// All in one.
    pub(in super::super) fn stream(&self) -> String {
        let all = self.resources.iter().map(|(_, text)| format!("---\n{text}"));
        all.chain([self.left.clone()]).collect()
    }

    /// The files of the directory, if one is asked for, with what kustomize needs to know of them.
    pub(in super::super) fn files(&self) -> impl Iterator<Item = (PathBuf, String)> + '_ {
        let directory = self.directory.iter();
        directory.flat_map(|directory| {
            let files = self
                .resources
                .iter()
                .map(|(file, text)| (directory.join(file), text.clone()));
            let kustomization = (directory.join("kustomization.yaml"), self.kustomization());
            files.chain([kustomization])
        })
    }

    fn kustomization(&self) -> String {
        let files = self
            .resources
            .iter()
            .map(|(file, _)| format!("- {}\n", file.display()));
        let files: String = files.collect();
        format!(
            "{}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:{}{files}",
            self.left,
            if files.is_empty() { " []\n" } else { "\n" },
        )
    }
}

fn place(resource: &Resource, layout: Layout) -> PathBuf {
    let kind = resource.spec.kind();
    let name = format!("{}.yaml", resource.name);
    match (layout, &resource.folder) {
        (Layout::Flat, _) => PathBuf::from(format!("{}-{name}", kind.to_string().to_lowercase())),
        (Layout::Folder, Some(folder)) if kind == Kind::AlertRule => {
            let folder = words(folder);
            let folder = Some(folder.trim_matches('-')).filter(|folder| !folder.is_empty());
            Path::new(folder.unwrap_or("rules")).join(name)
        }
        _ => Path::new(of_kind(kind)).join(name),
    }
}

fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ContactPoint => "contact-points",
        Kind::TimeInterval => "timings",
        Kind::NotificationTemplate => "templates",
        Kind::InhibitionRule => "inhibitions",
        Kind::NotificationPolicy => "policies",
        Kind::AlertRule => "rules",
        Kind::Silence => "silences",
    }
}

/// A resource with what there is to say of it above.
fn text(resource: &Resource) -> Result<String, String> {
    let lost = resource
        .lost
        .iter()
        .map(|lost| format!("Not carried over: {lost}"));
    let changes = (!resource.changes.is_empty()).then(|| {
        format!(
            "The first pass changes in Grafana: {}",
            resource.changes.join(", ")
        )
    });
    let all = lost.chain(changes).chain(resource.remarks.iter().cloned());
    let comments: Vec<String> = all.map(|comment| format!("# {}\n", harmless(&comment))).collect();
    Ok(comments.concat() + &to_yaml(&resource.manifest())?)
}

/// Secrets with these values; an empty one is to be filled in. `None` where there are none. `above` says what they are.
pub(in super::super) fn secrets<'a>(
    references: impl Iterator<Item = &'a SecretKeyRef>,
    values: &BTreeMap<SecretKeyRef, String>,
    namespace: Option<&str>,
    above: &str,
) -> Result<Option<String>, String> {
    let mut by_name: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for reference in references {
        let value = values.get(reference).map_or("", String::as_str);
        by_name
            .entry(&reference.name)
            .or_default()
            .insert(&reference.key, value);
    }
    let mut all = String::new();
    for (name, keys) in &by_name {
        let metadata = match namespace {
            Some(namespace) => json!({"name": name, "namespace": namespace}),
            None => json!({"name": name}),
        };
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys});
        all.extend(["---\n# ", above, "\n"]);
        all += &to_yaml(&secret)?;
    }
    Ok((!by_name.is_empty()).then_some(all))
}

/// Writes files; none where one of them is there and isn't to be overwritten. What `secrets` are filled in with is nowhere else, so they never are.
pub(in super::super) fn write(
    files: impl Iterator<Item = (PathBuf, String)>,
    secrets: Option<(PathBuf, String)>,
    is_forced: bool,
) -> Result<(), String> {
    let files: Vec<_> = files.collect();
    if let Some((there, _)) = files.iter().find(|(file, _)| !is_forced && file.exists()) {
        return Err(format!(
            "{} is there already, and nothing was written: name another place, or overwrite with --force",
            there.display()
        ));
    }
    if let Some(there) = linked(&files) {
        return Err(format!(
            "{} is a link, and nothing was written: what it leads to is never overwritten, so take it away, or name another place",
            there.display()
        ));
    }
    if let Some((there, _)) = secrets.iter().find(|(file, _)| file.exists()) {
        return Err(format!(
            "{} is there already, and nothing was written: what is filled in there would be lost, so name another file for --secrets-file",
            there.display()
        ));
    }
    if let Some((file, text)) = secrets {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        put(&file, &options, &text)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    files
        .iter()
        .try_for_each(|(file, text)| put(file, &options, text))
}

/// What leads out of the directory that files are written into: a file of it, or a directory in it, that is a link. The directory itself may be one.
fn linked(files: &[(PathBuf, String)]) -> Option<&Path> {
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    let parents = files.iter().filter_map(|(file, _)| file.parent());
    let top = parents.min_by_key(|parent| parent.components().count());
    let mut all = files.iter().flat_map(|(file, _)| {
        let within = file.parent().filter(|parent| Some(*parent) != top);
        [Some(file.as_path()), within].into_iter().flatten()
    });
    all.find(|path| is_link(path))
}

/// How each page that is written begins.
pub(in super::super) const PAGE: &str = "<!doctype html>";

/// Writes a page; only another page is overwritten.
pub(in super::super) fn write_page(file: &Path, page: &str) -> Result<(), String> {
    // What can't be read can be no file that somebody keeps, such as a pipe.
    if file.is_file() {
        let there = fs::read(file).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        if !there.is_empty() && !there.starts_with(PAGE.as_bytes()) {
            return Err(format!(
                "{} is there already and is no page of this program, so nothing was written: name another file",
                file.display()
            ));
        }
    }
    fs::write(file, page).map_err(|e| format!("cannot write {}: {e}", file.display()))
}

fn put(file: &Path, options: &fs::OpenOptions, text: &str) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("cannot write {}: {e}", file.display());
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut open = options.open(file).map_err(failed)?;
    open.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_where_a_file_would_be_overwritten_unless_it_is_forced() {
        let directory = std::env::temp_dir().join(format!("alertwright-export-{}", std::process::id()));
        let file = |name: &str| directory.join("rules").join(name);
        let both = |text: &str| ["new.yaml", "old.yaml"].map(|name| (file(name), text.to_owned()));
        fs::create_dir_all(directory.join("rules")).unwrap();
        fs::write(file("old.yaml"), "mine").unwrap();
        let refused = write(both("theirs").into_iter(), None, false).unwrap_err();
        assert!(refused.contains("old.yaml is there already"), "{refused}");
        assert!(!file("new.yaml").exists());
        assert_eq!(fs::read_to_string(file("old.yaml")).unwrap(), "mine");
        write(both("theirs").into_iter(), None, true).unwrap();
        assert_eq!(fs::read_to_string(file("old.yaml")).unwrap(), "theirs");
        fs::remove_dir_all(directory).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link_that_leads_out_of_the_directory() {
        let directory = std::env::temp_dir().join(format!("alertwright-links-{}", std::process::id()));
        let (own, outside) = (directory.join("own"), directory.join("outside"));
        let files = || {
            let names = ["kustomization.yaml", "rules/a.yaml"];
            names.map(|name| (own.join(name), "new".to_owned())).into_iter()
        };
        fs::create_dir_all(own.join("rules")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("a.yaml"), "mine").unwrap();
        std::os::unix::fs::symlink(outside.join("a.yaml"), own.join("rules/a.yaml")).unwrap();
        let refused = write(files(), None, true).unwrap_err();
        assert!(refused.contains("a.yaml is a link"), "{refused}");
        fs::remove_dir_all(own.join("rules")).unwrap();
        std::os::unix::fs::symlink(&outside, own.join("rules")).unwrap();
        let refused = write(files(), None, true).unwrap_err();
        assert!(refused.contains("rules is a link"), "{refused}");
        assert_eq!(fs::read_to_string(outside.join("a.yaml")).unwrap(), "mine");
        assert!(!own.join("kustomization.yaml").exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_page_takes_the_place_of_another_page_and_of_nothing_else() {
        let file = std::env::temp_dir().join(format!("alertwright-page-{}", std::process::id()));
        fs::write(&file, "kind: AlertRule").unwrap();
        let page = format!("{PAGE}\n<p>");
        assert!(
            write_page(&file, &page)
                .unwrap_err()
                .contains("no page of this program")
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "kind: AlertRule");
        fs::remove_file(&file).unwrap();
        write_page(&file, &page).unwrap();
        write_page(&file, &format!("{PAGE}\n<b>")).unwrap();
        assert!(fs::read_to_string(&file).unwrap().ends_with("<b>"));
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_is_filled_in_for_secrets_is_never_overwritten_and_is_nobody_elses_to_read() {
        let directory = std::env::temp_dir().join(format!("alertwright-secrets-{}", std::process::id()));
        let secrets = || Some((directory.join("secrets.yaml"), "empty".to_owned()));
        write(std::iter::empty(), secrets(), false).unwrap();
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(directory.join("secrets.yaml"))
                    .unwrap()
                    .permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(directory.join("secrets.yaml"), "filled in").unwrap();
        let rule = (directory.join("rule.yaml"), "rule".to_owned());
        let refused = write([rule].into_iter(), secrets(), true).unwrap_err();
        assert!(refused.contains("would be lost"), "{refused}");
        assert!(!directory.join("rule.yaml").exists());
        assert_eq!(
            fs::read_to_string(directory.join("secrets.yaml")).unwrap(),
            "filled in"
        );
        fs::remove_dir_all(directory).unwrap();
    }
}
