//! What to do about the integrations that Grafana holds under a contact point's name.

use serde::Serialize;
use serde_json::Value;

use crate::api::ContactPointSpec;
use crate::api::contact_point::MOST_INTEGRATIONS;
use crate::domain::changed::drift::{self, DELETED};
use crate::grafana::api::Provenance;
use crate::grafana::digest::IntegrationDigest;
use crate::grafana::model::{self, ContactPoint, Found, Revision};

use super::Integration;
use super::fill::type_of;
use crate::domain::ownership::{Owner, Owners};

/// Settings of an integration.
type Fields = serde_json::Map<String, Value>;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The wished ones that are to be sent: they aren't there, differ, or hide what was not sent yet.
    pub changed: Vec<String>,
    /// Integrations that were made for this resource and that aren't wished any more.
    pub surplus: Vec<String>,
    /// Integrations of that name that somebody else made. They go only where they are taken over.
    pub foreign: Vec<String>,
    /// Whether one of the integrations that were found is ours, and with it the contact point.
    pub is_ours: bool,
}

impl Plan {
    /// Whether Grafana holds what is wished and nothing else.
    pub fn is_done(&self) -> bool {
        self.changed.is_empty() && self.surplus.is_empty() && self.foreign.is_empty()
    }

    /// The same where these of somebody else stay.
    pub fn is_done_but_for(&self, kept: &[String]) -> bool {
        let mut foreign = self.foreign.iter();
        self.changed.is_empty() && self.surplus.is_empty() && foreign.all(|uid| kept.contains(uid))
    }

    /// Whether an integration of somebody else has no uid, as that of Grafana's own `grafana-default-email`: no call can name it, so
    /// it can be neither replaced nor deleted.
    pub fn is_out_of_reach(&self) -> bool {
        self.foreign.iter().any(String::is_empty)
    }
}

/// What somebody has changed of a contact point that was sent as it is wished, by a plan against what was found: `slack.url`, `slack: deleted`.
pub fn drift(wish: &[Integration], found: &[model::Integration], plan: &Plan) -> Vec<String> {
    let of = |integration: &Integration| {
        let type_ = &integration.sent.r#type;
        let Some(found) = found.iter().find(|found| found.uid == integration.sent.uid) else {
            return vec![format!("{type_}: {DELETED}")];
        };
        differing(integration, found)
    };
    let changed = wish.iter().filter(|i| plan.changed.contains(&i.sent.uid));
    let added = found.iter().filter(|found| plan.surplus.contains(&found.uid));
    let added = added.map(|found| format!("{}: added", found.r#type));
    changed.flat_map(of).chain(added).collect()
}

/// How an integration that was found compares with the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// It is the same, and Grafana hides nothing of it.
    Same,
    /// It is the same as far as Grafana shows it.
    Alike,
    /// It is another.
    Other,
}

/// Compares the wish with what was found.
///
/// `is_ours` says that an integration was made for this resource; `is_sent` that its secrets, which Grafana doesn't show, are
/// those that were sent last; `again` that all of it is to be sent, whatever is known.
///
/// Where an integration isn't there as it was sent, somebody has changed the contact point behind our back, or a backup of Grafana was
/// played back. What either did to the secrets beside it isn't seen, so they are sent as well.
pub fn decide(
    wish: &[Integration],
    found: &[model::Integration],
    again: bool,
    is_ours: impl Fn(&model::Integration) -> bool,
    is_sent: impl Fn(&Integration) -> bool,
) -> Plan {
    let wished = |uid: &str| wish.iter().any(|integration| integration.sent.uid == uid);
    let compared: Vec<_> = wish
        .iter()
        .map(|integration| {
            let found = found.iter().find(|found| found.uid == integration.sent.uid);
            let likeness = found.map(|found| likeness(integration, found));
            (integration, likeness, is_sent(integration))
        })
        .collect();
    let is_touched = compared
        .iter()
        .any(|(_, likeness, is_sent)| *is_sent && matches!(likeness, None | Some(Likeness::Other)));
    let is_changed = |likeness: Option<Likeness>, is_sent: bool| match likeness {
        Some(Likeness::Same) => again,
        Some(Likeness::Alike) => again || is_touched || !is_sent,
        Some(Likeness::Other) | None => true,
    };
    let changed = compared
        .into_iter()
        .filter(|(_, likeness, is_sent)| is_changed(*likeness, *is_sent));
    let others = found.iter().filter(|candidate| !wished(&candidate.uid));
    let (ours, foreign): (Vec<_>, Vec<_>) = others.partition(|candidate| is_ours(candidate));
    let uids = |all: &[&model::Integration]| all.iter().map(|other| other.uid.clone()).collect();
    Plan {
        changed: changed
            .map(|(integration, ..)| integration.sent.uid.clone())
            .collect(),
        surplus: uids(&ours),
        foreign: uids(&foreign),
        is_ours: !ours.is_empty() || found.iter().any(|candidate| wished(&candidate.uid)),
    }
}

/// Whether an integration was made for a resource, now or before, as its uid says: it is derived from the resource, the type and a number.
pub fn is_made_for(found: &model::Integration, owners: &Owners, (namespace, name): (&str, &str)) -> bool {
    let derived = |owner: &Owner, ordinal: usize| {
        owner.integration_uid(namespace, name, &found.r#type, ordinal) == found.uid
    };
    owners
        .all()
        .any(|owner| (0..MOST_INTEGRATIONS).any(|ordinal| derived(owner, ordinal)))
}

/// The settings that can't be compared. Which secrets Grafana hides depends on the type; it also hides what was given in the clear.
fn unseen(wish: &Integration, found: &model::Integration) -> Vec<String> {
    let mut hidden = found.redacted_fields();
    let secrets = wish.secret_fields.iter();
    let missing = secrets.filter(|path| !is_there(&found.settings, path)).cloned();
    let missing = missing.chain(unkept(&wish.sent.settings, &found.settings, ""));
    let missing: Vec<_> = missing.filter(|path| !hidden.contains(path)).collect();
    hidden.extend(missing);
    hidden
}

/// With what Grafana takes for granted, where its own pages write it and other people don't.
pub fn in_full(integration: &model::Integration) -> model::Integration {
    let mut integration = integration.clone();
    if integration.r#type == "email" {
        integration.settings.entry("singleEmail").or_insert(false.into());
    }
    integration
}

fn likeness(wish: &Integration, found: &model::Integration) -> Likeness {
    let fields = unseen(wish, found);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    if IntegrationDigest::of(&in_full(&wish.sent), &fields) != IntegrationDigest::of(&in_full(found), &fields)
    {
        Likeness::Other
    } else if fields.is_empty() {
        Likeness::Same
    } else {
        Likeness::Alike
    }
}

/// Names of settings that Grafana takes for secrets, in one type of integration or another and whatever their case.
const SECRETS: [&str; 20] = [
    "access_key",
    "api_secret",
    "apikey",
    "apitoken",
    "authorization_credentials",
    "bottoken",
    "cacertificate",
    "client_secret",
    "clientcertificate",
    "clientkey",
    "integrationkey",
    "key",
    "password",
    "secret",
    "secret_key",
    "sessiontoken",
    "token",
    "url",
    "userkey",
    "webhook_url",
];

/// The settings that are wished for and that Grafana doesn't hand back, because they are empty, or secret and no text: it keeps a
/// secret only if it is a text with something in it. To send them again would change nothing.
fn unkept(wish: &Fields, found: &Fields, above: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in wish {
        let path = format!("{above}{key}");
        match (value, found.get(key)) {
            (Value::Object(inner), found) => {
                let found = found.and_then(Value::as_object);
                paths.extend(unkept(
                    inner,
                    found.unwrap_or(&Fields::new()),
                    &format!("{path}."),
                ));
            }
            (Value::String(text), None) if text.is_empty() => paths.push(path),
            (Value::Bool(_) | Value::Number(_) | Value::Array(_), None)
                if SECRETS.contains(&key.to_lowercase().as_str()) =>
            {
                paths.push(path);
            }
            _ => {}
        }
    }
    paths
}

fn is_there(settings: &Fields, path: &str) -> bool {
    match path.split_once('.') {
        None => settings.contains_key(path),
        Some((first, rest)) => settings
            .get(first)
            .and_then(Value::as_object)
            .is_some_and(|inner| is_there(inner, rest)),
    }
}

/// What is wished, as it is sent.
pub fn as_sent(name: &str, wish: &[Integration]) -> ContactPoint {
    ContactPoint {
        name: name.to_owned(),
        integrations: wish.iter().map(|integration| integration.sent.clone()).collect(),
    }
}

/// How what is wished compares with what somebody else has made of the same name: by which of their integrations each could stand, of its type, and in
/// which fields these differ.
#[derive(Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Each integration has its equal there. Those that Grafana hides something of, as far as it shows them: their place in the list says which, and the name of
    /// what it hides.
    Equal {
        /// The uid there of each wished integration, in order.
        uids: Vec<String>,
        /// What can't be compared: `slack.url`.
        hidden: Vec<String>,
    },
    /// They differ, in these fields: `slack.text`, `email: only there`.
    Other(Vec<String>),
}

/// Compares the wish with somebody else's integrations. Equal ones find each other whatever the order; of the others of a type the first is compared with the first.
pub fn compare(wish: &[Integration], found: &[model::Integration]) -> Comparison {
    let mut left: Vec<_> = found.iter().collect();
    let mut equals: Vec<Option<&model::Integration>> = vec![None; wish.len()];
    for wanted in [Likeness::Same, Likeness::Alike] {
        for (integration, equal) in wish.iter().zip(&mut equals).filter(|(_, equal)| equal.is_none()) {
            let fits = |found: &&model::Integration| likeness(integration, found) == wanted;
            *equal = left.iter().position(fits).map(|at| left.remove(at));
        }
    }
    let mut differ = Vec::new();
    let (mut uids, mut hidden) = (Vec::new(), Vec::new());
    for (integration, equal) in wish.iter().zip(equals) {
        let type_ = &integration.sent.r#type;
        if let Some(equal) = equal {
            uids.push(equal.uid.clone());
            let names = unseen(integration, equal);
            hidden.extend(names.into_iter().map(|name| format!("{type_}.{name}")));
            continue;
        }
        let other = left
            .iter()
            .position(|found| found.r#type == *type_)
            .map(|at| left.remove(at));
        match other {
            Some(other) => differ.extend(differing(integration, other)),
            None => differ.push(format!("{type_}: only here")),
        }
    }
    differ.extend(left.iter().map(|found| format!("{}: only there", found.r#type)));
    if differ.is_empty() {
        Comparison::Equal { uids, hidden }
    } else {
        Comparison::Other(differ)
    }
}

/// The fields of an integration, behind its type, that are others in what was found.
fn differing(integration: &Integration, found: &model::Integration) -> Vec<String> {
    let type_ = &integration.sent.r#type;
    let filled = |settings: &Value| Integration {
        sent: model::Integration {
            settings: settings.as_object().cloned().unwrap_or_default(),
            ..integration.sent.clone()
        },
        secret_fields: integration.secret_fields.clone(),
    };
    let is_other = |settings: &Value| likeness(&filled(settings), &integration.sent) == Likeness::Other;
    let value = |settings: &Fields| Value::Object(settings.clone());
    let hidden = found.redacted_fields();
    let mut names = drift::fields(
        &value(&integration.sent.settings),
        &value(&found.settings),
        is_other,
    );
    names.retain(|name| !hidden.contains(name));
    if integration.sent.disable_resolve_message != found.disable_resolve_message {
        names.push("disableResolveMessage".to_owned());
    }
    if names.is_empty() {
        return vec![format!("{type_}: what Grafana hides or doesn't keep apart")];
    }
    names.iter().map(|name| format!("{type_}.{name}")).collect()
}

/// What a read finds after the wish was written.
pub fn as_found(name: &str, wish: &[Integration], revision: Option<Revision>) -> Found<ContactPoint> {
    let provenance = Provenance::Api.name().map(str::to_owned);
    let hidden = wish.iter().map(|integration| {
        let mut found = model::Integration {
            provenance: provenance.clone(),
            ..integration.sent.clone()
        };
        integration.secret_fields.iter().for_each(|path| found.hide(path));
        found
    });
    Found {
        object: ContactPoint {
            name: name.to_owned(),
            integrations: hidden.collect(),
        },
        provenance: provenance.clone(),
        revision,
    }
}

/// Names integrations by type and uid, and shows nothing of their settings.
pub fn names(found: &[model::Integration], uids: &[String]) -> String {
    let chosen = found.iter().filter(|integration| uids.contains(&integration.uid));
    let texts: Vec<_> = chosen
        .map(|integration| format!("{} ({})", integration.r#type, integration.uid))
        .collect();
    texts.join(", ")
}

/// What is remembered of an integration as a message authentication code: all that was sent, secrets included. Any other form would have
/// everything sent again by the next version of the operator.
pub fn message(name: &str, integration: &Integration) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        uid: &'a str,
        name: &'a str,
        r#type: &'a str,
        settings: &'a Fields,
        disable_resolve_message: bool,
    }
    let sent = &integration.sent;
    let message = Body {
        uid: &sent.uid,
        name,
        r#type: &sent.r#type,
        settings: &sent.settings,
        disable_resolve_message: sent.disable_resolve_message,
    };
    // A map of strings to JSON values always serialises; keys are sorted.
    serde_json::to_vec(&message).unwrap_or_default()
}

/// The same of all integrations of a contact point.
pub fn messages(name: &str, wish: &[Integration]) -> Vec<Vec<u8>> {
    wish.iter()
        .map(|integration| message(name, integration))
        .collect()
}

/// The uids of a contact point's integrations; needs no Secrets.
pub fn uids(spec: &ContactPointSpec, owner: &Owner, namespace: &str, name: &str) -> Vec<String> {
    let types: Vec<&str> = spec.integrations.iter().map(type_of).collect();
    types
        .iter()
        .enumerate()
        .map(|(i, type_)| {
            let ordinal = types.iter().take(i).filter(|earlier| *earlier == type_).count();
            owner.integration_uid(namespace, name, type_, ordinal)
        })
        .collect()
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
