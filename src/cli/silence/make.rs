//! A new Silence.

use std::time::Instant;

use jiff::Timestamp;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde_json::{Value, json};

use super::super::common::connect::{Cluster, Connected, Scope, wait};
use super::super::common::dns;
use super::super::common::document::as_json;
use super::super::common::exit::Exit;
use super::super::common::names;
use super::super::common::print::{API_VERSION, note, print};
use super::covers::{Covers, Place};
use super::text;
use crate::api::condition::{self, Reason};
use crate::api::duration::Duration;
use crate::api::matcher::{Matcher, MatcherText};
use crate::api::silence::{AlertRuleSelector, SilenceSpec};
use crate::api::{AlertRule, DEFAULT_INSTANCE, GrafanaInstance, Silence};
use crate::cluster::answer::{chain, is_conflict};
use crate::controller::engine::managed::Managed;

/// The name under which people write by this command line.
pub(super) const MANAGER: &str = "alertwright-cli";

/// How the names begin that nobody has chosen.
const NAMED: &str = "oncall-";

/// How long a Silence stays after its end, or they would pile up: nobody keeps those of the command line in git.
const STAYS: &str = "1d";

/// How often is looked whether the operator has taken it up.
const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

/// How many rules are named.
const NAMES: usize = 5;

#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Make {
    /// Matchers on the alerts' labels, all of which must hold, such as 'team="web"' or 'severity!="critical"'.
    #[arg(value_name = "MATCHER", value_parser = matcher)]
    matchers: Vec<MatcherText>,
    /// An AlertRule of the namespace whose alerts are silenced. May be given more often.
    #[arg(long, value_name = "NAME", value_parser = dns::name, add = names::of("AlertRule"))]
    rule: Vec<String>,
    /// All AlertRules of the namespace.
    #[arg(long, conflicts_with = "rule")]
    all: bool,
    /// How long from now on, such as 30m or 1d12h.
    #[arg(short, long, required = true, allow_hyphen_values = true)]
    duration: Option<Duration>,
    /// Why. Your name is put behind it.
    #[arg(short, long, required = true, value_name = "TEXT")]
    comment: Option<String>,
    /// What the Silence is called. Default: oncall- and some letters.
    #[arg(long, value_parser = dns::name)]
    name: Option<String>,
    /// The GrafanaInstance that holds it.
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_INSTANCE, value_parser = dns::name, add = names::of("GrafanaInstance"))]
    instance: String,
    #[command(flatten)]
    cluster: Cluster,
    /// Write it also where it covers no AlertRule.
    #[arg(long)]
    force: bool,
    /// Say what would be written, as the API server would take it.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait until Grafana has it; 0 not at all.
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    timeout: Duration,
    /// Nothing but the result: no notes.
    #[arg(short, long)]
    quiet: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How the result is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for people.
    Text,
    /// One JSON document.
    Json,
    /// Its name, as `kubectl delete` takes it.
    Name,
}

fn matcher(text: &str) -> Result<MatcherText, String> {
    let is_word = text.chars().all(|c| c.is_ascii_alphabetic());
    let matcher = Matcher::parse(text).map_err(|error| {
        if is_word {
            "it is no matcher such as 'team=\"web\"'; a Silence is made by alertwright silence MATCHER... -d 2h -c TEXT".to_owned()
        } else {
            error.to_string()
        }
    })?;
    Ok(MatcherText::from(&matcher))
}

impl Make {
    /// Whether it isn't said what is to be silenced.
    pub(super) fn names_nothing(&self) -> bool {
        self.matchers.is_empty() && self.rule.is_empty() && !self.all
    }

    pub(super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    fn spec(&self, user: &str) -> SilenceSpec {
        let names = !self.rule.is_empty();
        let selector = AlertRuleSelector {
            names: self.rule.clone(),
            all: self.all.then_some(true),
            ..AlertRuleSelector::default()
        };
        let comment = self.comment.as_deref().unwrap_or_default();
        SilenceSpec {
            instance: Some(self.instance.clone()).filter(|name| name != DEFAULT_INSTANCE),
            matchers: self.matchers.clone(),
            alert_rules: (names || self.all).then_some(selector),
            duration: self.duration.clone(),
            comment: Some(format!("{} ({user})", comment.trim())),
            ttl_after_expiry: Duration::parse(STAYS).ok(),
            ..SilenceSpec::default()
        }
    }

    async fn run(&self) -> Result<Exit, String> {
        let limit = self.timeout.checked().map_err(|e| e.to_string())?;
        let connected = self.cluster.connect(&Scope::default()).await?;
        let spec = self.spec(&connected.user().await);
        let covers = match self.covers(&connected, &spec).await? {
            Ok(covers) => covers,
            Err(why) => {
                note(&format!("refused: {why}"));
                if self.output == Output::Json {
                    print(&self.document(json!({
                        "namespace": connected.namespace,
                        "name": self.name,
                        "result": "refused",
                        "message": why,
                    })))?;
                }
                return Ok(Exit::No);
            }
        };
        let silence = Silence {
            metadata: ObjectMeta {
                name: self.name.clone(),
                generate_name: self.name.is_none().then(|| NAMED.to_owned()),
                namespace: Some(connected.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec,
            status: None,
        };
        let api: Api<Silence> = Api::namespaced(connected.client.clone(), &connected.namespace);
        let parameters = PostParams {
            dry_run: self.dry_run,
            field_manager: Some(MANAGER.to_owned()),
        };
        let written = api.create(&parameters, &silence).await;
        let written = written.map_err(|error| match &self.name {
            Some(name) if is_conflict(&error) => format!(
                "there is a Silence {name} in namespace {} already: choose another --name, or end it",
                connected.namespace
            ),
            _ => format!("cannot write the Silence: {}{}", chain(&error), unsure(&error)),
        })?;
        if self.dry_run {
            let rules = covers.map_or_else(
                || "not counted".to_owned(),
                |covers| listed(&covers.rules, covers.perhaps),
            );
            self.tell(
                &written,
                &format!("would be active for {}: {rules} (dry run)", self.length()),
            )?;
            return Ok(Exit::Done);
        }
        let perhaps = covers.map_or(0, |covers| covers.perhaps);
        let seen = match taken_up(&api, &written, limit).await {
            Ok(seen) => seen,
            Err(why) => {
                self.tell(&written, "written, and not known to be active")?;
                note(&why);
                return Ok(Exit::InPart);
            }
        };
        let now = Timestamp::now();
        let ready = seen
            .status
            .as_ref()
            .and_then(|status| condition::ready(&status.conditions));
        if condition::is_ready(conditions(&seen), written.metadata.generation) {
            self.tell(&seen, &text::state(&seen, perhaps, now))?;
            return Ok(Exit::Done);
        }
        self.tell(
            &seen,
            &format!(
                "written, and not active yet: {}",
                text::state(&seen, perhaps, now)
            ),
        )?;
        note(&match ready {
            Some(ready) => format!("{}: {}", ready.reason, ready.message),
            None => format!("the operator has said nothing of it within {}", self.timeout),
        });
        Ok(Exit::InPart)
    }

    fn length(&self) -> &str {
        self.duration.as_ref().map_or("", Duration::as_str)
    }

    fn tell(&self, silence: &Silence, said: &str) -> Result<(), String> {
        let name = silence.metadata.name.as_deref().unwrap_or_default();
        print(&match self.output {
            Output::Text => format!("silence/{name} {said}\n"),
            Output::Name => format!("silence/{name}\n"),
            Output::Json => self.document(json!({
                "namespace": silence.metadata.namespace,
                "name": name,
                "result": "written",
                "message": said,
                "spec": silence.spec,
                "status": silence.status,
            })),
        })
    }

    /// What became of it, as one document.
    fn document(&self, more: Value) -> String {
        let mut document =
            json!({"apiVersion": API_VERSION, "kind": "SilenceReport", "dryRun": self.dry_run});
        if let (Some(fields), Value::Object(more)) = (document.as_object_mut(), more) {
            fields.extend(more);
        }
        as_json(&document)
    }

    /// What it would cover, `None` where that can't be known and doesn't matter, or why it is refused.
    async fn covers(
        &self,
        connected: &Connected,
        spec: &SilenceSpec,
    ) -> Result<Result<Option<Covers>, String>, String> {
        let instances: Api<GrafanaInstance> = Api::namespaced(connected.client.clone(), &connected.home);
        // Most who are on call may not read it. Then it counts as one without labels, and the namespace as any other.
        let instance = instances.get_opt(&self.instance).await;
        let is_unread = instance.is_err();
        let instance = instance.ok().flatten();
        let place = Place {
            namespace: &connected.namespace,
            instance: &self.instance,
            spec: instance.as_ref().map(|instance| &instance.spec),
            home: &connected.home,
        };
        let mut alone = (is_unread && !place.is_unrestricted())
            .then(|| format!("GrafanaInstance {} can't be read", self.instance));
        let rules = if place.is_unrestricted() {
            match connected.list::<AlertRule>().await {
                Ok(all) => Ok(all),
                Err(why) => {
                    alone = Some(why);
                    connected.list_in::<AlertRule>(&connected.namespace).await
                }
            }
        } else {
            connected.list_in::<AlertRule>(&connected.namespace).await
        };
        let rules = match rules {
            Err(why) if self.force => {
                self.note(&why);
                return Ok(Ok(None));
            }
            rules => rules.map_err(|why| {
                format!(
                    "{why}; so it can't be told what would be silenced, and --force writes it all the same"
                )
            })?,
        };
        // A rule that isn't here may be in another namespace, where those may be read.
        let names = spec.alert_rules.iter().flat_map(|rules| &rules.names);
        let is_here = |name: &String| rules.iter().any(|rule| rule.id() == name);
        let rules = if !place.is_unrestricted() && !names.clone().all(is_here) {
            connected.list::<AlertRule>().await.unwrap_or(rules)
        } else {
            rules
        };
        let covers = match place.covers(spec, &rules, Timestamp::now()) {
            Ok(covers) => covers,
            Err(refusal) => return Ok(Err(refusal.message)),
        };
        // Rules that are selected are those of the namespace anyway.
        if let Some(why) = alone.filter(|_| spec.alert_rules.is_none()) {
            self.note(&format!(
                "counted in namespace {} alone, and it may cover alerts of others: {why}",
                connected.namespace
            ));
        }
        let missing = covers.missing.join("; ");
        if !missing.is_empty() && !self.force {
            return Ok(Err(format!("{missing}; --force writes it all the same")));
        }
        let missing = Some(missing).filter(|missing| !missing.is_empty());
        for warning in missing.iter().chain(&covers.warnings) {
            self.note(warning);
        }
        if covers.rules.is_empty() && !self.force {
            if let Err(why) = connected.check_namespace(&connected.namespace).await {
                return Ok(Err(why));
            }
            let is_missing = instance.is_none() && !is_unread;
            return Ok(Err(nothing(&place, is_missing)));
        }
        Ok(Ok(Some(covers)))
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            note(text);
        }
    }
}

/// Why nothing is covered.
fn nothing(place: &Place<'_>, is_missing: bool) -> String {
    let Place {
        namespace,
        instance,
        home,
        ..
    } = *place;
    let why = if is_missing {
        format!(
            ": there is no such GrafanaInstance in namespace {home}, so name another one with --instance, or the operator's namespace with --operator-namespace"
        )
    } else {
        String::new()
    };
    format!(
        "it would cover no AlertRule of GrafanaInstance {instance} in namespace {namespace}{why}; --force writes it all the same"
    )
}

/// What is to be known where no answer has come.
fn unsure(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(_) => "",
        _ => "; whether it is written isn't known, so look with silence list before another one is made",
    }
}

fn listed(rules: &[String], perhaps: usize) -> String {
    let count = text::rules(i64::try_from(rules.len()).unwrap_or(i64::MAX), perhaps);
    let named: Vec<&str> = rules.iter().take(NAMES).map(String::as_str).collect();
    match rules.len() {
        0 => count,
        more if more > NAMES => format!("{count} ({}, …)", named.join(", ")),
        _ => format!("{count} ({})", named.join(", ")),
    }
}

fn conditions(silence: &Silence) -> &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition] {
    silence.status.as_ref().map_or(&[], |status| &status.conditions)
}

/// The Silence as it is once the operator has said what became of it, or the time is over.
pub(super) async fn taken_up(
    api: &Api<Silence>,
    written: &Silence,
    limit: std::time::Duration,
) -> Result<Silence, String> {
    let began = Instant::now();
    let name = written.metadata.name.as_deref().unwrap_or_default();
    loop {
        let seen = match api.get(name).await {
            Ok(seen) => seen,
            Err(error) => {
                return Err(format!(
                    "Silence {name} is written, and can't be read: {}",
                    chain(&error)
                ));
            }
        };
        let ready = condition::ready(conditions(&seen));
        let ready = ready.filter(|ready| ready.observed_generation >= written.metadata.generation);
        // What passes by itself is waited for.
        let is_final = ready.is_some_and(|ready| {
            let hopeless = [
                Reason::Invalid,
                Reason::Conflict,
                Reason::NotOwned,
                Reason::Unsupported,
            ];
            ready.status == "True" || hopeless.iter().any(|reason| ready.reason == reason.as_str())
        });
        if is_final || began.elapsed() >= limit {
            return Ok(seen);
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_answer_it_is_not_known_whether_anything_is_written() {
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(unsure(&kube::Error::Service(lost.into())).contains("isn't known"));
        let refused = kube::core::Status::failure("no", "Forbidden").boxed();
        assert_eq!(unsure(&kube::Error::Api(refused)), "");
    }

    #[test]
    fn a_grafana_that_there_is_not_is_told_from_one_without_such_rules() {
        let place = Place {
            namespace: "revel",
            instance: "nope",
            spec: None,
            home: "ops",
        };
        let none = "it would cover no AlertRule of GrafanaInstance nope in namespace revel";
        let missing = nothing(&place, true);
        let told = format!("{none}: there is no such GrafanaInstance in namespace ops, ");
        assert!(missing.starts_with(&told), "{missing}");
        let force = "; --force writes it all the same";
        assert_eq!(nothing(&place, false), format!("{none}{force}"));
    }
}
