//! The build script when Go fails. `go` is played: it fails to build, and succeeds in everything else.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::{env, fs, os::unix::fs::PermissionsExt, process::Command};

use alertwright_testbed::Scratch;

const GO: &str = r#"#!/bin/sh
case $1 in
    build | install) echo "no such package" >&2; exit 1 ;;
    *) echo . ;;
esac
"#;

#[test]
fn a_part_that_does_not_compile_is_an_error_and_is_not_kept() {
    let scratch = Scratch::new("build").expect("a folder");
    let bin = scratch.join("bin");
    fs::create_dir(&bin).expect("a folder");
    let go = scratch.write("bin/go", GO).expect("a file");
    fs::set_permissions(go, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = env::var("PATH").expect("a path");
    for part in ["argocd", "etcd", "grafana", "helm", "prometheus"] {
        let cache = scratch.join(format!("cache-{part}"));
        let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/build"))
            .arg(part)
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("ALERTWRIGHT_TESTBED_CACHE", &cache)
            .env_remove("KUBEBUILDER_ASSETS")
            .output()
            .expect("the build script runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{part}: {said}");
        let expected = format!("no such package\ntestbed: {part} could not be built\n");
        assert_eq!(said, expected, "{part}");
        let kept: Vec<_> = fs::read_dir(&cache)
            .expect("the cache")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert!(kept.is_empty(), "{part}: {kept:?}");
    }
}
