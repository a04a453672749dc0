//! The files that a command reads: `-f`, folders with `-R`, `-` for standard input.

mod document;
mod place;
mod resources;
mod scalar;
mod yaml;
pub(in super::super) mod zones;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(in super::super) use place::{Source, Spot};
pub(in super::super) use resources::{Problem, Resources, documents, resources};

use crate::domain::lint::finding::Level;
use crate::domain::lint::object::Object;
use crate::domain::lint::schema::Schemas;

/// The largest file that is read, in bytes. A resource is at most 1.5 MB in a cluster.
const LARGEST: u64 = 32 << 20;

/// How deep folders are looked into.
const DEEPEST: usize = 32;

/// What files of manifests are called.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// What can't be read: its name, where it has one, and why not.
pub(in super::super) type Unread = (Option<String>, String);

/// What files hold, by what an API server would make of it.
pub(in super::super) struct Judged {
    pub(in super::super) objects: Vec<Object>,
    /// The Secrets and ConfigMaps among them.
    pub(in super::super) values: Vec<serde_json::Value>,
    /// What would be refused, and why.
    pub(in super::super) refused: Vec<(Object, String)>,
}

/// Which files to read.
#[derive(clap::Args, Debug, Default)]
pub(in super::super) struct Files {
    /// A file, a folder, or `-` for standard input. May be given more often.
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Folders with all that are in them.
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl Files {
    /// Whether any file is named.
    pub(in super::super) fn are_named(&self) -> bool {
        !self.filename.is_empty()
    }

    /// All resources in them, each as its kind; what has no namespace is in the one that is given. One that can't be read would be missing, which no answer would
    /// say, so that is an error.
    pub(in super::super) fn whole(&self, namespace: &str) -> Result<Resources, String> {
        let (sources, read) = self.resources(namespace)?;
        let schemas = Schemas::default();
        let unread = read
            .objects
            .iter()
            .enumerate()
            .find(|(_, object)| object.typed.is_none());
        match unread.and_then(|(at, object)| refusal(&read, &sources, &schemas, at, object)) {
            Some(why) => Err(why),
            None => Ok(read),
        }
    }

    /// The same, and those aside that an API server would refuse, each with why, as check says it.
    pub(in super::super) fn judged(&self, namespace: &str) -> Result<Judged, String> {
        let (sources, mut read) = self.resources(namespace)?;
        let schemas = Schemas::default();
        let all = std::mem::take(&mut read.objects);
        let (mut objects, mut refused) = (Vec::new(), Vec::new());
        for (at, object) in all.into_iter().enumerate() {
            match refusal(&read, &sources, &schemas, at, &object) {
                Some(why) => refused.push((object, why)),
                None => objects.push(object),
            }
        }
        Ok(Judged {
            objects,
            values: read.values,
            refused,
        })
    }

    fn resources(&self, namespace: &str) -> Result<(Vec<Source>, Resources), String> {
        let sources = self.read(&[])?;
        let read = resources(&sources, namespace);
        match read.problems.first() {
            Some(problem) => {
                let source = sources.get(problem.source);
                let source = source.map_or("", |source| source.name.as_str());
                Err(format!("{source}:{}: {}", problem.spot.start.0, problem.message))
            }
            None => Ok((sources, read)),
        }
    }

    /// All resources in them that can be read, and the others.
    pub(in super::super) fn readable(&self, namespace: &str) -> Result<(Vec<Object>, Vec<Unread>), String> {
        let sources = self.read(&[])?;
        let mut read = resources(&sources, namespace);
        let problems = read.problems.iter().map(|problem| {
            let source = sources.get(problem.source);
            let source = source.map_or("", |source| source.name.as_str());
            (
                None,
                format!("{source}:{}: {}", problem.spot.start.0, problem.message),
            )
        });
        let mut unread: Vec<_> = problems.collect();
        let schemas = Schemas::default();
        let all = std::mem::take(&mut read.objects);
        let mut objects = Vec::new();
        for (at, object) in all.into_iter().enumerate() {
            if object.typed.is_some() {
                objects.push(object);
            } else if let Some(why) = refusal(&read, &sources, &schemas, at, &object) {
                unread.push((Some(object.name), why));
            }
        }
        Ok((objects, unread))
    }

    /// Reads them all and these others, each once, in the order in which they are named, those of a folder by name.
    pub(in super::super) fn read(&self, others: &[PathBuf]) -> Result<Vec<Source>, String> {
        let mut sources = Vec::new();
        let mut seen = BTreeSet::new();
        for path in self.filename.iter().chain(others) {
            if path.as_os_str() == "-" {
                if seen.insert(path.clone()) {
                    let source = Source::new("-", text(&mut io::stdin().lock(), "standard input")?);
                    // What was to write it has failed: nothing passes for right.
                    if source.text.trim().is_empty() {
                        return Err("there is nothing on standard input".to_owned());
                    }
                    sources.push(source);
                }
                continue;
            }
            let found = self.found(path, DEEPEST)?;
            if found.is_empty() {
                let below = if self.recursive {
                    ""
                } else {
                    "; -R reads what is below it"
                };
                return Err(format!(
                    "there is no YAML or JSON file in {}{below}",
                    path.display()
                ));
            }
            for file in found {
                if seen.insert(file.clone()) {
                    let name = file.display().to_string();
                    let mut opened = fs::File::open(&file).map_err(|e| format!("cannot read {name}: {e}"))?;
                    let content = text(&mut opened, &name)?;
                    sources.push(Source::new(&name, content));
                }
            }
        }
        Ok(sources)
    }

    fn found(&self, path: &Path, deep: usize) -> Result<Vec<PathBuf>, String> {
        let failed = |e: io::Error| format!("cannot read {}: {e}", path.display());
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            return Ok(vec![path.to_owned()]);
        }
        let mut found = Vec::new();
        let mut entries = fs::read_dir(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // What a link leads to may lead back here.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let path = entry.path();
            if is_folder {
                if self.recursive && deep > 0 {
                    found.extend(self.found(&path, deep - 1)?);
                }
            } else if is_manifest(&path) && fs::metadata(&path).is_ok_and(|about| about.is_file()) {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// What an API server would refuse of a resource first, with where that is written.
fn refusal(
    read: &Resources,
    sources: &[Source],
    schemas: &Schemas,
    at: usize,
    object: &Object,
) -> Option<String> {
    let found = schemas.check(at, object);
    let source = sources
        .get(read.source(at))
        .map_or("", |source| source.name.as_str());
    let Some(finding) = found.iter().find(|finding| finding.level == Level::Error) else {
        // What the schema takes and our types don't would be missing without a word.
        return object
            .typed
            .is_none()
            .then(|| format!("{source}: {} can't be read", object.called()));
    };
    let line = read.spot(sources, finding).map_or(1, |spot| spot.start.0);
    Some(format!(
        "{source}:{line}: {}: {}",
        object.called(),
        finding.message
    ))
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

fn text(from: &mut impl Read, name: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("cannot read {name}: {e}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{name} is larger than {} MB", LARGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("{name} is no text in UTF-8: byte {at} belongs to no character")
    })
}

#[cfg(test)]
mod tests;
