//! The log files of running programs, quoted when a wait times out.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    thread::{self, ThreadId},
};

use parking_lot::Mutex;

/// How many lines of a log are quoted.
const LINES: usize = 20;
/// How far from its end a log is read for them.
const WINDOW: u64 = 16 * 1024;

static REGISTERED: Mutex<Vec<Weak<Log>>> = Mutex::new(Vec::new());

/// A program's log file. Known to [`tails_of_this_thread`] while it lives.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    thread: ThreadId,
}

impl Log {
    pub(crate) fn register(name: &str, path: &Path) -> Arc<Self> {
        let log = Arc::new(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            thread: thread::current().id(),
        });
        let mut registered = REGISTERED.lock();
        registered.retain(|other| other.strong_count() > 0);
        registered.push(Arc::downgrade(&log));
        log
    }

    pub(crate) fn tail(&self) -> String {
        tail(&self.path)
    }
}

/// The last lines of a log file; empty if there is none.
fn tail(path: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        // A file that cannot be read has nothing to quote.
        let _ = file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)));
        let _ = file.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(LINES)..)
        .unwrap_or_default()
        .join("\n")
}

/// The ends of the logs of all programs that this thread started.
///
/// A test runs on a thread of its own, so these are the programs of the test that waits.
pub(crate) fn tails_of_this_thread() -> String {
    let here = thread::current().id();
    let logs: Vec<_> = REGISTERED.lock().iter().filter_map(Weak::upgrade).collect();
    let own = logs.iter().filter(|log| log.thread == here);
    own.fold(String::new(), |text, log| {
        format!(
            "{text}\n--- log of {} ({})\n{}",
            log.name,
            log.path.display(),
            log.tail()
        )
    })
}
