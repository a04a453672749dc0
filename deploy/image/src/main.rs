//! Prints the CA certificates that Mozilla trusts for servers, as PEM: what `/etc/ssl/certs/ca-certificates.crt` of the image holds.
//!
//! They come from a crate, so `Cargo.lock` pins them and they are the same on every machine.

use std::io::{self, Write};

use pem::{EncodeConfig, LineEnding, Pem};

fn main() -> io::Result<()> {
    let certificates: Vec<Pem> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|certificate| Pem::new("CERTIFICATE", certificate.as_ref()))
        .collect();
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    io::stdout()
        .lock()
        .write_all(pem::encode_many_config(&certificates, lines).as_bytes())
}
