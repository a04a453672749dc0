//! A Grafana that holds one group.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::super::*;
use crate::grafana::turns::GroupRights;

pub(super) const FOLDER: &str = "GET /api/folders/f";
pub(super) const LOOK: &str = "GET folder/f/rule-groups/g";
pub(super) const SET: &str = "PUT folder/f/rule-groups/g";
pub(super) const DELETE: &str = "DELETE folder/f/rule-groups/g";
pub(super) const CREATE: &str = "POST alert-rules";

/// A Grafana that holds one group.
#[derive(Clone)]
pub(super) struct One {
    pub(super) held: Arc<Mutex<Held>>,
    /// What isn't answered before this is let go.
    pub(super) waits_for: watch::Sender<Option<&'static str>>,
}

#[derive(Default)]
pub(super) struct Held {
    pub(super) version: &'static str,
    pub(super) rules: Vec<Value>,
    pub(super) asked: Vec<String>,
    pub(super) folder_asked: usize,
    pub(super) is_folder_gone: bool,
    /// Which bodies are refused: those that say this.
    pub(super) bad: Option<&'static str>,
    /// With what the refusal goes on.
    pub(super) message: &'static str,
    /// How many rules of a group go through what stands in front of it.
    pub(super) fits: Option<usize>,
    /// What this is answered with, whatever it brings.
    pub(super) instead: Option<(&'static str, Instead)>,
    /// Of the group, in seconds.
    pub(super) interval: u64,
}

/// An answer that doesn't depend on what is asked.
#[derive(Clone, Copy)]
pub(super) enum Instead {
    Says(u16, &'static str),
    /// It asks for fewer requests, for a second.
    Throttles(u16),
    /// None: the connection is lost.
    Nothing,
}

impl Instead {
    fn response(self) -> Response {
        match self {
            Self::Says(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
            Self::Throttles(status) => {
                let status = StatusCode::from_u16(status).unwrap();
                (status, [("retry-after", "1")], r#"{"message": "slowly"}"#).into_response()
            }
            Self::Nothing => {
                let lost = futures::stream::once(async { Err::<String, _>(std::io::Error::other("lost")) });
                Body::from_stream(lost).into_response()
            }
        }
    }
}

pub(super) const PAGE: &str = "<html>no</html>";

impl One {
    pub(super) fn new(version: &'static str, marks: &[&str]) -> Self {
        let rule = |mark: &&str| json!({"uid": format!("of {mark}"), "labels": {"__alertwright__": mark}});
        Self {
            held: Arc::new(Mutex::new(Held {
                version,
                rules: marks.iter().map(rule).collect(),
                interval: 60,
                ..Held::default()
            })),
            waits_for: watch::Sender::new(None),
        }
    }

    fn router(&self) -> Router {
        let this = self.clone();
        Router::new().fallback(any(async move |request: Request| {
            let asked = format!("{} {}", request.method(), request.uri().path());
            let body = axum::body::to_bytes(request.into_body(), usize::MAX)
                .await
                .unwrap();
            let asked = asked.replace("/api/v1/provisioning/", "");
            if asked == FOLDER {
                return this.held.lock().folder().into_response();
            }
            this.held.lock().asked.push(asked.clone());
            let mut waits_for = this.waits_for.subscribe();
            waits_for
                .wait_for(|waits_for| *waits_for != Some(asked.as_str()))
                .await
                .unwrap();
            let mut held = this.held.lock();
            if let Some((_, instead)) = held.instead.filter(|(what, _)| *what == asked) {
                return instead.response();
            }
            held.answer(&asked, &String::from_utf8_lossy(&body))
                .into_response()
        }))
    }

    /// Answers what it has been asked.
    pub(super) async fn client(&self, approaches: &Approaches) -> Grafana {
        self.client_among(approaches, Arc::default()).await
    }

    /// The same, with others who may have the right to write a group.
    pub(super) async fn client_among(&self, approaches: &Approaches, groups: Arc<GroupRights>) -> Grafana {
        let company = Company {
            groups,
            is_ours: Arc::new(|mark| mark.starts_with("own/")),
            makes_uid: |uid| uid.starts_with("aw-"),
            approaches: approaches.clone(),
        };
        let grafana = grafana_among(self.router(), company).await;
        grafana.server.settings().await.unwrap();
        self.asked();
        grafana
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.held.lock().asked)
    }

    pub(super) fn uids(&self) -> Vec<String> {
        let held = self.held.lock();
        let uid = |rule: &Value| rule["uid"].as_str().unwrap().to_owned();
        held.rules.iter().map(uid).collect()
    }
}

impl Held {
    fn folder(&mut self) -> (StatusCode, String) {
        self.folder_asked += 1;
        if self.is_folder_gone {
            return (
                StatusCode::NOT_FOUND,
                json!({"message": "folder not found"}).to_string(),
            );
        }
        (StatusCode::OK, json!({"uid": "f", "title": "F"}).to_string())
    }

    fn answer(&mut self, asked: &str, body: &str) -> (StatusCode, String) {
        let no = |status: StatusCode, message: &str| {
            let id = (status == StatusCode::NOT_FOUND).then_some("alerting.alert-rule.notFound");
            (status, json!({"message": message, "messageId": id}).to_string())
        };
        if self.bad.is_some_and(|bad| body.contains(bad)) {
            return no(StatusCode::BAD_REQUEST, self.message);
        }
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        match asked {
            "GET /api/frontend/settings" => {
                let settings = json!({"buildInfo": {"version": self.version}});
                return (StatusCode::OK, settings.to_string());
            }
            LOOK if self.rules.is_empty() => return no(StatusCode::NOT_FOUND, "no such group"),
            look if look != LOOK && look.starts_with("GET folder/") => {
                return no(StatusCode::NOT_FOUND, "no such group");
            }
            LOOK => {
                let group =
                    json!({"title": "g", "folderUid": "f", "interval": self.interval, "rules": self.rules});
                return (StatusCode::OK, group.to_string());
            }
            SET => {
                let rules = sent["rules"].as_array().unwrap();
                if self.fits.is_some_and(|fits| rules.len() > fits) {
                    return (StatusCode::PAYLOAD_TOO_LARGE, PAGE.to_owned());
                }
                self.rules.clone_from(rules);
                self.interval = sent["interval"].as_u64().unwrap();
            }
            DELETE => self.rules.clear(),
            CREATE => self.rules.push(sent),
            _ => {
                let (how, uid) = (&asked[..3], asked.rsplit('/').next().unwrap());
                self.rules.retain(|rule| rule["uid"] != uid);
                if how == "PUT" {
                    self.rules.push(sent);
                }
            }
        }
        (StatusCode::OK, "{}".to_owned())
    }
}
