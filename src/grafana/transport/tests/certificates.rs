//! A server that asks for a client's certificate, and whose own is of an authority that nobody else trusts.

use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

/// It answers everything with a page of its own, once it has seen a certificate of its authority.
struct Server {
    folder: PathBuf,
    process: Child,
    // It would die of a pipe that nobody reads.
    _output: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Server {
    fn start() -> Self {
        Self::of("localhost", 2)
    }

    /// One whose certificate is for this name and so many days; none of them, and it has expired.
    fn of(name: &str, days: i32) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("alertwright-tls-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let openssl = |args: &str| {
            let mut openssl = Command::new("openssl");
            openssl.args(args.split(' ')).current_dir(&folder);
            openssl.stdin(Stdio::null()).stderr(Stdio::null());
            openssl
        };
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        let of_ca = "-addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key";
        for made in [
            format!("{new} -subj /CN=authority -keyout ca.key -out ca.pem"),
            format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout server.key -out server.csr"
            ),
            format!(
                "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days {days} -copy_extensions copy -out server.pem"
            ),
            format!("{new} -subj /CN=operator {of_ca} -keyout client.key -out client.pem"),
            format!("{new} -subj /CN=operator -keyout other.key -out other.pem"),
        ] {
            assert!(openssl(&made).status().expect("openssl").success(), "{made}");
        }
        let mut process = openssl(
            "s_server -www -accept 127.0.0.1:0 -cert server.pem -key server.key -Verify 1 -CAfile ca.pem -verify_return_error",
        )
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let address = line.strip_prefix("ACCEPT ")?;
            address.rsplit(':').next()?.parse::<u16>().ok()
        });
        let url = format!("https://localhost:{}", port.expect("a port"));
        Self {
            folder,
            process,
            _output: lines,
            url,
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// What becomes of a request with these certificates.
    async fn asked(&self, tls: Tls) -> Error {
        let connection = Connection {
            tls,
            ..connection(&self.url)
        };
        let transport = Transport::new(&connection, Arc::new(())).unwrap();
        transport.fetch::<Value>(read()).await.unwrap_err()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

static COUNTER: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn the_operator_shows_its_certificate_to_a_server_that_asks_for_one_and_trusts_the_authority_it_is_told()
 {
    let server = Server::start();
    let ca_pem = Some(server.read("ca.pem"));
    let pair = |name: &str| Tls {
        ca_pem: ca_pem.clone(),
        client_cert_pem: Some(server.read(&format!("{name}.pem"))),
        client_key_pem: Some(server.read(&format!("{name}.key")).into()),
        insecure_skip_verify: false,
    };
    // Its page is no answer of Grafana's, but it is one.
    let error = server.asked(pair("client")).await;
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let nothing = Tls {
        ca_pem: ca_pem.clone(),
        ..Tls::default()
    };
    for refused in [nothing, pair("other")] {
        let error = server.asked(refused).await;
        let is_cut_off = matches!(error, Error::Connect(_) | Error::Dropped { .. });
        assert!(is_cut_off, "{error:?}");
    }
    let untrusting = Tls {
        ca_pem: None,
        ..pair("client")
    };
    let error = server.asked(untrusting).await;
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_for_another_name_is_refused_and_it_is_told_why() {
    for (name, days, why) in [
        ("localhost", -1, "its certificate has expired"),
        (
            "other.example",
            2,
            "its certificate isn't for localhost, but for DnsName(\"other.example\")",
        ),
    ] {
        let server = Server::of(name, days);
        let tls = || Tls {
            ca_pem: Some(server.read("ca.pem")),
            client_cert_pem: Some(server.read("client.pem")),
            client_key_pem: Some(server.read("client.key").into()),
            insecure_skip_verify: false,
        };
        let error = server.asked(tls()).await;
        assert!(matches!(error, Error::Certificate(_)), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.class(), Class::Transient);
        assert!(!error.outcome_unknown());
        let skipping = Tls {
            insecure_skip_verify: true,
            ..tls()
        };
        let error = server.asked(skipping).await;
        assert!(
            matches!(error, Error::Decode { .. }),
            "or it is the server: {error:?}"
        );
    }
}
