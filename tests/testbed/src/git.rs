//! Git repositories to deploy from.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, Scratch};

/// A git repository with a working tree, which can be cloned by its [`Repository::url`].
#[derive(Debug)]
pub struct Repository {
    scratch: Scratch,
}

impl Repository {
    /// Makes an empty repository.
    pub fn new() -> Result<Self> {
        let repository = Self {
            scratch: Scratch::new("git")?,
        };
        let run = repository
            .command(&["init", "--quiet", "--initial-branch", "main"])
            .status();
        run.map_err(Error::io("cannot run git"))?;
        Ok(repository)
    }

    /// Where it can be cloned from.
    pub fn url(&self) -> String {
        format!("file://{}", self.scratch.path().display())
    }

    /// A file of the working tree.
    pub fn file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Copies a file or folder into the working tree.
    pub fn copy(&self, from: &Path, to: &str) {
        let copied = copy(from, &self.file(to));
        copied.unwrap_or_else(|error| panic!("cannot copy {}: {error}", from.display()));
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap_or_else(|error| panic!("cannot write {name}: {error}"));
    }

    /// Replaces a text that is in the file.
    pub fn replace(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(old), "{name} doesn't contain {old:?}");
        self.write(name, &text.replace(old, new));
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap_or_else(|error| panic!("cannot remove {name}: {error}"));
    }

    /// Commits everything that has changed, and gives the commit's hash.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn git(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("git on the PATH");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// git without anybody's own settings.
    fn command(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.current_dir(self.scratch.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=testbed", "-c", "user.email=testbed@example.com"])
            .args(args);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(variable);
        }
        git
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map(drop)
}
