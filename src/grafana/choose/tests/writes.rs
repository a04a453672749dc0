//! Writes of notifications, which the newer API may refuse though it lets itself be read.

use axum::body::to_bytes;
use http::Method;
use parking_lot::Mutex;

use super::*;
use crate::grafana::api::Provenance;
use crate::grafana::api::notifications::ContactPointWrite;
use crate::grafana::error::{Class, Error};
use crate::grafana::model::{
    ContactPoint, Found, Integration, Revision, Route, Template, TimeInterval, TreeName,
};

const NEWER: &str = "/apis/notifications.alerting.grafana.app/v1beta1";
const OLDER: &str = "/api/v1/provisioning/";

/// What a Grafana answers, for a test to change.
#[derive(Clone, Default)]
struct World {
    /// How writes below `/apis` are refused, and reads of single objects; both are answered without.
    refusal: Arc<Mutex<Option<(u16, String)>>>,
    single: Arc<Mutex<Option<(u16, String)>>>,
    /// The same of the older API's writes.
    older: Arc<Mutex<Option<(u16, String)>>>,
    /// Which writes came, since the last time.
    writes: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn serve(&self) -> Grafana {
        let world = self.clone();
        let grafana = serve(Router::new().fallback(any(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let (method, path) = (parts.method, parts.uri.path().to_owned());
            let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
            world.answer(&method, &path, &body)
        })))
        .await;
        grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
        lists(&grafana).await;
        assert!(is_newer(&grafana));
        grafana
    }

    fn answer(&self, method: &Method, path: &str, body: &str) -> Response {
        let refused = |refusal: &Mutex<Option<(u16, String)>>, otherwise: String| match &*refusal.lock() {
            Some((status, text)) => (StatusCode::from_u16(*status).unwrap(), text.clone()).into_response(),
            None => otherwise.into_response(),
        };
        let is_newer = path.starts_with(NEWER);
        if method != Method::GET {
            let api = if is_newer { "newer" } else { "older" };
            self.writes.lock().push(api.to_owned());
            let refusal = if is_newer { &self.refusal } else { &self.older };
            let mut body: Value = serde_json::from_str(body).unwrap_or_else(|_| json!({}));
            if let (false, Some(body)) = (is_newer, body.as_object_mut()) {
                body.insert("name".to_owned(), json!("t"));
            }
            return refused(refusal, body.to_string());
        }
        let spec =
            json!({"title": "there", "integrations": [], "defaults": {"receiver": "newer"}, "routes": []});
        let one = json!({"metadata": {"name": "user-defined", "resourceVersion": "1"}, "spec": spec});
        let kinds = ["receivers", "routingtrees", "timeintervals", "templategroups"];
        let verbs = ["create", "delete", "get", "list", "update"];
        let kinds = kinds.map(|plural| json!({"name": plural, "verbs": verbs}));
        match path.strip_prefix(NEWER).map(|rest| rest.matches('/').count()) {
            Some(0) => json!({"resources": kinds}).to_string().into_response(),
            Some(3) => json!({"items": [one]}).to_string().into_response(),
            Some(_) => refused(&self.single, one.to_string()),
            None if path == "/api/health" => r#"{"database": "ok"}"#.into_response(),
            None if path.ends_with("/policies") => r#"{"receiver": "older"}"#.into_response(),
            None if path.starts_with(OLDER) => "[]".into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn written(&self) -> Vec<String> {
        std::mem::take(&mut *self.writes.lock())
    }

    /// Takes writes again, which is seen after the next choice.
    async fn allowed_again(&self, grafana: &Grafana, what: &str) {
        self.refuses(None);
        grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
        write(grafana, what).await.unwrap();
        assert_eq!(self.written(), ["newer"], "{what}");
        assert_eq!(fallback(grafana), None, "{what}");
    }

    fn refuses(&self, refusal: Option<(u16, &str)>) {
        *self.refusal.lock() = refusal.map(|(status, text)| (status, text.to_owned()));
    }
}

async fn lists(grafana: &Grafana) {
    grafana.contact_points.list().await.unwrap();
    grafana.trees.list().await.unwrap();
}

fn is_newer(grafana: &Grafana) -> bool {
    grafana.apis.capabilities().apis[&Concern::Notifications] != Api::Provisioning
}

fn fallback(grafana: &Grafana) -> Option<Fallback> {
    grafana
        .apis
        .capabilities()
        .fallbacks
        .remove(&Concern::Notifications)
}

fn found<T>(object: T) -> Found<T> {
    Found {
        object,
        provenance: Some("api".to_owned()),
        revision: Some(Revision("1".to_owned())),
    }
}

fn team() -> ContactPoint {
    let integration = Integration {
        uid: "u".to_owned(),
        r#type: "email".to_owned(),
        ..Integration::default()
    };
    ContactPoint {
        name: "team".to_owned(),
        integrations: vec![integration],
    }
}

/// Each kind of write.
const WRITES: [&str; 8] = [
    "contact point",
    "contact point removed",
    "tree",
    "tree reset",
    "template",
    "template removed",
    "interval",
    "interval removed",
];

async fn write(grafana: &Grafana, what: &str) -> Result<(), Error> {
    let api = Provenance::Api;
    let name = "t".to_owned();
    let template = Template {
        name: name.clone(),
        ..Template::default()
    };
    let interval = TimeInterval {
        name,
        ..TimeInterval::default()
    };
    match what {
        "contact point" => {
            let (wish, before) = (team(), found(team()));
            let write = ContactPointWrite {
                wish: &wish,
                found: Some(&before),
                changed: &["u".to_owned()],
                kept: &[],
                provenance: api,
            };
            grafana
                .contact_points
                .put(write)
                .await
                .failure
                .map_or(Ok(()), Err)
        }
        "contact point removed" => {
            let (before, uids) = (found(team()), ["u".to_owned()]);
            let sent = grafana.contact_points.remove(&before, &uids).await;
            sent.failure.map_or(Ok(()), Err)
        }
        "tree" => {
            let (name, root, state) = (TreeName::default(), Route::default(), Revision("1".to_owned()));
            let put = grafana.trees.put(&name, &root, Some(&state), api);
            put.await.map(drop)
        }
        "tree reset" => grafana.trees.remove(&TreeName::default(), None).await,
        "template" => {
            let before = found(template.clone());
            let put = grafana.templates.put(&template, Some(&before), api);
            put.await.map(drop)
        }
        "template removed" => grafana.templates.delete(&found(template)).await,
        "interval" => {
            let before = found(interval.clone());
            let put = grafana.time_intervals.put(&interval, Some(&before), api);
            put.await.map(drop)
        }
        _ => grafana.time_intervals.delete(&found(interval)).await,
    }
}

fn status(code: u16, message: &str) -> String {
    json!({"kind": "Status", "status": "Failure", "code": code, "message": message}).to_string()
}

/// As Grafana refuses who may not set a provenance, whosever the object is.
fn of_provenance() -> String {
    let id = "alerting.notifications.invalidProvenance";
    let message = "Resource with provenance status '' cannot be managed via API that handles resources with provenance status 'api'";
    json!({"kind": "Status", "code": 403, "message": message, "details": {"uid": id}}).to_string()
}

#[tokio::test]
async fn an_account_that_may_read_but_not_write_reads_through_the_newer_api_and_writes_through_the_older() {
    for (code, text) in [
        (
            403,
            status(403, "required permissions: alert.notifications:write"),
        ),
        (403, of_provenance()),
        (405, status(405, "not this way")),
        // A gateway that lets only reads through.
        (403, "<html>no</html>".to_owned()),
        (405, "<html>no</html>".to_owned()),
    ] {
        let world = World::default();
        let grafana = world.serve().await;
        for what in WRITES {
            world.refuses(Some((code, &text)));
            write(&grafana, what).await.unwrap();
            assert_eq!(world.written(), ["newer", "older"], "{what}: {text}");
            let told = fallback(&grafana);
            assert!(
                matches!(&told, Some(Fallback::WritesRefused(why)) if why.contains(&code.to_string())),
                "{what}: {told:?}"
            );
            write(&grafana, what).await.unwrap();
            assert_eq!(world.written(), ["older"], "{what}: it isn't tried each time");
            lists(&grafana).await;
            assert!(is_newer(&grafana), "it is read as before");
            assert_eq!(fallback(&grafana), told, "what is read says nothing of writes");
            world.allowed_again(&grafana, what).await;
        }
    }
}

#[tokio::test]
async fn writes_are_tried_again_after_the_next_choice_and_told_until_one_is_taken() {
    let world = World::default();
    let grafana = world.serve().await;
    world.refuses(Some((403, &of_provenance())));
    write(&grafana, "tree").await.unwrap();
    let told = fallback(&grafana);
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    lists(&grafana).await;
    assert_eq!(fallback(&grafana), told);
    world.written();
    write(&grafana, "contact point").await.unwrap();
    assert_eq!(world.written(), ["newer", "older"]);
    world.refuses(None);
    write(&grafana, "contact point").await.unwrap();
    assert_eq!(world.written(), ["older"]);
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    write(&grafana, "contact point").await.unwrap();
    assert_eq!(
        (world.written(), fallback(&grafana)),
        (vec!["newer".to_owned()], None)
    );
}

#[tokio::test]
async fn what_both_refuse_is_said_in_the_words_of_the_older_one_and_nothing_changes() {
    let world = World::default();
    let grafana = world.serve().await;
    for what in WRITES {
        world.refuses(Some((403, &of_provenance())));
        *world.older.lock() = Some((403, status(403, "provenance is file")));
        let error = write(&grafana, what).await.unwrap_err();
        assert!(
            error.to_string().contains("provenance is file"),
            "{what}: {error}"
        );
        assert_eq!((fallback(&grafana), is_newer(&grafana)), (None, true), "{what}");
        world.written();
        write(&grafana, what).await.unwrap_err();
        assert_eq!(world.written(), ["newer", "older"]);
    }
}

#[tokio::test]
async fn what_the_newer_api_refuses_for_what_it_is_does_not_go_to_the_older_one() {
    for (code, class) in [
        (400, Class::Rejected),
        (409, Class::Conflict),
        (401, Class::Forbidden),
        (500, Class::Transient),
    ] {
        let world = World::default();
        let grafana = world.serve().await;
        for what in WRITES {
            world.refuses(Some((code, &status(code, "it is so"))));
            assert_eq!(write(&grafana, what).await.unwrap_err().class(), class);
            assert_eq!(
                (world.written(), fallback(&grafana)),
                (vec!["newer".to_owned()], None),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_without_its_words_which_may_repeat_what_was_sent() {
    let world = World::default();
    let grafana = world.serve().await;
    for what in WRITES {
        world.refuses(Some((403, &status(403, "you sent hunter2"))));
        write(&grafana, what).await.unwrap();
        world.written();
        let told = format!("{:?}", grafana.apis.capabilities());
        assert!(
            told.contains("status 403") && !told.contains("hunter2"),
            "{what}: {told}"
        );
        world.allowed_again(&grafana, what).await;
    }
}

#[tokio::test]
async fn that_one_object_may_not_be_read_closes_nothing() {
    for (code, text) in [
        (403, status(403, "not this one")),
        (404, "<html>no</html>".to_owned()),
    ] {
        let world = World::default();
        let grafana = world.serve().await;
        *world.single.lock() = Some((code, text));
        let tree = grafana.trees.get(&TreeName::default()).await.unwrap().unwrap();
        assert_eq!(tree.object.receiver.as_deref(), Some("older"));
        assert_eq!(grafana.contact_points.get("team").await.unwrap(), None);
        assert_eq!((is_newer(&grafana), fallback(&grafana)), (true, None));
    }
}
