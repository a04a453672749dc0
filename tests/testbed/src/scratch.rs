//! Temporary folders that go away with the process, however it ends.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{Error, Result};

/// Waits for the end of its input, then removes the folder; repeats while dying programs still write into it.
const REMOVE: &str = r#"
read -r _line
tries=50
until rm -rf "$1" 2>/dev/null || [ "$tries" -eq 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
done
"#;

/// A temporary folder, removed when this value is dropped or the process ends, even by SIGKILL.
///
/// It stays, for a look at the logs, when `ALERTWRIGHT_TESTBED_KEEP` is set.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    remover: Option<Child>,
}

impl Scratch {
    /// Makes a new folder whose name tells what it is for.
    pub fn new(purpose: &str) -> Result<Self> {
        let what = format!("cannot make a temporary folder for {purpose}");
        let path = tempfile::Builder::new()
            .prefix(&format!("alertwright-{purpose}-"))
            .tempdir()
            .map_err(Error::io(what.clone()))?
            .keep();
        let remover = if env::var_os("ALERTWRIGHT_TESTBED_KEEP").is_some() {
            None
        } else {
            let mut sh = Command::new("sh");
            sh.arg("-c").arg(REMOVE).arg("sh").arg(&path);
            sh.stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            detach(&mut sh);
            Some(sh.spawn().map_err(Error::io(what))?)
        };
        Ok(Self { path, remover })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside the folder.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file into the folder and gives its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text).map_err(Error::io(format!("cannot write {}", path.display())))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(remover) = &mut self.remover {
            drop(remover.stdin.take());
            // Nothing to be done about a folder that stays.
            let _ = remover.wait();
        }
    }
}

/// Puts a command into a process group of its own, out of reach of Ctrl-C and of whoever kills the test's group.
pub(crate) fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}
