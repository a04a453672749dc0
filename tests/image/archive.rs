//! The archive, unpacked.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use alertwright_testbed::Scratch;
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{PROJECT, VERSION, success};

/// Where `make image` leaves what it makes.
pub(crate) fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Path::new(PROJECT).join(target).join("image")
}

/// Where a layout has the blob of a digest.
pub(crate) fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// An archive whose digests have been checked.
pub(crate) struct Archive {
    scratch: Scratch,
    /// The image's entry in the index.
    pub(crate) index: Value,
    pub(crate) manifest: Value,
    pub(crate) config: Value,
    /// The file system of a container.
    pub(crate) root: PathBuf,
}

impl Archive {
    pub(crate) fn open() -> Self {
        let scratch = Scratch::new("image").expect("a folder");
        let file = folder().join(format!("alertwright-{VERSION}.tar"));
        assert!(file.is_file(), "there is no {}: run `make image`", file.display());
        let mut tar = Command::new("tar");
        tar.arg("--extract").arg("--file").arg(&file);
        success(&tar.arg("--directory").arg(scratch.path()).output().expect("tar"));
        let root = scratch.join("root");
        let mut archive = Self {
            scratch,
            index: Value::Null,
            manifest: Value::Null,
            config: Value::Null,
            root,
        };
        let index = archive.json("index.json");
        let images = index["manifests"].as_array().expect("manifests");
        assert_eq!(images.len(), 1, "podman takes archives of one image only");
        archive.index = images[0].clone();
        archive.manifest = archive.checked(&archive.index);
        archive.config = archive.checked(&archive.manifest["config"]);
        let mut gzip = Command::new("gzip");
        gzip.args(["--decompress", "--stdout"]).arg(archive.layer());
        let tar = gzip.output().expect("gzip").stdout;
        assert_eq!(
            archive.config["rootfs"]["diff_ids"],
            serde_json::json!([digest(&tar)])
        );
        std::fs::create_dir(&archive.root).expect("a folder");
        let mut tar = Command::new("tar");
        tar.arg("--extract")
            .arg("--gzip")
            .arg("--file")
            .arg(archive.layer());
        success(&tar.arg("--directory").arg(&archive.root).output().expect("tar"));
        archive
    }

    /// A file of the archive.
    pub(crate) fn json(&self, path: &str) -> Value {
        let text = std::fs::read(self.scratch.join(path)).expect("a file of the archive");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// What the layer holds, as tar lists it, with single spaces.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut tar = Command::new("tar");
        tar.args(["--list", "--verbose", "--numeric-owner", "--full-time", "--utc"]);
        let list = success(
            &tar.args(["--gzip", "--file"])
                .arg(self.layer())
                .output()
                .expect("tar"),
        );
        list.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    fn layer(&self) -> PathBuf {
        let layer = &self.manifest["layers"][0];
        self.scratch
            .join(blob(layer["digest"].as_str().expect("a digest")))
    }

    /// The document that a descriptor is of, if it is that.
    fn checked(&self, descriptor: &Value) -> Value {
        let name = descriptor["digest"].as_str().expect("a digest");
        let bytes = std::fs::read(self.scratch.join(blob(name))).expect("a blob");
        assert_eq!(digest(&bytes), name);
        assert_eq!(descriptor["size"], bytes.len());
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}
