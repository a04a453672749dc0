//! Pictures for the documentation, as SVG: what a terminal shows, a recording of it, a page, and drawings of how things hang together.
//!
//! A picture of a terminal or of a page is made from what was really printed. It is made the same wherever it is made, so a test can compare.

mod architecture;
mod drawing;
mod overview;
mod page;
pub mod recording;
pub mod terminal;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use architecture::architecture;
pub use architecture::{ARROWS, BOXES};
use overview::overview;
pub use page::page;
use recording::Recording;

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Where pictures are kept.
pub fn folder() -> PathBuf {
    root().join("docs/pictures")
}

/// Every picture that is drawn from what is kept, by its file's name, as it would be drawn now: drawings, the recording, and those of terminals.
///
/// # Errors
///
/// If the recording isn't there, or isn't one.
pub fn drawn() -> io::Result<Vec<(String, String)>> {
    let cast = fs::read_to_string(folder().join("demo.cast"))?;
    let recording = Recording::read(&cast).ok_or_else(|| io::Error::other("demo.cast is no recording"))?;
    let mut all = vec![
        ("overview.svg".to_owned(), overview()),
        ("architecture.svg".to_owned(), architecture()),
        ("demo.svg".to_owned(), recording.svg()),
    ];
    for entry in fs::read_dir(folder())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_picture = path.extension().is_some_and(|extension| extension == "svg");
        if is_picture && all.iter().all(|(drawn, _)| *drawn != name) {
            let kept = fs::read_to_string(path)?;
            all.extend(terminal::redrawn(&kept).map(|now| (name, now)));
        }
    }
    Ok(all)
}

/// A text as it stands between tags and in attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The text that was escaped.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
