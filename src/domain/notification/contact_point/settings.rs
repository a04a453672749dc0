//! The settings of one integration, put together field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::reference::{SecretKeyRef, SecretSource, ValueSource};
use crate::domain::refusal::Refusal;
use crate::grafana::model::REDACTED;

/// What was read from Secrets, by reference.
pub type Secrets = BTreeMap<SecretKeyRef, String>;

/// The settings of one integration while they are put together.
pub(super) struct Settings<'a> {
    secrets: &'a Secrets,
    /// What the resource calls the integration; nothing where Grafana's own names are given.
    type_: Option<&'a str>,
    pub(super) values: Map<String, Value>,
    /// Settings that came from Secrets; a dot leads into an object.
    pub(super) secret_fields: Vec<String>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(secrets: &'a Secrets, type_: Option<&'a str>) -> Self {
        Self {
            secrets,
            type_,
            values: Map::new(),
            secret_fields: Vec::new(),
        }
    }

    /// Sets a field that is given.
    pub(super) fn set<T: Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.values.insert(key.to_owned(), json!(value));
        }
    }

    /// Sets a field from a Secret.
    pub(super) fn secret(&mut self, key: &str, source: Option<&SecretSource>) -> Result<(), Refusal> {
        match source {
            Some(source) => self.read(key, &source.secret_key_ref),
            None => Ok(()),
        }
    }

    /// Sets a URL that is given in the clear or from a Secret.
    pub(super) fn url(&mut self, key: &str, source: Option<&ValueSource>) -> Result<(), Refusal> {
        match source {
            None => Ok(()),
            Some(ValueSource {
                value: Some(value), ..
            }) => {
                self.values.insert(key.to_owned(), json!(value));
                Ok(())
            }
            Some(ValueSource {
                secret_key_ref: Some(reference),
                ..
            }) => {
                self.read(key, reference)?;
                let is_url = self.values.get(key).and_then(Value::as_str).is_some_and(is_url);
                is_url.then_some(()).ok_or_else(|| {
                    Refusal::invalid(
                        &self.field(key),
                        format!(
                            "what key {} of Secret {} holds is no URL: one begins with http:// or https:// and has no spaces",
                            reference.key, reference.name
                        ),
                    )
                })
            }
            Some(_) => Err(Refusal::invalid(&self.field(key), "give value or secretKeyRef")),
        }
    }

    fn read(&mut self, path: &str, reference: &SecretKeyRef) -> Result<(), Refusal> {
        let value = self.secrets.get(reference).ok_or_else(|| {
            Refusal::missing(format!(
                "{}: Secret {} has no key {}",
                self.field(path),
                reference.name,
                reference.key
            ))
        })?;
        if value.trim() == REDACTED {
            return Err(Refusal::invalid(
                &self.field(path),
                format!(
                    "key {} of Secret {} holds {REDACTED}, which Grafana shows in place of a secret; write the secret itself there",
                    reference.key, reference.name
                ),
            ));
        }
        insert(&mut self.values, path, json!(value)).ok_or_else(|| {
            Refusal::invalid(&self.field(path), "leads into a setting that is not an object")
        })?;
        self.secret_fields.push(path.to_owned());
        Ok(())
    }

    /// The resource's name of a setting that may come from a Secret: Grafana writes some of them with `_`.
    fn field(&self, path: &str) -> String {
        let Some(type_) = self.type_ else {
            return format!("custom.secureSettings[{path}]");
        };
        let mut words = path.split('_');
        let first = words.next().unwrap_or_default();
        let rest = words.map(|word| {
            let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            initial.to_uppercase() + rest
        });
        format!("{type_}.{first}{}", rest.collect::<String>())
    }
}

fn is_url(text: &str) -> bool {
    let begins = ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    begins && !text.contains(char::is_whitespace)
}

/// Sets a nested field; `None` if something in between isn't an object.
fn insert(fields: &mut Map<String, Value>, path: &str, value: Value) -> Option<()> {
    match path.split_once('.') {
        None => {
            fields.insert(path.to_owned(), value);
            Some(())
        }
        Some((first, rest)) => {
            let inner = fields.entry(first).or_insert_with(|| Value::Object(Map::new()));
            insert(inner.as_object_mut()?, rest, value)
        }
    }
}
