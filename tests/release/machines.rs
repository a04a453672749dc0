//! For other machines than this one: headers that are read, compilers that are missing, and the archive for Windows.

use std::fs;
use std::process::Command;

use alertwright_testbed::{Scratch, operator};
use serde_json::Value;

use super::{VERSION, root, run, script, success};

/// The target of the other architecture than this machine's.
const OTHER: &str = if cfg!(target_arch = "aarch64") {
    "x86_64-unknown-linux-gnu"
} else {
    "aarch64-unknown-linux-gnu"
};

#[test]
fn a_program_is_inspected_by_its_header_and_none_of_another_machine_passes() {
    let program = operator::shipped().expect("the static binary");
    let inspect = |target: &str| {
        let mut command = Command::new(root().join("deploy/image/build"));
        command.arg("--inspect").arg(&program).env("STATIC", target);
        command.output().expect("the script")
    };
    let here = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let said = success(&inspect(&here));
    let size = fs::metadata(&program).expect("the static binary").len();
    assert!(
        said.contains(&format!("{size} bytes, runs: alertwright {VERSION}")),
        "{said}"
    );
    let refused = inspect(OTHER);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains(&format!("not for {OTHER}")), "{said}");
}

#[test]
fn what_is_missing_to_compile_for_another_machine_is_named_with_how_to_get_it() {
    let missing = Command::new(root().join("deploy/image/build"))
        .arg("--missing")
        .env("STATIC", OTHER)
        .env("RUSTUP_TOOLCHAIN", "")
        // No compiler at all but Rust's, and that without the other machine's library.
        .env("PATH", path_without_compilers().path())
        .output();
    let said = success(&missing.expect("the script"));
    for part in ["rustup target add", OTHER, "apt-get install gcc-"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// A folder to find programs in: what scripts need, a Rust that can compile for no other machine, and no cross compiler.
fn path_without_compilers() -> Scratch {
    let folder = Scratch::new("path").expect("a folder");
    for program in ["bash", "cut", "dirname", "env", "head", "sed", "tr", "uname"] {
        let found = success(&run("which", &[program.as_ref()]));
        std::os::unix::fs::symlink(found.trim(), folder.join(program)).expect("a link");
    }
    let rustc = folder.join("rustc");
    fs::write(&rustc, "#!/bin/sh\necho /nowhere\n").expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(rustc, mode).expect("its mode");
    folder
}

/// The least that says of itself that it is a program for 64-bit Windows, or for a machine that has this number.
fn program_for_windows(machine: u16) -> Vec<u8> {
    let mut program = vec![0; 64];
    program[..2].copy_from_slice(b"MZ");
    program[60..].copy_from_slice(&64u32.to_le_bytes());
    program.extend(b"PE\0\0");
    program.extend(machine.to_le_bytes());
    program
}

#[test]
fn the_archive_for_windows_holds_its_program_and_krew_finds_it_there() {
    let folder = Scratch::new("windows").expect("a folder");
    let program = folder.join("program");
    let archive = |machine: u16| {
        fs::write(&program, program_for_windows(machine)).expect("a file");
        let mut command = Command::new(root().join("deploy/release/build"));
        command.arg("archive").arg(folder.path()).current_dir(root());
        command
            .env("STATIC", "x86_64-pc-windows-gnu")
            .env("BINARY", &program);
        command.env("RUNNABLE", env!("CARGO_BIN_EXE_alertwright"));
        command.output().expect("the script")
    };
    let of_arm = archive(0xaa64);
    assert!(!of_arm.status.success(), "a program for another machine");
    success(&archive(0x8664));
    let name = format!("alertwright-{VERSION}-windows-amd64");
    let zip = fs::read(folder.join(format!("{name}.zip"))).expect("an archive");
    assert!(zip.starts_with(b"PK"));
    for file in ["alertwright.exe", "alertwright.ps1", "LICENSE", "CHANGELOG.md"] {
        let path = format!("{name}/{file}");
        assert!(
            zip.windows(path.len()).any(|part| part == path.as_bytes()),
            "{path}"
        );
    }
    success(&script(&["assemble", VERSION], folder.path()));
    let read = |file: &str| fs::read_to_string(folder.join(file)).expect("a file");
    let krew: Value = serde_saphyr::from_str(&read("krew.yaml")).expect("YAML");
    let platform = &krew["spec"]["platforms"][0];
    assert_eq!(platform["selector"]["matchLabels"]["os"], "windows");
    assert_eq!(platform["files"][0]["from"], format!("{name}/alertwright.exe"));
    assert_eq!(platform["bin"], "kubectl-alertwright.exe");
    assert!(read("SHA256SUMS").contains(&format!("  {name}.zip")));
    assert!(
        !read("alertwright.rb").contains("windows"),
        "Homebrew is not for it"
    );
}
