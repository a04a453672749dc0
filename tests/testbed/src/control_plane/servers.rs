//! How each program of the control plane is run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};

use crate::{
    Error, Result, Scratch, http, parts, ports,
    process::{Process, Program},
};

/// The administrator's bearer token; the control plane listens on 127.0.0.1 only and lives for minutes.
const ADMIN_TOKEN: &str = "admin";

const CONTROLLERS: &str = "deployment-controller,replicaset-controller,statefulset-controller,daemonset-controller,\
                           job-controller,cronjob-controller,disruption-controller,garbage-collector-controller,\
                           serviceaccount-controller,namespace-controller,clusterrole-aggregation-controller";

const START: Duration = Duration::from_secs(60);

/// How much garbage a server may gather, in percent of what it holds: memory is what there is enough of.
const GARBAGE: &str = "400";

/// What the API server's certificate says. The one that it would make for itself has an RSA key, whose signatures were a fifth of all that it
/// computed: every test opens connections.
const CERTIFICATE: &str = "[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = 127.0.0.1
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1, DNS:localhost
";

/// The addresses and files that the programs share.
#[derive(Debug)]
pub(crate) struct Servers {
    dir: PathBuf,
    etcd: u16,
    peer: u16,
    apiserver: u16,
}

impl Servers {
    /// Chooses ports and writes the key that signs service account tokens.
    pub(crate) fn new(scratch: &Scratch) -> Result<Self> {
        let (private, public) = signing_key();
        scratch.write("sa.key", private)?;
        scratch.write("sa.pub", public)?;
        scratch.write("certificate.cnf", CERTIFICATE)?;
        certify(scratch.path())?;
        scratch.write(
            "tokens.csv",
            format!("{ADMIN_TOKEN},admin,1,\"system:masters\"\n"),
        )?;
        Ok(Self {
            dir: scratch.path().to_owned(),
            etcd: ports::free(),
            peer: ports::free(),
            apiserver: ports::free(),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.apiserver)
    }

    pub(crate) async fn etcd(&self) -> Result<Process> {
        let url = format!("http://127.0.0.1:{}", self.etcd);
        let peer = format!("http://127.0.0.1:{}", self.peer);
        let mut etcd = Program::new("etcd", parts::path("etcd")?)
            .flag("--data-dir", self.dir.join("etcd"))
            .flag("--listen-client-urls", &url)
            .flag("--advertise-client-urls", &url)
            .flag("--listen-peer-urls", &peer)
            .flag("--initial-advertise-peer-urls", &peer)
            .flag("--initial-cluster", format!("default={peer}"))
            .flag("--log-level", "warn")
            .arg("--unsafe-no-fsync")
            .env("GOGC", GARBAGE)
            .spawn(&self.dir.join("etcd.log"))?;
        let health = format!("{url}/health");
        etcd.ready(START, async || http::answers(http::client(), &health).await)
            .await?;
        Ok(etcd)
    }

    pub(crate) async fn apiserver(&self) -> Result<Process> {
        let mut apiserver = Program::new("kube-apiserver", parts::path("kube-apiserver")?)
            .flag("--etcd-servers", format!("http://127.0.0.1:{}", self.etcd))
            .flag("--bind-address", "127.0.0.1")
            .flag("--secure-port", self.apiserver.to_string())
            .flag("--tls-cert-file", self.dir.join("apiserver.crt"))
            .flag("--tls-private-key-file", self.dir.join("apiserver.key"))
            .flag("--service-account-issuer", "https://kubernetes.default.svc")
            .flag("--service-account-key-file", self.dir.join("sa.pub"))
            .flag("--service-account-signing-key-file", self.dir.join("sa.key"))
            .flag("--service-cluster-ip-range", "10.0.0.0/24")
            .flag("--authorization-mode", "RBAC")
            .flag("--token-auth-file", self.dir.join("tokens.csv"))
            .arg("--allow-privileged")
            .env("GOGC", GARBAGE)
            .spawn(&self.dir.join("kube-apiserver.log"))?;
        // Whether the certificate is right is for the clients of the kubeconfig to say.
        let client = http::builder()
            .tls_danger_accept_invalid_certs(true)
            .build()
            .expect("a plain client");
        let ready = format!("{}/readyz", self.url());
        apiserver
            .ready(START, async || http::answers(&client, &ready).await)
            .await?;
        Ok(apiserver)
    }

    /// Starts what plays the kubelets. What it answers itself is asked by nobody.
    pub(crate) fn kwok(&self, kubeconfig: &Path) -> Result<Process> {
        let kwok = parts::path("kwok")?;
        let real =
            std::fs::canonicalize(&kwok).map_err(Error::io(format!("cannot find {}", kwok.display())))?;
        Program::new("kwok", kwok)
            .flag("--kubeconfig", kubeconfig)
            .flag("--config", real.with_file_name("stages.yaml"))
            .flag("--manage-all-nodes", "true")
            .flag("--server-address", format!("127.0.0.1:{}", ports::free()))
            .spawn(&self.dir.join("kwok.log"))
    }

    /// Starts what needs no wait of its own: the first workload shows that they work.
    pub(crate) fn others(&self, kubeconfig: &Path) -> Result<Vec<Process>> {
        // They check who asks for their metrics.
        let delegating = |name: &str| {
            Ok::<_, Error>(
                Program::new(name, parts::path(name)?)
                    .flag("--kubeconfig", kubeconfig)
                    .flag("--authentication-kubeconfig", kubeconfig)
                    .flag("--authorization-kubeconfig", kubeconfig)
                    .flag("--bind-address", "127.0.0.1")
                    .flag("--secure-port", ports::free().to_string())
                    .flag("--leader-elect", "false"),
            )
        };
        let log = |name: &str| self.dir.join(format!("{name}.log"));
        Ok(vec![
            delegating("kube-controller-manager")?
                .flag("--controllers", CONTROLLERS)
                .spawn(&log("kube-controller-manager"))?,
            delegating("kube-scheduler")?.spawn(&log("kube-scheduler"))?,
        ])
    }

    pub(crate) fn admin_kubeconfig(&self) -> Result<PathBuf> {
        self.write_kubeconfig("admin", "default", ADMIN_TOKEN)
    }

    /// Writes a kubeconfig for a token and a default namespace.
    pub(crate) fn write_kubeconfig(&self, file: &str, namespace: &str, token: &str) -> Result<PathBuf> {
        let config = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "testbed",
            "clusters": [{"name": "testbed", "cluster": {
                "server": self.url(),
                "certificate-authority": self.dir.join("apiserver.crt"),
            }}],
            "users": [{"name": "testbed", "user": {"token": token}}],
            "contexts": [{"name": "testbed", "context": {
                "cluster": "testbed", "user": "testbed", "namespace": namespace,
            }}],
        });
        let path = self.dir.join(format!("{file}.kubeconfig"));
        // JSON is YAML.
        std::fs::write(&path, config.to_string())
            .map_err(crate::Error::io(format!("cannot write {}", path.display())))?;
        Ok(path)
    }
}

/// Makes the API server's key and certificate, which is its own authority.
fn certify(dir: &Path) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl
        .args("req -x509 -days 30 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(' '))
        .args("-config certificate.cnf -keyout apiserver.key -out apiserver.crt".split(' '))
        .current_dir(dir);
    let output = openssl.output().map_err(Error::io("cannot run openssl"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::io("openssl makes no certificate")(std::io::Error::other(
        said,
    )))
}

/// A new ECDSA key, as the server wants it to sign and to verify, in PEM.
fn signing_key() -> (String, String) {
    /// Says "a public key on P-256" in the DER of X.509.
    const PUBLIC_KEY: [u8; 26] = *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
        \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let private = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("the system's random numbers");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &random).expect("the key just made");
    let public = [&PUBLIC_KEY, pair.public_key().as_ref()].concat();
    (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", &public))
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}
