//! kubectl: the demonstration does what a person would do.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use alertwright_testbed::parts;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::failure::{Failure, Result};

/// kubectl with a kubeconfig.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: PathBuf,
}

impl Kubectl {
    /// `cache` is a folder of our own: discovery is cached by address, and addresses of testbeds come again.
    pub(crate) fn new(kubeconfig: &Path, cache: &Path) -> Self {
        Self {
            program: parts::path("kubectl").unwrap_or_else(|_| "kubectl".into()),
            kubeconfig: kubeconfig.to_owned(),
            cache: cache.join("kubectl-cache"),
        }
    }

    /// The same as whom another kubeconfig names.
    pub(crate) fn with(&self, kubeconfig: &Path) -> Self {
        Self {
            kubeconfig: kubeconfig.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs it with these words as arguments and gives what it printed.
    pub(crate) async fn run(&self, words: &str) -> Result<String> {
        self.execute(words, "").await
    }

    /// What it prints as JSON.
    pub(crate) async fn json(&self, words: &str) -> Result<Value> {
        let text = self.run(&format!("{words} -o json")).await?;
        serde_json::from_str(&text).map_err(|error| Failure::new(format!("JSON of kubectl {words}"), error))
    }

    /// Applies an object.
    pub(crate) async fn apply(&self, object: &Value) -> Result<()> {
        self.execute("apply --server-side --force-conflicts -f -", &object.to_string())
            .await
            .map(drop)
    }

    async fn execute(&self, words: &str, input: &str) -> Result<String> {
        let failed = |seen: String| Failure::new(format!("`kubectl {words}` to succeed"), seen);
        let mut child = Command::new(&self.program)
            .args(words.split_whitespace())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", &self.cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // kubectl may end without reading it.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
