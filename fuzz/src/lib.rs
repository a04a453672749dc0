//! What is fuzzed: each target takes any bytes, and panics where something isn't as it must be.
//!
//! libFuzzer runs them for long (`make fuzz`), and `tests/fuzzed.rs` for a moment with every other test. Laws of single functions stand beside
//! these, as property tests; here is what has to hold for every text that a resource, a manifest or a server can bring.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use alertwright::api::matcher::Matcher;
use alertwright::api::prometheus_rule_import::SourceKind;
use alertwright::api::{AlertRuleSpec, PrometheusRuleImport, duration};
use alertwright::cli;
use alertwright::domain::import;
use alertwright::domain::import::source::Source;
use alertwright::domain::lint::object::Object;
use alertwright::domain::lint::options::Options;
use alertwright::domain::lint::schema::Schemas;
use alertwright::domain::lint::standing::Standing;
use alertwright::domain::lint::{across, each, mistakes};
use alertwright::domain::notification::named::text as notification;
use alertwright::domain::ownership::{Owner, Owners};
use alertwright::domain::rule::decision::{Decision, decide, drift, fingerprint, is_drift};
use alertwright::domain::rule::query::language;
use alertwright::domain::rule::query::{Split, split};
use alertwright::domain::rule::{self, Surroundings, template};
use alertwright::domain::version::Version;
use alertwright::grafana::api::FoundRule;
use alertwright::grafana::wire::{DataSource, Toggles};
use alertwright::json::{moment, shallow};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

/// A target: what it is called, and what it does with any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them, by the names of their programs.
pub const TARGETS: [Target; 10] = [
    ("duration", duration),
    ("grafana_json", grafana_json),
    ("manifest", manifest),
    ("matcher", matcher),
    ("notification_template", notification_template),
    ("prometheus_rules", prometheus_rules),
    ("query", query),
    ("rule", rule),
    ("template", template),
    ("yaml", yaml),
];

/// Where everything is said to be.
const PLACE: (&str, &str) = ("shop", "checkout");
static OWNER: LazyLock<Owner> = LazyLock::new(|| Owner::parse("fuzz").expect("an owner id"));

thread_local! {
    /// The schemas and the rules in them, which take a while to make.
    static SCHEMAS: Schemas = Schemas::default();
}

/// A duration: printed again it is as long, and what the schema takes is read.
pub fn duration(data: &[u8]) {
    let Some(length) = text(data).and_then(|text| duration::Duration::parse(text).ok()) else {
        return;
    };
    let length = length.checked().expect("it was checked when it was parsed");
    let printed = duration::format(length);
    let again = duration::Duration::parse(&printed).and_then(|again| again.checked());
    assert_eq!(again, Ok(length), "{printed}");
}

/// An answer of a server: it is read the same in whatever pieces it comes, and never deeper than can be held.
pub fn grafana_json(data: &[u8]) {
    if let Some(text) = text(data) {
        let _ = moment::parse(text);
    }
    let at_once = shallow::Shallow::default().pass(Bytes::copy_from_slice(data));
    let mut reader = shallow::Shallow::default();
    let pieces = data
        .chunks(3)
        .map(|piece| reader.pass(Bytes::copy_from_slice(piece)));
    let in_pieces: Vec<u8> = pieces.flat_map(Vec::from).collect();
    assert_eq!(in_pieces, at_once);
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        assert!(
            serde_json::from_slice::<Value>(&at_once).is_ok(),
            "what was cut out of {value} isn't JSON any more"
        );
    }
}

/// Manifests: whatever they say, they are checked, and each complaint names a place that there is.
pub fn manifest(data: &[u8]) {
    let objects: Vec<Object> = documents(data)
        .into_iter()
        .map(|value| Object::new(value, PLACE.0))
        .collect();
    let options = Options {
        version: None,
        versions: std::collections::BTreeMap::new(),
        asked: None,
        disabled: BTreeSet::default(),
        now: Timestamp::UNIX_EPOCH,
        zones: None,
    };
    let whole = objects
        .iter()
        .enumerate()
        .flat_map(|(at, object)| SCHEMAS.with(|schemas| each(at, object, schemas, &options)));
    for finding in whole.chain(across(&objects, &Standing::default(), &options).0) {
        assert!(objects.get(finding.object).is_some() && !finding.message.is_empty());
    }
}

/// A matcher: printed and read again it is the same.
pub fn matcher(data: &[u8]) {
    if let Some(matcher) = text(data).and_then(|text| Matcher::parse(text).ok()) {
        assert_eq!(Matcher::parse(&matcher.to_string()), Ok(matcher));
    }
}

/// A template of notifications: what is stored of it is stored the same from then on.
pub fn notification_template(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let _ = template::unknown_to_notifications(text);
    if let Ok(first) = notification::template(text, "mine", "spec.template") {
        let again = notification::template(&first.content, "mine", "spec.template");
        assert_eq!(again.ok(), Some(first));
    }
}

/// Rules written for Prometheus: each becomes an AlertRule that the operator takes, or is named.
pub fn prometheus_rules(data: &[u8]) {
    let import: PrometheusRuleImport = serde_json::from_value(serde_json::json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1",
        "kind": "PrometheusRuleImport",
        "metadata": { "name": PLACE.1, "namespace": PLACE.0 },
        "spec": {},
    }))
    .expect("an import");
    let titles = BTreeMap::new();
    let sources = [source("prometheus")];
    let grafana = import::Grafana {
        version: Version::new(13, 3, 0),
        base_interval: Duration::from_secs(10),
        owner: &OWNER,
        folder_prefix: "",
        titles: &titles,
        sources: &sources,
    };
    let documents = documents(data);
    let read = documents.iter().map(|document| Source {
        kind: SourceKind::PrometheusRule,
        namespace: PLACE.0,
        name: "rules",
        spec: document.get("spec").unwrap_or(document),
    });
    let wish = import::wish(&import, read.collect(), &grafana);
    let owners = Owners::new(OWNER.clone(), &[]);
    for rule in &wish.rules {
        let name = rule.metadata.name.as_deref().expect("a name");
        let wrong = mistakes::of_rule(&rule.spec, &owners, (PLACE.0, name), "");
        assert!(wrong.is_ok(), "{name}: {wrong:?}");
    }
}

/// A query: what is taken off is the comparison, and what is left is a part of the text that can be read.
pub fn query(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let _ = language::sign(text);
    match split(text) {
        Ok(Split::Comparison { query, threshold, .. }) => {
            assert!(text.contains(query) && !query.is_empty() && threshold.is_finite());
        }
        Ok(Split::Whole(query, _)) => assert_eq!(query, text.trim()),
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error}");
        }
    }
}

/// The specification of an AlertRule: what was written as it is wished has not drifted, and is written once.
pub fn rule(data: &[u8]) {
    for value in documents(data) {
        let value = value.get("spec").cloned().unwrap_or(value);
        let Ok(spec) = serde_json::from_value::<AlertRuleSpec>(value) else {
            continue;
        };
        let (labels, source) = (BTreeMap::new(), source("loki"));
        let around = Surroundings {
            owner: &OWNER,
            uid: "u",
            namespace: PLACE.0,
            name: PLACE.1,
            labels: &labels,
            source: Some(&source),
            target: Some(&source),
            notification: None,
            external_url: "https://grafana.example.com",
            version: Version::new(13, 3, 0),
            toggles: Toggles::default(),
            min_interval: Duration::from_secs(10),
        };
        let Ok(wish) = rule::wish(&spec, &around) else {
            continue;
        };
        let label = OWNER.label(PLACE.0, PLACE.1);
        let stored = FoundRule::of(&wish.rule);
        assert_eq!(decide(&wish.rule, Some(&stored), &label, false), Decision::Keep);
        let known = fingerprint(&wish.rule, &stored);
        assert!(!is_drift(Some(&known), Some(&stored)));
        assert!(drift(&wish.rule, Some(&stored), &label, Some(&known)).is_empty());
    }
}

/// A template of annotations: what is read is written again so that it can be read.
pub fn template(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let is_right = template::check(text).is_ok();
    let _ = (
        template::calls(text),
        template::unknown(text),
        template::mentions_value(text),
    );
    assert!(is_right || template::definitions(text).is_empty());
    match template::rewrite(text, "B") {
        Ok(written) => assert!(template::check(&written).is_ok(), "{written}"),
        Err(error) => assert!(error.line >= 1 && error.column >= 1, "{error}"),
    }
}

/// A file, as the command line reads it: what it says is the same where it is written as JSON, and what can't be read is told with a place that there is.
pub fn yaml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (values, places) = cli::documents(text);
    let lines = text.matches('\n').count() + 1;
    for (line, column) in places {
        assert!((1..=lines).contains(&line) && column >= 1, "{line}:{column}");
    }
    for value in values {
        let printed = value.to_string();
        // What YAML takes for no character at all isn't escaped in JSON.
        if printed
            .contains(|c: char| c.is_control() || ('\u{fff0}'..='\u{ffff}').contains(&c) || c == '\u{feff}')
        {
            continue;
        }
        // A list of resources is read as what is in it, also within such a list.
        let wrapped = serde_json::json!({ "document": value }).to_string();
        let (again, places) = cli::documents(&wrapped);
        assert!(places.is_empty(), "{wrapped}");
        assert_eq!(again, [serde_json::json!({ "document": value })], "{wrapped}");
    }
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The documents of a text that is YAML.
fn documents(data: &[u8]) -> Vec<Value> {
    text(data)
        .and_then(|text| serde_saphyr::from_multiple(text).ok())
        .unwrap_or_default()
}

fn source(plugin: &str) -> DataSource {
    DataSource {
        uid: plugin.to_owned(),
        name: plugin.to_owned(),
        r#type: plugin.to_owned(),
        is_default: true,
    }
}
