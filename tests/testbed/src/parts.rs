//! Where the binaries are that `tests/testbed/build` made.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{Error, Result};

/// The binary of a part, by the name that the build script knows it by: `helm`, for example.
pub fn path(part: &str) -> Result<PathBuf> {
    let dir = dir()?;
    let path = dir.join(part);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::Missing {
            part: part.to_owned(),
            dir: dir.to_owned(),
        })
    }
}

/// The folder that holds all parts: `ALERTWRIGHT_TESTBED_BIN`, or what the build script says.
fn dir() -> Result<&'static Path> {
    static DIR: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        if let Some(dir) = env::var_os("ALERTWRIGHT_TESTBED_BIN") {
            return Ok(dir.into());
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build");
        let output = Command::new(&script)
            .arg("--dir")
            .output()
            .map_err(|error| format!("{} --dir: {error}", script.display()))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().into())
    });
    dir.as_deref().map_err(|error| Error::NoParts(error.clone()))
}
