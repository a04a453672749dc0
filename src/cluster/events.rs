//! Events: what people read about a resource in `kubectl describe`.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::runtime::events::{Event, EventType, Reporter};
use kube::{Api, Client};
use parking_lot::Mutex;
use tracing::{debug, warn};

use super::answer::{chain, is_missing, is_terminating};

/// For so long the same words about the same object are said once.
const ONCE_IN: Duration = Duration::from_secs(360);
/// The longest name of an object, in bytes.
const NAME: usize = 253;
/// The longest note that API servers take, in bytes.
const NOTE: usize = 1024;
/// The longest name of who reports, likewise; a Pod's may be longer.
const REPORTER: usize = 128;

/// Publishes events.
///
/// kube's recorder counts up an event with the same reason and keeps its first note, but a reason says different things over
/// time: each rollout has its own silence. So each note is an event of its own, and one that was told lately isn't told again. Its recorder
/// also names an event by the whole name of its object, which may be too long for that.
pub struct Events {
    client: Client,
    reporter: Reporter,
    told: Mutex<Told>,
    /// Why events can't be published, by namespace.
    failing: Mutex<HashMap<String, String>>,
}

/// The object's uid, and a reason.
type Key = (String, String);

/// What was told lately.
#[derive(Default)]
struct Told {
    /// The last note, and when it was told.
    last: HashMap<Key, (String, Instant)>,
    /// The same by time, so that what is old is found without a look at the rest.
    by_time: VecDeque<(Instant, Key)>,
}

impl Told {
    /// Notes that something is told. Whether it is what was told last, and lately.
    fn note(&mut self, key: Key, note: &str, now: Instant) -> bool {
        while let Some((at, _)) = self.by_time.front()
            && now.duration_since(*at) >= ONCE_IN
        {
            let Some((at, old)) = self.by_time.pop_front() else {
                break;
            };
            if self.last.get(&old).is_some_and(|(_, last)| *last == at) {
                self.last.remove(&old);
            }
        }
        self.by_time.push_back((now, key.clone()));
        let last = self.last.insert(key, (note.to_owned(), now));
        last.is_some_and(|(last, _)| last == note)
    }
}

impl Events {
    /// Events by this reporter.
    pub fn new(client: Client, reporter: Reporter) -> Self {
        Self {
            client,
            reporter,
            told: Mutex::default(),
            failing: Mutex::default(),
        }
    }

    /// Publishes an event about an object, unless it is the last one of its reason, and recent. A failure is only logged, and each once for a
    /// namespace until events can be published there again.
    pub async fn publish(&self, event: &Event, about: &ObjectReference) {
        let key = (about.uid.clone().unwrap_or_default(), event.reason.clone());
        let note = event.note.clone().unwrap_or_default();
        if self.told.lock().note(key.clone(), &note, Instant::now()) {
            return;
        }
        let namespace = about.namespace.as_deref().unwrap_or("default");
        let api: Api<events::v1::Event> = Api::namespaced(self.client.clone(), namespace);
        let written = written(event, about, &self.reporter, Timestamp::now());
        let published = api.create(&PostParams::default(), &written).await;
        let Err(error) = published else {
            self.failing.lock().remove(namespace);
            return;
        };
        self.told.lock().last.remove(&key);
        let text = chain(&error);
        // A namespace that is being deleted takes no new events; nobody would read them there.
        if is_terminating(&error) || is_missing(&error) {
            debug!(namespace, error = text, "no event");
            return;
        }
        let before = self.failing.lock().insert(namespace.to_owned(), text.clone());
        if before.as_ref() == Some(&text) {
            debug!(namespace, error = text, "cannot publish an event");
        } else {
            warn!(namespace, error = text, "cannot publish an event");
        }
    }
}

/// An event as the API server takes it: with a name of its own that isn't too long, whatever the object's is, and nothing longer than it may be.
fn written(event: &Event, about: &ObjectReference, reporter: &Reporter, now: Timestamp) -> events::v1::Event {
    let instance = reporter.instance.as_ref().unwrap_or(&reporter.controller);
    let object = about.name.as_deref().unwrap_or(&reporter.controller);
    let moment = format!(".{:x}", now.as_nanosecond());
    let name = within(object, NAME - moment.len()).trim_end_matches(['.', '-']);
    events::v1::Event {
        metadata: ObjectMeta {
            namespace: about.namespace.clone(),
            name: Some(format!("{name}{moment}")),
            ..ObjectMeta::default()
        },
        action: Some(event.action.clone()),
        reason: Some(event.reason.clone()),
        note: event.note.as_deref().map(|note| within(note, NOTE).to_owned()),
        type_: Some(
            match event.type_ {
                EventType::Normal => "Normal",
                EventType::Warning => "Warning",
            }
            .to_owned(),
        ),
        event_time: Some(MicroTime(now)),
        regarding: Some(about.clone()),
        reporting_controller: Some(reporter.controller.clone()),
        reporting_instance: Some(within(instance, REPORTER).to_owned()),
        ..events::v1::Event::default()
    }
}

/// As much of a text as fits into so many bytes.
fn within(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::{Body, ClientBuilder};
    use tower::BoxError;

    use super::*;
    use crate::cluster::logged_tests::Lines;

    fn event(note: &str) -> Event {
        Event {
            type_: EventType::Warning,
            reason: "Invalid".into(),
            note: Some(note.to_owned()),
            action: "Reconcile".into(),
            secondary: None,
        }
    }

    #[test]
    fn an_event_is_no_longer_than_api_servers_take_whatever_it_is_about() {
        let event = event(&"ä".repeat(1000));
        let reporter = Reporter {
            controller: "alertwright".into(),
            instance: Some("p".repeat(253)),
        };
        let about = |name: &str| ObjectReference {
            name: Some(name.to_owned()),
            namespace: Some("shop".into()),
            ..ObjectReference::default()
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for (name, begins) in [
            ("short".to_owned(), "short."),
            (format!("{}.{}", "x".repeat(235), "y".repeat(17)), "xxx"),
        ] {
            let written = written(&event, &about(&name), &reporter, now);
            let own = written.metadata.name.unwrap();
            assert!(
                own.len() <= NAME && own.starts_with(begins) && !own.contains(".."),
                "{own}"
            );
            assert_eq!(
                written.regarding.unwrap().name,
                Some(name),
                "whom it is about stays"
            );
            let note = written.note.unwrap();
            assert!(
                note.len() <= NOTE && note.chars().all(|c| c == 'ä') && note.len() > 1000,
                "{}",
                note.len()
            );
            assert_eq!(written.reporting_instance.unwrap().len(), REPORTER);
        }
    }

    /// An API server that refuses every event, for a right that is missing or because the namespace is being deleted.
    fn refusing(is_terminating: bool) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| async move {
            let cause = if is_terminating {
                "NamespaceTerminating"
            } else {
                "Other"
            };
            let status = serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "events is forbidden", "reason": "Forbidden", "code": 403,
                "details": {"causes": [{"reason": cause, "message": "", "field": ""}]},
            });
            let answer = Response::builder().status(403);
            answer
                .body(Body::from(status.to_string().into_bytes()))
                .map_err(BoxError::from)
        });
        ClientBuilder::new(service, "default").build()
    }

    #[tokio::test]
    async fn that_events_are_refused_is_told_once_for_a_namespace_and_not_of_one_that_is_being_deleted() {
        for (is_terminating, warnings) in [(false, 2), (true, 0)] {
            let (lines, _guard) = Lines::of("info".into());
            let events = Events::new(refusing(is_terminating), Reporter::from("alertwright"));
            for namespace in ["shop", "shop", "web"] {
                let about = ObjectReference {
                    namespace: Some(namespace.into()),
                    ..ObjectReference::default()
                };
                events.publish(&event("note"), &about).await;
            }
            let log = lines.text();
            assert_eq!(log.matches("cannot publish an event").count(), warnings, "{log}");
            assert!(!log.contains("Status {"), "{log}");
        }
    }

    #[test]
    fn the_same_is_told_once_in_a_while_and_nothing_is_kept_of_what_is_old() {
        let (mut told, now) = (Told::default(), Instant::now());
        let key = |uid: &str| (uid.to_owned(), "Synced".to_owned());
        assert!(!told.note(key("a"), "one", now));
        assert!(told.note(key("a"), "one", now + ONCE_IN / 2));
        assert!(!told.note(key("a"), "two", now + ONCE_IN / 2));
        assert!(!told.note(key("b"), "one", now + ONCE_IN), "of another object");
        assert!(
            told.note(key("a"), "two", now + ONCE_IN),
            "told half that time ago"
        );
        assert!(!told.note(key("c"), "one", now + ONCE_IN * 2));
        assert_eq!((told.last.len(), told.by_time.len()), (1, 1));
    }
}
