//! How a receiver of Alertmanager connects, and as whom (`http_config`), as far as Grafana has settings for it.

use serde_json::Value;

use super::super::world::Hidden;
use super::parts::{list, text};
use super::receiver::{Made, hidden, is_nothing};

impl Made<'_> {
    /// What of `http_config` says who sends.
    pub(super) fn credentials(&mut self, user: &str, password: &str, bearer: &str) {
        let Some(config) = self.given.get("http_config").and_then(Value::as_object) else {
            return;
        };
        for (field, value) in config.iter().filter(|(_, value)| !is_nothing(value)) {
            let part = |name: &str| value.get(name).filter(|part| !is_nothing(part));
            match field.as_str() {
                "basic_auth" if !user.is_empty() => {
                    if let Some(name) = part("username") {
                        match hidden(name) {
                            Hidden::Value(name) => self.set(user, name.into()),
                            other => self.hide(user, other),
                        }
                    } else if part("username_file").is_some() {
                        self.remarks.push(
                            "http_config.basic_auth.username_file: what is in the file belongs into the Secret"
                                .to_owned(),
                        );
                        self.hide(user, Hidden::Nowhere);
                    }
                    self.hide(password, part("password").map_or(Hidden::Nowhere, hidden));
                }
                "authorization" => {
                    if bearer == "authorization_credentials" {
                        let scheme = part("type").map_or_else(|| "Bearer".to_owned(), text);
                        self.set("authorization_scheme", scheme.into());
                    }
                    self.hide(bearer, part("credentials").map_or(Hidden::Nowhere, hidden));
                }
                "bearer_token" | "bearer_token_secret" | "bearer_token_file" => {
                    if bearer == "authorization_credentials" {
                        self.set("authorization_scheme", "Bearer".into());
                    }
                    let value = if field.ends_with("_file") {
                        Hidden::Nowhere
                    } else {
                        hidden(value)
                    };
                    self.hide(bearer, value);
                }
                "http_headers" if self.type_.ours == "webhook" => self.headers(value),
                "tls_config" if self.type_.ours == "webhook" => {
                    self.tls("http_config.tls_config", "tlsConfig", value);
                }
                "oauth2" if self.type_.ours == "webhook" => self.oauth2(value),
                // It is what Grafana does too, or says nothing by itself.
                "follow_redirects" | "enable_http2" => {}
                other => self.lose(
                    &format!("http_config.{other}"),
                    "Grafana connects by its own settings",
                ),
            }
        }
    }

    /// Headers of a webhook, of each of which Grafana sends one value.
    fn headers(&mut self, given: &Value) {
        for (name, value) in given.as_object().into_iter().flatten() {
            let place = format!("http_config.http_headers.{name}");
            let all = |field: &str| list(value, field).iter();
            let count = ["values", "secrets", "files"]
                .into_iter()
                .map(|field| all(field).count())
                .sum::<usize>();
            // A dot parts the settings of Grafana.
            if name.contains('.') || count > 1 {
                self.lose(
                    &place,
                    "Grafana sends one value of a header, whose name has no dot",
                );
                continue;
            }
            let field = format!("headers.{name}");
            if let Some(plain) = all("values").next() {
                self.say(&field, text(plain));
            } else if let Some(secret) = all("secrets").next() {
                self.hide(&field, hidden(secret));
            } else if all("files").next().is_some() {
                self.remarks
                    .push(format!("{place}: what is in the file belongs into the Secret"));
                self.hide(&field, Hidden::Nowhere);
            }
        }
    }

    /// How TLS is spoken.
    fn tls(&mut self, place: &str, ours: &str, given: &Value) {
        for (field, value) in given
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !is_nothing(value))
        {
            let certificate = match field.as_str() {
                "ca" | "ca_file" => "caCertificate",
                "cert" | "cert_file" => "clientCertificate",
                "key" | "key_file" => "clientKey",
                "insecure_skip_verify" => {
                    self.set(&format!("{ours}.insecureSkipVerify"), value.clone());
                    continue;
                }
                _ => {
                    self.lose(&format!("{place}.{field}"), "Grafana has no setting for it");
                    continue;
                }
            };
            let value = if field.ends_with("_file") {
                self.remarks.push(format!(
                    "{place}.{field}: what is in the file belongs into the Secret"
                ));
                Hidden::Nowhere
            } else {
                hidden(value)
            };
            self.hide(&format!("{ours}.{certificate}"), value);
        }
    }

    /// A token that is asked for first, and by which way.
    fn oauth2(&mut self, given: &Value) {
        let (place, ours) = ("http_config.oauth2", "http_config.oauth2");
        for (field, value) in given
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !is_nothing(value))
        {
            match field.as_str() {
                "client_id" | "token_url" => self.say(&format!("{ours}.{field}"), text(value)),
                "scopes" | "endpoint_params" => self.set(&format!("{ours}.{field}"), value.clone()),
                "client_secret" => self.hide(&format!("{ours}.client_secret"), hidden(value)),
                "client_secret_file" => {
                    self.remarks.push(format!(
                        "{place}.{field}: what is in the file belongs into the Secret"
                    ));
                    self.hide(&format!("{ours}.client_secret"), Hidden::Nowhere);
                }
                "tls_config" => self.tls(
                    &format!("{place}.tls_config"),
                    &format!("{ours}.tls_config"),
                    value,
                ),
                "proxy_url" | "no_proxy" => self.say(&format!("{ours}.proxy_config.{field}"), text(value)),
                "proxy_from_environment" => {
                    self.set(&format!("{ours}.proxy_config.{field}"), value.clone());
                }
                other => self.lose(&format!("{place}.{other}"), "Grafana has no setting for it"),
            }
        }
    }
}
