//! The settings of one integration, put together field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::reference::{SecretKeyRef, SecretSource, ValueSource};
use crate::domain::refusal::Refusal;
use crate::domain::rule::template;
use crate::grafana::wire::REDACTED;

/// What was read from Secrets, by reference.
pub type Secrets = BTreeMap<SecretKeyRef, String>;

/// The settings of one integration while they are put together.
pub(super) struct Settings<'a> {
    secrets: &'a Secrets,
    pub(super) values: Map<String, Value>,
    /// Settings that came from Secrets; a dot leads into an object.
    pub(super) secret_fields: Vec<String>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(secrets: &'a Secrets) -> Self {
        Self {
            secrets,
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

    /// Fails with the name of a field whose template nothing closes: Grafana would find out with the first alert, and send none. What came
    /// from Secrets is not looked at.
    pub(super) fn check_templates(&self) -> Result<(), Refusal> {
        check(&self.values, "", &self.secret_fields)
    }

    /// Sets a field that is given in the clear or from a Secret.
    pub(super) fn value(&mut self, key: &str, source: Option<&ValueSource>) -> Result<(), Refusal> {
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
            }) => self.read(key, reference),
            Some(_) => Err(Refusal::invalid(key, "give value or secretKeyRef")),
        }
    }

    fn read(&mut self, path: &str, reference: &SecretKeyRef) -> Result<(), Refusal> {
        let value = self.secrets.get(reference).ok_or_else(|| {
            Refusal::missing(format!(
                "{path}: Secret {} has no key {}",
                reference.name, reference.key
            ))
        })?;
        if value.trim() == REDACTED {
            return Err(Refusal::invalid(
                path,
                format!(
                    "key {} of Secret {} holds {REDACTED}, which Grafana shows in place of a secret; write the secret itself there",
                    reference.key, reference.name
                ),
            ));
        }
        insert(&mut self.values, path, json!(value))
            .ok_or_else(|| Refusal::invalid(path, "leads into a setting that is not an object"))?;
        self.secret_fields.push(path.to_owned());
        Ok(())
    }
}

fn check(fields: &Map<String, Value>, above: &str, secrets: &[String]) -> Result<(), Refusal> {
    for (key, value) in fields {
        let path = format!("{above}{key}");
        match value {
            Value::String(text) if !secrets.contains(&path) => {
                template::check(text).map_err(|e| Refusal::invalid(&path, e))?;
            }
            Value::Object(inner) => check(inner, &format!("{path}."), secrets)?,
            _ => {}
        }
    }
    Ok(())
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
