//! What a shell offers while a command is typed, where no cluster answers; `tests/e2e/typed.rs` has one that does.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use alertwright_testbed::Scratch;
use serde_json::json;

use super::text;

/// Nobody waits longer than two seconds; a machine that is busy may take a while to start a program.
const LONG: Duration = Duration::from_secs(30);

/// What is printed for the last of these words, which ends well, soon and silently.
fn offered(kubeconfig: &Path, line: &str) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(["completion", "kubectl", "--"])
        .args(line.split(' '))
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let (told, heard) = mpsc::channel();
    let mut out = child.stdout.take().expect("a pipe");
    thread::spawn(move || {
        let mut printed = Vec::new();
        let _ = out.read_to_end(&mut printed);
        told.send(printed)
    });
    let printed = heard.recv_timeout(LONG);
    if printed.is_err() {
        child.kill().expect("it runs");
    }
    let ended = child.wait_with_output().expect("an end");
    let printed = text(&printed.unwrap_or_else(|_| panic!("{line:?} waits for names")));
    assert_eq!(
        (ended.status.code(), text(&ended.stderr).as_str()),
        (Some(0), ""),
        "{line}"
    );
    let is_name = |line: &&str| !line.starts_with([':', '-']);
    printed.lines().filter(is_name).map(str::to_owned).collect()
}

#[test]
fn without_a_cluster_no_names_are_offered_and_nothing_is_said() {
    let folder = Scratch::new("typed").expect("a folder");
    let config = |server: &str| {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "away",
            "clusters": [{"name": "away", "cluster": {"server": server}}],
            "contexts": [{"name": "away", "context": {"cluster": "away", "user": "me"}}],
            "users": [{"name": "me", "user": {"token": "x"}}],
        })
        .to_string()
    };
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    for (name, config) in [
        ("refused", config("http://127.0.0.1:1")),
        ("silent", config(&format!("http://{address}"))),
        ("broken", "contexts: [".to_owned()),
    ] {
        std::fs::write(folder.join(name), config).expect("a kubeconfig");
    }
    for kubeconfig in ["refused", "silent", "broken", "not-there"] {
        let of = |line: &str| offered(&folder.join(kubeconfig), line);
        let lines = [
            "trace rule ",
            "suspend alertrule/",
            "silence end ",
            "status --instance ",
        ];
        let lines = if kubeconfig == "silent" {
            &lines[..1]
        } else {
            &lines
        };
        for line in lines {
            assert_eq!(of(line), [""; 0], "{kubeconfig}: {line}");
        }
        assert_eq!(of("status -n "), [""; 0], "{kubeconfig}");
        // Those are in the file.
        let is_read = matches!(kubeconfig, "refused" | "silent");
        let contexts = if is_read { &["away"][..] } else { &[] };
        assert_eq!(of("status --context "), contexts, "{kubeconfig}");
    }
}
