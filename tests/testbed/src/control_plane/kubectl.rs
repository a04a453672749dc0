//! kubectl, to assert what people see.

use std::{ffi::OsStr, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command};

use super::ControlPlane;

/// What kubectl printed.
#[derive(Debug, Clone)]
pub struct Output {
    /// Whether it exited with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error: where refusals are explained.
    pub stderr: String,
}

impl Output {
    /// The standard output of a call that must succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.success, "kubectl failed: {}", self.stderr);
        self.stdout
    }

    /// The standard error of a call that must fail.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.success, "kubectl succeeded: {}", self.stdout);
        self.stderr
    }
}

impl ControlPlane {
    /// Runs kubectl as the administrator.
    pub async fn kubectl(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        self.kubectl_with_input(args, "").await
    }

    /// Runs kubectl as the administrator with an input, for `apply -f -`.
    pub async fn kubectl_with_input(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &str,
    ) -> Output {
        let program = crate::parts::path("kubectl").unwrap_or_else(|_| "kubectl".into());
        let mut child = Command::new(program)
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(args)
            // Discovery is cached by address, and the next control plane may have the same one.
            .env("KUBECACHEDIR", self.scratch.join("kubectl-cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("kubectl on the PATH");
        let mut stdin = child.stdin.take().expect("a piped input");
        // kubectl may end without reading it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.expect("kubectl's output");
        Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
