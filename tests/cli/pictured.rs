//! The pictures of the documentation: those of commands show what pages show, all are looked at somewhere, and all are told in words.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use alertwright_testbed::picture::{folder, root, terminal};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::shown::pages::{self, Piece, Shown};
use super::shown::pictures;

fn pages_below(at: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(at).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(pages_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found
}

/// What pages show of commands in a cluster.
fn shown() -> Vec<Shown> {
    let folder = root().join("docs/cli");
    let names = pages_below(&folder);
    let names = names
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .filter(|name| *name != "README.md");
    names
        .flat_map(pages::read)
        .filter_map(|piece| match piece {
            Piece::Block(all) => Some(all),
            Piece::Text(_) => None,
        })
        .flatten()
        .collect()
}

/// `tests/e2e/docs` holds the pages to what is printed.
#[test]
fn pictures_of_commands_show_what_their_pages_show() {
    let shown = shown();
    for (name, command) in pictures::PICTURES {
        let lines: Vec<String> = pictures::read(name).iter().map(terminal::Line::text).collect();
        let page = shown.iter().find(|shown| shown.command == command);
        let page = page.unwrap_or_else(|| panic!("no page shows {command}"));
        let mut expected = vec![format!("$ {command}")];
        expected.extend(page.output.iter().cloned());
        assert_eq!(lines, expected, "make docs-cluster draws {name}.svg");
    }
}

#[test]
fn every_picture_is_shown_by_a_page_and_every_page_tells_in_words_what_it_shows() {
    let mut looked_at = BTreeSet::new();
    let mut pages = pages_below(&root().join("docs"));
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page");
        let mut told: Option<(PathBuf, String)> = None;
        for event in Parser::new(&text) {
            match event {
                Event::Start(Tag::Image { dest_url, .. }) => {
                    let path = page.parent().expect("a folder").join(&*dest_url);
                    told = Some((path, String::new()));
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some((_, words)) = &mut told {
                        words.push_str(&text);
                    }
                }
                Event::End(TagEnd::Image) => {
                    let (path, words) = told.take().expect("a picture has begun");
                    let there = path.canonicalize();
                    let there = there.unwrap_or_else(|_| panic!("{}: {}", page.display(), path.display()));
                    assert!(
                        words.split(' ').count() > 4,
                        "{}: {words:?} doesn't say what is seen",
                        page.display()
                    );
                    looked_at.insert(there);
                }
                _ => {}
            }
        }
    }
    let all = fs::read_dir(folder())
        .expect("pictures")
        .chain(fs::read_dir(folder().join("site")).expect("pictures of the site"));
    for path in all.map(|entry| entry.expect("an entry").path().canonicalize().expect("a path")) {
        let is_picture = path
            .extension()
            .is_some_and(|extension| extension == "svg" || extension == "png");
        assert!(
            !is_picture || looked_at.contains(&path),
            "no page shows {}",
            path.display()
        );
    }
}
