//! The image's file system as a process in a container sees it, and a server for it to talk to.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use alertwright_testbed::Scratch;

use crate::archive::Archive;
use crate::success;

/// A copy of the image's file system, in which its binary is run as nobody.
pub(crate) struct Root {
    scratch: Scratch,
}

impl Root {
    pub(crate) fn new(archive: &Archive) -> Self {
        let scratch = Scratch::new("root").expect("a folder");
        let mut copy = Command::new("cp");
        copy.arg("--recursive").arg(archive.root.join("."));
        success(&copy.arg(scratch.path()).output().expect("cp"));
        // A temporary folder is its owner's alone, and the binary runs as somebody else.
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        Self { scratch }
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.scratch.join(path)).expect("a file")
    }

    pub(crate) fn write(&mut self, path: &str, text: &str) {
        fs::write(self.scratch.join(path), text).expect("a file");
    }

    /// Runs the binary with this as its root. Who isn't root needs a user namespace for that, in which nobody has a number.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let user = success(&Command::new("id").arg("-u").output().expect("id"));
        let mut command = if user.trim() == "0" {
            let mut chroot = Command::new("chroot");
            chroot.arg("--userspec=65532:65532");
            chroot
        } else {
            let mut unshare = Command::new("unshare");
            unshare.args(["--map-root-user", "chroot"]);
            unshare
        };
        command.arg(self.scratch.path()).arg("/alertwright").args(args);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.output().expect("chroot")
    }
}

/// An HTTPS server whose certificate an authority of its own has signed.
pub(crate) struct Server {
    scratch: Scratch,
    process: Child,
    // It would die of a pipe that nobody reads.
    _output: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        let scratch = Scratch::new("https").expect("a folder");
        let openssl = |args: &str| {
            let mut openssl = Command::new("openssl");
            openssl.args(args.split(' ')).current_dir(scratch.path());
            openssl
        };
        let certificate = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        for of in [
            format!("{certificate} -subj /CN=authority -keyout ca.key -out ca.pem"),
            format!(
                "{certificate} -subj /CN={name} -addext subjectAltName=DNS:{name} -addext basicConstraints=critical,CA:FALSE \
                 -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem"
            ),
        ] {
            success(&openssl(&of).output().expect("openssl"));
        }
        let mut server = openssl("s_server -www -accept 127.0.0.1:0 -cert server.pem -key server.key");
        let mut process = server
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let port = lines
            .find_map(|line| {
                line.ok()?
                    .strip_prefix("ACCEPT ")?
                    .rsplit(':')
                    .next()?
                    .parse()
                    .ok()
            })
            .expect("a port");
        Self {
            scratch,
            process,
            _output: lines,
            port,
        }
    }

    /// The authority's certificate, as PEM.
    pub(crate) fn authority(&self) -> String {
        fs::read_to_string(self.scratch.join("ca.pem")).expect("a certificate")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
