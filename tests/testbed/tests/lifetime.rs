//! No program outlives the process that started it.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use alertwright_testbed::{Scratch, process::Program, wait};

/// Set in the process that is to be killed.
const VICTIM: &str = "ALERTWRIGHT_TESTBED_VICTIM";
const SOON: Duration = Duration::from_secs(10);

fn alive(process: &str) -> bool {
    let probe = Command::new("kill")
        .args(["-0", process])
        .stderr(Stdio::null())
        .status();
    probe.expect("kill").success()
}

/// Not a test of its own: this is what the test below runs, and kills, in another process.
#[test]
fn victim() {
    if env::var_os(VICTIM).is_none() {
        return;
    }
    let scratch = Scratch::new("victim").expect("a folder");
    let sleep = Program::new("sleep", "sleep")
        .arg("300")
        .spawn(&scratch.join("log"))
        .expect("a child");
    println!("\nchild {} {}", sleep.id(), scratch.path().display());
    std::thread::sleep(Duration::from_secs(300));
}

#[tokio::test]
async fn a_killed_parent_leaves_no_child_and_no_folder_behind() {
    let mut parent = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "victim", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test once more");
    let lines = BufReader::new(parent.stdout.take().expect("its output")).lines();
    let said = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("child ").map(ToOwned::to_owned));
    let said = said.expect("the child's process id");
    let (child, folder) = said.split_once(' ').expect("a process id and a folder");
    assert!(alive(child) && Path::new(folder).is_dir());

    parent.kill().expect("SIGKILL");
    parent.wait().expect("its end");
    wait::until("the child's end", SOON, async || !alive(child)).await;
    wait::until("the folder's removal", SOON, async || !Path::new(folder).exists()).await;
}

#[tokio::test]
async fn a_program_ends_when_it_is_dropped_and_when_it_is_asked_to() {
    let scratch = Scratch::new("ends").expect("a folder");
    let sleep = || {
        Program::new("sleep", "sleep")
            .arg("300")
            .spawn(&scratch.join("log"))
            .expect("a child")
    };
    let dropped = sleep();
    let id = dropped.id().to_string();
    drop(dropped);
    assert!(!alive(&id));

    let mut asked = sleep();
    assert!(asked.ended().is_none());
    assert!(!asked.terminate().await.success());
}

#[tokio::test]
async fn a_program_that_ends_while_starting_is_quoted() {
    let scratch = Scratch::new("quoted").expect("a folder");
    let program = Program::new("server", "sh").args(["-c", "echo no such flag >&2; exit 3"]);
    let mut server = program.spawn(&scratch.join("log")).expect("a child");
    let error = server
        .ready(SOON, async || Err::<(), _>("silence"))
        .await
        .expect_err("it ends")
        .to_string();
    assert!(
        error.contains("exit status: 3") && error.contains("no such flag"),
        "{error}"
    );
}
