//! The protocol as Kubernetes documents it, line by line.

mod kinds;

use serde_json::{Value, json};

use super::*;
use crate::grafana::error::Class;

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Spec {
    title: String,
}

/// The title, or what the object is called.
fn title(Object { metadata, spec }: Object<Spec>) -> String {
    [metadata.name, spec.title].join(": ")
}

fn progress() -> Progress {
    Progress::from("10".to_owned())
}

fn take(progress: &mut Progress, line: &Value) -> Result<Told<String>> {
    progress.take("things.watch", line.to_string().as_bytes(), title)
}

fn event(type_: &str, version: &str) -> Value {
    let object = json!({
        "kind": "Thing", "apiVersion": "v1", "metadata": {"name": "a", "resourceVersion": version}, "spec": {"title": "t"},
    });
    json!({"type": type_, "object": object})
}

#[test]
fn what_is_added_or_modified_is_there_and_moves_the_version() {
    let mut progress = progress();
    for (type_, version) in [("ADDED", "11"), ("MODIFIED", "x-12")] {
        let told = take(&mut progress, &event(type_, version)).unwrap();
        assert_eq!(told, Told::There("a: t".to_owned()));
        assert_eq!(progress.version, version);
    }
}

#[test]
fn fields_may_come_in_any_order() {
    let line = br#"{"object": {"spec": {"title": "t"}, "metadata": {"name": "a"}}, "type": "ADDED"}"#;
    let told = progress().take("things.watch", line, title).unwrap();
    assert_eq!(told, Told::There("a: t".to_owned()));
}

#[test]
fn what_is_deleted_is_gone_and_leaves_the_version() {
    let mut progress = progress();
    // As some versions of Grafana have it: the version of what was there before.
    let told = take(&mut progress, &event("DELETED", "3")).unwrap();
    assert_eq!(
        (told, progress.version.as_str()),
        (Told::Gone("a".to_owned()), "10")
    );
    // Nothing but its name needs to be there.
    let told = take(
        &mut progress,
        &json!({"type": "DELETED", "object": {"metadata": {"name": "b"}}}),
    );
    assert_eq!(told.unwrap(), Told::Gone("b".to_owned()));
}

#[test]
fn a_bookmark_moves_the_version_and_shows_that_it_works() {
    let mut progress = progress();
    let bookmark = json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "99", "creationTimestamp": null}}});
    assert_eq!(take(&mut progress, &bookmark).unwrap(), Told::Works);
    assert_eq!(progress.version, "99");
    let empty = json!({"type": "BOOKMARK", "object": {"metadata": {}}});
    take(&mut progress, &empty).unwrap();
    assert_eq!(progress.version, "99", "no version is no version");
}

#[test]
fn an_error_ends_it_with_what_was_said() {
    let gone = json!({"type": "ERROR", "object": {
        "kind": "Status", "status": "Failure", "message": "too old resource version: 10 (99)", "reason": "Expired", "code": 410,
    }});
    let error = take(&mut progress(), &gone).unwrap_err();
    assert_eq!(error.class(), Class::Missing);
    assert!(error.to_string().contains("too old resource version"), "{error}");
    let other =
        json!({"type": "ERROR", "object": {"kind": "Status", "reason": "InternalError", "code": 500}});
    let error = take(&mut progress(), &other).unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert!(error.to_string().contains("InternalError"), "{error}");
    take(&mut progress(), &json!({"type": "ERROR", "object": {}})).unwrap_err();
}

#[test]
fn what_is_no_event_ends_it_without_showing_what_it_is() {
    for line in [
        json!({"kind": "ThingList", "items": [], "metadata": {"resourceVersion": "11"}, "token": "secret"}),
        json!({"type": "SECRET", "object": {}}),
        json!({"type": "ADDED", "object": {"metadata": {"name": "secret"}}}),
        json!("secret"),
    ] {
        let mut progress = progress();
        let error = take(&mut progress, &line).unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        assert_eq!((progress.version.as_str(), progress.is_sure), ("10", false));
    }
}

/// Has it opened, told of `lines`, and closed after so long. Returns the pause until it is opened again.
fn answer(progress: &mut Progress, lines: &[Value], lasted: Duration) -> Option<Duration> {
    let now = Instant::now();
    progress.opened(now);
    for line in lines {
        take(progress, line).unwrap();
    }
    progress.closed(now + lasted);
    progress.pause()
}

#[test]
fn an_answer_that_has_lasted_is_followed_by_another_one_at_once() {
    let mut progress = progress();
    assert_eq!(progress.pause(), Some(Duration::ZERO), "the first");
    for _ in 0..9 {
        assert_eq!(answer(&mut progress, &[], PROOF), Some(Duration::ZERO));
    }
}

#[test]
fn after_short_answers_there_are_pauses_that_grow_up_to_half_a_minute() {
    let mut progress = progress();
    let second = Duration::from_secs(1);
    let pauses: Vec<_> = (0..7)
        .map(|_| {
            answer(&mut progress, &[event("ADDED", "11")], second)
                .unwrap()
                .as_secs()
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(answer(&mut progress, &[], PROOF), Some(Duration::ZERO));
    assert_eq!(
        answer(&mut progress, &[], second),
        Some(second),
        "as if it were the first"
    );
}

#[test]
fn answers_that_end_at_once_without_a_word_are_no_watch() {
    let mut progress = progress();
    let short = PROOF / 2;
    assert!(answer(&mut progress, &[], short).is_some());
    assert!(answer(&mut progress, &[], short).is_some());
    assert!(
        answer(&mut progress, &[event("DELETED", "")], short).is_some(),
        "it has told something"
    );
    assert!(answer(&mut progress, &[], short).is_some());
    assert!(answer(&mut progress, &[], short).is_some());
    assert_eq!(answer(&mut progress, &[], short), None);
}

#[test]
fn it_is_unsure_of_each_answer_until_it_tells_something_or_has_lasted() {
    let mut progress = progress();
    assert_eq!(progress.unsure_until(), None, "it isn't open");
    let now = Instant::now();
    progress.opened(now);
    assert_eq!(progress.unsure_until(), Some(now + PROOF));
    progress.lasts();
    assert_eq!(progress.unsure_until(), None);
    progress.closed(now + PROOF);
    progress.opened(now);
    assert_eq!(progress.unsure_until(), Some(now + PROOF));
    take(&mut progress, &event("ADDED", "11")).unwrap();
    assert_eq!(progress.unsure_until(), None);
}
