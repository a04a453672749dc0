//! What is wrong with a certificate that the client doesn't trust, where somebody can do something about it.
//!
//! rustls says of one that has expired how many seconds ago that was, so its words would be others each time, and a status written for that.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use rustls::CertificateError::{
    Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
};
use rustls::pki_types::UnixTime;

/// Why a server's certificate isn't trusted, if that is why no connection came about; `None` for what rustls says well itself.
pub(in crate::grafana) fn problem(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    let refused = loop {
        let error = next?;
        if let Some(rustls::Error::InvalidCertificate(refused)) = of_tls(error) {
            break refused;
        }
        next = error.source();
    };
    match refused {
        Expired => Some("its certificate has expired; renew it".to_owned()),
        ExpiredContext { not_after, .. } => Some(format!(
            "its certificate has expired, at {}; renew it",
            told(*not_after)
        )),
        NotValidYet => Some("its certificate isn't valid yet; look at the clocks".to_owned()),
        NotValidYetContext { not_before, .. } => Some(format!(
            "its certificate isn't valid before {}; look at the clocks",
            told(*not_before)
        )),
        NotValidForName => {
            Some("its certificate is for another name; use an address that it is for".to_owned())
        }
        NotValidForNameContext { expected, presented } => {
            let names = match presented.as_slice() {
                [] => "none".to_owned(),
                names => names.join(", "),
            };
            Some(format!(
                "its certificate isn't for {}, but for {names}; use an address that it is for, or one that names this in its subjectAltName",
                expected.to_str()
            ))
        }
        _ => None,
    }
}

/// An error of TLS. An `io::Error` gives the source of what it holds, and not that, as its source.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => of_tls(held),
        None => error.downcast_ref(),
    }
}

fn told(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string())
}
