//! As whom a Grafana is asked, and what is said where it refuses: in the words of whoever calls, not in the operator's.

use crate::cluster::answer::chain;
use crate::controller::engine::failure::{NOT_ALLOWED, RENEW, RIGHTS};
use crate::grafana::Error;

/// Where a Grafana is, and as whom it is asked.
#[derive(Debug, Clone)]
pub(in super::super::super) struct Whose {
    pub(super) url: String,
    /// The GrafanaInstance.
    pub(super) instance: String,
    /// What holds the token of one's own; nothing where the GrafanaInstance's Secret does.
    pub(super) own: Option<&'static str>,
}

impl Whose {
    /// Why Grafana didn't do it, with where it is, and what helps.
    pub(in super::super::super) fn why(&self, error: &Error) -> String {
        let (url, what) = (&self.url, self.what());
        match error {
            Error::Status {
                status: 401, message, ..
            } => format!(
                "Grafana at {url} doesn't take {what} (401: {message}); {}",
                self.renewal()
            ),
            Error::Status {
                status: 403, message, ..
            } => {
                format!("Grafana at {url} doesn't allow it to {what} (403: {message}); an Editor's token may")
            }
            other => {
                let said = chain(other);
                if said.contains(url.as_str()) {
                    return said;
                }
                format!("{said} (Grafana at {url})")
            }
        }
    }

    /// What the operator's passes say, where it is about credentials: they are those of whoever calls.
    pub(in super::super::super) fn in_own_words(&self, said: &str) -> String {
        let said = said.replace(NOT_ALLOWED, "you may not read it");
        let said = self.refused(&said);
        if self.own.is_none() {
            return said;
        }
        let said = said.replace(RENEW, &self.renewal());
        said.replace(RIGHTS, &format!("{} lacks the right to read it", self.what()))
    }

    /// The same without the name of what was asked, where Grafana refuses whoever asks.
    fn refused(&self, said: &str) -> String {
        let Some((before, rest)) = said.split_once("grafana refused ") else {
            return said.to_owned();
        };
        let how = [
            (" with status 401", "Grafana doesn't take", " (401)"),
            (" with status 403", "Grafana doesn't allow it to", " (403)"),
        ];
        let found = how.iter().find_map(|(status, how, code)| {
            let (asked, after) = rest.split_once(status)?;
            (!asked.contains(' ')).then(|| format!("{before}{how} {}{code}{after}", self.what()))
        });
        found.unwrap_or_else(|| said.to_owned())
    }

    /// The credentials.
    fn what(&self) -> String {
        match self.own {
            Some(own) => format!("the token in {own}"),
            None => format!("the Secret of GrafanaInstance {}", self.instance),
        }
    }

    /// What helps where they aren't taken.
    fn renewal(&self) -> String {
        match self.own {
            Some(own) => format!("renew the token in {own}"),
            None => format!(
                "renew the token or password in the Secret that spec.auth of GrafanaInstance {} names",
                self.instance
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::engine::failure::Failure;

    fn whose(own: Option<&'static str>) -> Whose {
        Whose {
            url: "http://grafana:3000".to_owned(),
            instance: "prod".to_owned(),
            own,
        }
    }

    fn refused(status: u16) -> Error {
        Error::Status {
            operation: "server.settings",
            status,
            message: "Invalid API key".to_owned(),
            message_id: None,
            retry_after: None,
        }
    }

    #[test]
    fn a_refusal_names_the_credentials_the_address_and_the_cure() {
        let own = whose(Some("GRAFANA_TOKEN"));
        assert_eq!(
            own.why(&refused(401)),
            "Grafana at http://grafana:3000 doesn't take the token in GRAFANA_TOKEN (401: Invalid API key); renew the token in GRAFANA_TOKEN"
        );
        let of_instance = whose(None).why(&refused(401));
        assert!(
            of_instance.ends_with(
                "renew the token or password in the Secret that spec.auth of GrafanaInstance prod names"
            ),
            "{of_instance}"
        );
        assert!(
            own.why(&refused(403))
                .contains("doesn't allow it to the token in GRAFANA_TOKEN (403")
        );
        let away = own.why(&Error::Timeout { operation: "x" });
        assert!(away.ends_with("(Grafana at http://grafana:3000)"), "{away}");
    }

    #[test]
    fn what_a_rehearsed_pass_says_of_credentials_is_said_of_those_that_are_used() {
        let own = whose(Some("GRAFANA_TOKEN"));
        for status in [401, 403] {
            let said = Failure::from(refused(status)).message;
            let own_words = own.in_own_words(&said);
            assert!(
                own_words.contains("GRAFANA_TOKEN") && !own_words.contains("spec.auth"),
                "{own_words}"
            );
            assert!(!own_words.contains("server.settings"), "{own_words}");
            let of_instance = whose(None).in_own_words(&said);
            assert!(
                of_instance.contains("the Secret of GrafanaInstance prod"),
                "{of_instance}"
            );
        }
        let secret = format!("cannot read Secret a: {NOT_ALLOWED}");
        assert_eq!(
            whose(None).in_own_words(&secret),
            "cannot read Secret a: you may not read it"
        );
    }
}
