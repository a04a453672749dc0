//! Imports only run downwards: in no folder do two entries, be they files or rooms, need each other, not even by detours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{code, is_name, sources};

/// How many entries a room may have. More than that isn't taken in at a glance.
const MOST: usize = 15;

type ModulePath = Vec<String>;

/// Which entry of a folder needs which other, each with the two files that make it so.
type Edges<'a> = BTreeMap<(&'a str, &'a str), (&'a Path, &'a Path)>;

/// The sources without their tests, as modules that import each other.
struct Modules {
    files: BTreeMap<ModulePath, (PathBuf, String)>,
}

impl Modules {
    fn new(sources: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let files = sources
            .into_iter()
            .filter(|(file, _)| !is_test(file) && !file.ends_with("main.rs"))
            .map(|(file, text)| (module(&file), (file, without_tests(&text))))
            .collect();
        Self { files }
    }

    /// Who imports whom, by the paths of their files within `src`.
    fn imports(&self) -> BTreeSet<(&Path, &Path)> {
        let mut found = BTreeSet::new();
        for (at, (file, text)) in &self.files {
            let uses = uses(text).into_iter().filter(|u| !u.is_public).map(|u| u.path);
            for path in uses.chain(self.inline_paths(at, text)) {
                if let Some(target) = self.absolute(at, &path).and_then(|path| self.resolve(&path)) {
                    found.insert((file.as_path(), target));
                }
            }
        }
        found.retain(|(from, to)| from != to);
        found
    }

    /// A path as written in a module, from the crate on; `None` if it leads out of the crate.
    fn absolute(&self, at: &[String], path: &[String]) -> Option<ModulePath> {
        let mut base = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => at.to_vec(),
            "super" => at.split_last()?.1.to_vec(),
            _ if self.is_child(at, path.first()?) => [at, &path[..1]].concat(),
            _ => return None,
        };
        for segment in &path[1..] {
            match segment.as_str() {
                "super" => _ = base.pop(),
                "self" => {}
                name => base.push(name.to_owned()),
            }
        }
        Some(base)
    }

    fn is_child(&self, at: &[String], name: &str) -> bool {
        self.files.contains_key(&[at, &[name.to_owned()]].concat())
    }

    /// The file that defines what an absolute path names: a re-export is not its definition.
    fn resolve(&self, path: &[String]) -> Option<&Path> {
        let end = (0..=path.len())
            .rev()
            .find(|end| self.files.contains_key(&path[..*end]))?;
        let (at, rest) = path.split_at(end);
        let (file, text) = &self.files[at];
        let Some(name) = rest.first() else {
            return Some(file);
        };
        let exported = uses(text).into_iter().find(|u| u.is_public && u.name == *name);
        match exported.and_then(|u| self.absolute(at, &u.path)) {
            Some(definition) => self.resolve(&definition),
            None => Some(file),
        }
    }

    /// Paths outside of `use`: those that begin with a keyword, and those that begin with a module declared here.
    fn inline_paths(&self, at: &[String], text: &str) -> Vec<ModulePath> {
        let mut found = Vec::new();
        for (_, line) in code(text).filter(|(_, line)| !is_use(line)) {
            for (start, _) in line.match_indices("::") {
                let first_start = line[..start]
                    .rfind(|c| !is_name(c))
                    .map_or(0, |before| before + 1);
                let first = &line[first_start..start];
                // `pub(in crate::room)` says who may see something, not what is needed.
                let is_first = !["::", "pub(in "]
                    .iter()
                    .any(|before| line[..first_start].ends_with(before));
                if is_first && (["crate", "super", "self"].contains(&first) || self.is_child(at, first)) {
                    let rest = &line[first_start..];
                    let end = rest.find(|c| !is_name(c) && c != ':').unwrap_or(rest.len());
                    found.push(split(rest[..end].trim_end_matches(':')));
                }
            }
        }
        found
    }
}

/// One leaf of a `use` declaration.
struct Use {
    is_public: bool,
    path: ModulePath,
    /// How it is called where it is imported.
    name: String,
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    let is_for_some = line.starts_with("pub(in ") && line.contains(") use ");
    let starts = ["use ", "pub use ", "pub(super) use ", "pub(crate) use "];
    is_for_some || starts.iter().any(|start| line.starts_with(start))
}

fn uses(text: &str) -> Vec<Use> {
    let lines: Vec<&str> = code(text).map(|(_, line)| line).collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate().filter(|(_, line)| is_use(line)) {
        let declaration = lines[i..].join(" ");
        let (declaration, _) = declaration.split_once(';').expect("a use ends in a semicolon");
        let (_, tree) = declaration.split_once("use ").expect("a use");
        for leaf in leaves(tree) {
            let (path, name) = leaf.split_once(" as ").unwrap_or((&leaf, &leaf));
            let path: ModulePath = split(path)
                .into_iter()
                .filter(|segment| segment != "self" || path.starts_with("self"))
                .collect();
            assert!(
                path.last().is_none_or(|last| last != "*"),
                "a glob hides what is imported: {leaf}"
            );
            found.push(Use {
                is_public: line.trim_start().starts_with("pub"),
                name: split(name).pop().unwrap_or_default(),
                path,
            });
        }
    }
    found
}

/// The paths that a tree of `use` stands for: `a::{b, c::d}` are `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((stem, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let inner = &rest[..rest.rfind('}').expect("a closing brace")];
    let mut depth = 0;
    let parts = inner.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .flat_map(leaves)
        .map(|leaf| format!("{}{leaf}", stem.trim()))
        .collect()
}

fn split(path: &str) -> ModulePath {
    path.split("::")
        .map(|segment| segment.trim().to_owned())
        .collect()
}

fn module(file: &Path) -> ModulePath {
    let path = file.with_extension("");
    let mut path: ModulePath = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    path.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
    path
}

fn is_test(file: &Path) -> bool {
    file.iter().filter_map(|part| part.to_str()).any(|part| {
        part == "tests"
            || part == "tests.rs"
            || part.ends_with("_tests.rs")
            || part.ends_with("_properties.rs")
    })
}

fn without_tests(text: &str) -> String {
    text.split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Entries of one folder that need each other, each with an import that makes it so.
fn cycles<'a>(imports: &BTreeSet<(&'a Path, &'a Path)>) -> Vec<String> {
    let mut folders: BTreeMap<PathBuf, Edges<'a>> = BTreeMap::new();
    for (from, to) in imports {
        let common: PathBuf = from
            .iter()
            .zip(to.iter())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a)
            .collect();
        let depth = common.iter().count();
        let entry = |path: &'a Path| {
            path.iter()
                .nth(depth)
                .and_then(|part| part.to_str())
                .expect("two different files")
        };
        folders
            .entry(common)
            .or_default()
            .insert((entry(from), entry(to)), (from, to));
    }
    let mut found = Vec::new();
    for (folder, edges) in &folders {
        for &(from, to) in edges.keys() {
            if let Some(back) = way(edges, to, from) {
                let mut said = format!("src/{}: ", folder.display());
                for step in back.windows(2).map(|pair| (pair[0], pair[1])).chain([(from, to)]) {
                    let (who, whom) = edges[&step];
                    let _ = write!(said, "{} imports {}; ", who.display(), whom.display());
                }
                found.push(said);
            }
        }
    }
    found
}

/// The entries from one to another, if there is a way.
fn way<'a>(edges: &Edges<'a>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    while let Some(way) = ways.pop() {
        let at = *way.last()?;
        if at == to {
            return Some(way);
        }
        let next = edges
            .keys()
            .filter(|(start, end)| *start == at && seen.insert(*end));
        ways.extend(next.map(|(_, end)| [way.as_slice(), &[*end]].concat()));
    }
    None
}

#[test]
fn no_two_files_and_no_two_rooms_import_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let within =
        |(file, text): (PathBuf, String)| (file.strip_prefix(&root).expect("within src").to_owned(), text);
    let modules = Modules::new(sources().into_iter().map(within));
    let imports = modules.imports();
    assert!(imports.len() > 200, "only {} imports were found", imports.len());
    let cycles = cycles(&imports);
    assert!(cycles.is_empty(), "{}", cycles.join("\n"));
}

#[test]
fn no_room_is_crowded() {
    let mut rooms: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for (file, _) in sources()
        .into_iter()
        .filter(|(file, _)| !file.to_string_lossy().ends_with("_tests.rs"))
    {
        for path in file.ancestors().take_while(|path| !path.ends_with("src")) {
            let room = path.parent().expect("a folder").to_owned();
            rooms.entry(room).or_default().insert(path.to_owned());
        }
    }
    rooms.retain(|_, entries| entries.len() > MOST);
    assert!(rooms.is_empty(), "more than {MOST} entries: {rooms:#?}");
}

#[test]
fn cycles_are_found_through_rooms_children_and_re_exports() {
    let found = |sources: &[(&str, &str)]| {
        let modules = Modules::new(
            sources
                .iter()
                .map(|(file, text)| (PathBuf::from(file), (*text).to_owned())),
        );
        cycles(&modules.imports()).len()
    };
    let pair = [
        ("a.rs", "use super::b::B;"),
        ("b.rs", "fn f(_: crate::a::A) {}"),
        ("lib.rs", "mod a; mod b;"),
    ];
    assert_eq!(found(&pair), 2, "each direction is one");
    assert_eq!(found(&pair[..1]), 0);
    let rooms = [
        ("a/one.rs", "use crate::b::{\n    two::{self, Two},\n};"),
        ("b/two.rs", ""),
        ("b/three.rs", "use crate::a::four;"),
        ("a/four.rs", ""),
    ];
    assert_eq!(found(&rooms), 2, "not the files but their rooms need each other");
    let child = [
        ("a/mod.rs", "mod child;\nfn f() { child::g() }"),
        ("a/child.rs", "use super::A;"),
    ];
    assert_eq!(found(&child), 2);
    let exported = [
        ("a/mod.rs", "pub use child::C;"),
        ("a/child.rs", "use super::other::O;"),
        ("a/other.rs", "use crate::a::C;"),
    ];
    assert_eq!(
        found(&exported),
        2,
        "who imports what a room shows imports the file that defines it"
    );
    let tested = [
        ("a.rs", "\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}"),
        ("b.rs", "use crate::a;"),
        ("b_tests.rs", "use crate::a;"),
    ];
    assert_eq!(found(&tested), 0, "tests may look anywhere");
}
