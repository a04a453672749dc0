//! Where somebody types: programs by the names that people type, a kubeconfig, a folder.

use std::path::Path;

use alertwright_testbed::{ControlPlane, Scratch, parts};
use kube::config::Kubeconfig;
use tokio::process::Command;

use super::shown::masks;
use crate::world;

/// The address that pages have for Grafana's.
const GRAFANA: &str = "http://grafana.example";

pub struct Desk {
    folder: Scratch,
    /// Grafana's real address.
    grafana: String,
}

impl Desk {
    /// A desk of a cluster's administrator who has a name.
    pub fn new(plane: &ControlPlane, grafana: String) -> Self {
        let folder = Scratch::new("desk").expect("a folder");
        std::fs::create_dir(folder.join("bin")).expect("a folder");
        let link = |what: &Path, name: &str| {
            std::os::unix::fs::symlink(what, folder.join(name)).expect("a link");
        };
        let kubectl = parts::path("kubectl").unwrap_or_else(|_| "/usr/local/bin/kubectl".into());
        link(&kubectl, "bin/kubectl");
        link(Path::new(env!("CARGO_BIN_EXE_alertwright")), "bin/alertwright");
        link(
            Path::new(env!("CARGO_BIN_EXE_alertwright")),
            "bin/kubectl-alertwright",
        );
        link(&world::root().join("deploy"), "deploy");
        let mut config = Kubeconfig::read_from(plane.kubeconfig()).expect("a kubeconfig");
        for user in config
            .auth_infos
            .iter_mut()
            .filter_map(|user| user.auth_info.as_mut())
        {
            user.impersonate = Some("alice@example.com".to_owned());
            user.impersonate_groups = Some(vec!["system:masters".to_owned()]);
        }
        let config = serde_json::to_string(&config).expect("a kubeconfig");
        std::fs::write(folder.join("kubeconfig"), config).expect("a kubeconfig");
        Self { folder, grafana }
    }

    /// A file on it.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.join(name)
    }

    /// Runs a line as a shell does. What a terminal shows of it, and its exit code.
    pub async fn runs(&self, line: &str) -> (String, Option<i32>) {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let line = line.replace(GRAFANA, &self.grafana);
        let ended = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("USER", "alice")
            .env("TZ", "UTC")
            .env("KUBECONFIG", self.path("kubeconfig"))
            .env("KUBECACHEDIR", self.path("cache"))
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("a shell");
        let printed = String::from_utf8(ended.stdout).expect("a text");
        (printed, ended.status.code())
    }

    /// The same in lines, as pages show it.
    pub async fn types(&self, line: &str) -> Vec<String> {
        let (printed, code) = self.runs(line).await;
        let printed = masks::replaced(&printed, self.grafana.trim_start_matches("http://"));
        let mut lines: Vec<String> = printed.lines().map(str::to_owned).collect();
        if code != Some(0) {
            let code = code.map_or_else(String::new, |code| code.to_string());
            lines.extend(["$ echo $?".to_owned(), code]);
        }
        lines
    }
}
