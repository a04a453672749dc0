//! The settings of one integration, put together field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::reference::{
    ConfigMapKeyRef, SecretKeyRef, SecretSource, TextFrom, TextSource, UrlSource, ValueSource,
};
use crate::domain::refusal::Refusal;
use crate::domain::rule::template;
use crate::grafana::model::REDACTED;

/// What was read from Secrets, by reference.
pub type Secrets = BTreeMap<SecretKeyRef, String>;

/// The longest text that is taken from a ConfigMap, in bytes: as long as one that is written into a resource may be.
const LONGEST_TEXT: usize = 65_536;

/// What was read of all that a contact point refers to.
#[derive(Default)]
pub struct Values {
    /// From Secrets.
    pub secrets: Secrets,
    /// From ConfigMaps.
    pub texts: BTreeMap<ConfigMapKeyRef, String>,
}

/// The settings of one integration while they are put together, with what they refer to. The first thing that is wrong is kept for the end.
///
/// `field` always is the resource's name of a setting, below the type, and `key` Grafana's; a dot leads into an object.
pub(super) struct Settings<'a> {
    /// What was read; nothing while only the references are asked for.
    read: Option<&'a Values>,
    /// What the resource calls the type.
    type_: &'a str,
    pub(super) values: Map<String, Value>,
    /// Settings that came from Secrets.
    secret_fields: Vec<String>,
    pub(super) secrets: Vec<&'a SecretKeyRef>,
    pub(super) texts: Vec<&'a ConfigMapKeyRef>,
    refusal: Option<Refusal>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(read: Option<&'a Values>, type_: &'a str) -> Self {
        Self {
            read,
            type_,
            values: Map::new(),
            secret_fields: Vec::new(),
            secrets: Vec::new(),
            texts: Vec::new(),
            refusal: None,
        }
    }

    /// The settings, and the keys of those that came from Secrets.
    pub(super) fn finish(self) -> Result<(Map<String, Value>, Vec<String>), Refusal> {
        match self.refusal {
            Some(refusal) => Err(refusal),
            None => Ok((self.values, self.secret_fields)),
        }
    }

    /// Keeps what is wrong, if nothing was before.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    /// Sets a field that is given.
    pub(super) fn set<T: Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            // Only what a person names can lead elsewhere than into an object.
            let _ = insert(&mut self.values, key, json!(value));
        }
    }

    /// Sets a field from a Secret.
    pub(super) fn secret(&mut self, field: &str, key: &str, source: Option<&'a SecretSource>) {
        if let Some(source) = source {
            self.read_secret(field, key, &source.secret_key_ref);
        }
    }

    /// Sets a URL that is given in the clear or from a Secret.
    pub(super) fn url(&mut self, field: &str, key: &str, source: Option<&'a UrlSource>) {
        let Some(source) = source else {
            return;
        };
        self.either(
            field,
            key,
            (source.value.as_ref(), source.secret_key_ref.as_ref()),
        );
        let Some((reference, value)) = (source.secret_key_ref.as_ref())
            .filter(|_| source.value.is_none())
            .and_then(|reference| Some((reference, self.read?.secrets.get(reference)?)))
        else {
            return;
        };
        if !is_url(value) {
            self.wrong(
                field,
                format!(
                    "what key {} of Secret {} holds is no URL: one begins with http:// or https:// and has no spaces",
                    reference.key, reference.name
                ),
            );
        }
    }

    /// Sets a value that is given in the clear or from a Secret.
    pub(super) fn value(&mut self, field: &str, key: &str, source: &'a ValueSource) {
        self.either(
            field,
            key,
            (source.value.as_ref(), source.secret_key_ref.as_ref()),
        );
    }

    /// Sets a template that is given here or from a ConfigMap.
    pub(super) fn text(
        &mut self,
        field: &str,
        key: &str,
        text: Option<&'a String>,
        from: Option<&'a TextFrom>,
    ) {
        self.set(key, text);
        if let Some(from) = from {
            let field = format!("{field}From");
            let text = self.read_config_map(&field, key, &from.config_map_key_ref);
            if let Some(Err(error)) = text.map(template::check) {
                let ConfigMapKeyRef { name, key } = &from.config_map_key_ref;
                self.wrong(&field, format!("key {key} of ConfigMap {name}: {error}"));
            }
        }
    }

    /// Sets a certificate.
    pub(super) fn certificate(&mut self, field: &str, key: &str, source: Option<&'a TextSource>) {
        let Some(source) = source else {
            return;
        };
        match &source.config_map_key_ref {
            Some(reference) => {
                self.read_config_map(field, key, reference);
            }
            None => self.either(
                field,
                key,
                (source.value.as_ref(), source.secret_key_ref.as_ref()),
            ),
        }
    }

    fn either(&mut self, field: &str, key: &str, from: (Option<&'a String>, Option<&'a SecretKeyRef>)) {
        match from {
            (Some(value), _) => self.set(key, Some(value)),
            (None, Some(reference)) => self.read_secret(field, key, reference),
            (None, None) => self.wrong(field, "give value or secretKeyRef"),
        }
    }

    fn wrong(&mut self, field: &str, problem: impl std::fmt::Display) {
        let refusal = Refusal::invalid(&self.named(field), problem);
        self.refuse(refusal);
    }

    fn named(&self, field: &str) -> String {
        format!("{}.{field}", self.type_)
    }

    fn read_secret(&mut self, field: &str, key: &str, reference: &'a SecretKeyRef) {
        self.secrets.push(reference);
        let Some(read) = self.read else {
            return;
        };
        let Some(value) = read.secrets.get(reference) else {
            let refusal = Refusal::missing(format!(
                "{}: Secret {} has no key {}",
                self.named(field),
                reference.name,
                reference.key
            ));
            return self.refuse(refusal);
        };
        if value.trim() == REDACTED {
            return self.wrong(
                field,
                format!(
                    "key {} of Secret {} holds {REDACTED}, which Grafana shows in place of a secret; write the secret itself there",
                    reference.key, reference.name
                ),
            );
        }
        match insert(&mut self.values, key, json!(value)) {
            Some(()) => self.secret_fields.push(key.to_owned()),
            None => self.wrong(field, "leads into a setting that is not an object"),
        }
    }

    fn read_config_map(&mut self, field: &str, key: &str, reference: &'a ConfigMapKeyRef) -> Option<&'a str> {
        self.texts.push(reference);
        let Some(text) = self.read?.texts.get(reference) else {
            let refusal = Refusal::missing(format!(
                "{}: ConfigMap {} has no key {}",
                self.named(field),
                reference.name,
                reference.key
            ));
            self.refuse(refusal);
            return None;
        };
        if text.len() > LONGEST_TEXT {
            self.wrong(
                field,
                format!(
                    "what key {} of ConfigMap {} holds is longer than {LONGEST_TEXT} bytes; shorten it",
                    reference.key, reference.name
                ),
            );
            return None;
        }
        self.set(key, Some(text));
        Some(text)
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

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;
    use crate::api::ContactPointSpec;
    use crate::api::condition::Reason;
    use crate::domain::notification::contact_point::{integrations, references};
    use crate::domain::ownership::Owner;

    fn texts(entries: &[(&str, &str)]) -> Values {
        let entry = |(key, text): &(&str, &str)| {
            let (name, key) = ("m".to_owned(), (*key).to_owned());
            (ConfigMapKeyRef { name, key }, (*text).to_owned())
        };
        Values {
            texts: entries.iter().map(entry).collect(),
            ..Values::default()
        }
    }

    #[test]
    fn a_text_from_a_config_map_is_asked_for_and_read_as_one_that_is_written_here() {
        let spec: ContactPointSpec = from_value(json!({"integrations": [{"slack": {"url": {"value": "https://x"}, "textFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}}]})).unwrap();
        let (secrets, asked) = references(&spec);
        assert!(secrets.is_empty());
        assert_eq!(
            asked
                .into_iter()
                .map(|text| text.key.as_str())
                .collect::<Vec<_>>(),
            ["k"]
        );
        let with = |values: &Values| {
            let found = integrations(&spec, &Owner::parse("prod").unwrap(), "shop", "x", values);
            found.map(|mut found| found.remove(0).sent.settings["text"].clone())
        };
        assert_eq!(
            with(&texts(&[("k", "{{ .Status }}")])),
            Ok(json!("{{ .Status }}"))
        );
        let long = "x".repeat(65_537);
        for (values, reason, message) in [
            (
                Values::default(),
                Reason::DependencyMissing,
                "ConfigMap m has no key k",
            ),
            (
                texts(&[("k", "a\n{{ range .Alerts }}")]),
                Reason::Invalid,
                "key k of ConfigMap m: line 2, column 1: ",
            ),
            (
                texts(&[("k", &long)]),
                Reason::Invalid,
                "what key k of ConfigMap m holds is longer than 65536 bytes; shorten it",
            ),
        ] {
            let refusal = with(&values).unwrap_err();
            assert_eq!(refusal.reason, reason);
            let start = format!("spec.integrations[0].slack.textFrom: {message}");
            assert!(refusal.message.starts_with(&start), "{}", refusal.message);
        }
    }
}
