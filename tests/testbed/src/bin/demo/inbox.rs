//! Where notifications arrive: the channels of the document, each played by a server of ours.

use std::{collections::BTreeSet, fmt, time::Duration};

use alertwright_testbed::{HttpSink, SmtpSink};
use serde_json::Value;

use crate::{
    failure::{Result, until},
    grafana::text,
};

/// A channel of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    PagerDuty,
    SlackPayments,
    SlackSecurity,
    SlackAnalytics,
    Discord,
    Email,
}

impl Channel {
    pub(crate) const HTTP: [Self; 5] = [
        Self::PagerDuty,
        Self::SlackPayments,
        Self::SlackSecurity,
        Self::SlackAnalytics,
        Self::Discord,
    ];

    /// The path of our server that plays it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::PagerDuty => "/pagerduty",
            Self::SlackPayments => "/slack/payments",
            Self::SlackSecurity => "/slack/security",
            Self::SlackAnalytics => "/slack/analytics",
            Self::Discord => "/discord",
            Self::Email => "/email",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PagerDuty => "PagerDuty",
            Self::SlackPayments => "Slack #payments",
            Self::SlackSecurity => "Slack #security",
            Self::SlackAnalytics => "Slack #analytics",
            Self::Discord => "Discord",
            Self::Email => "e-mail",
        })
    }
}

/// One notification.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) channel: Channel,
    /// What people see first.
    pub(crate) headline: String,
    whole: String,
}

/// The servers behind the channels.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) http: HttpSink,
    /// None: e-mail and `PagerDuty` are played by webhooks, because a Grafana of somebody else sends mail elsewhere.
    pub(crate) mail: Option<SmtpSink>,
}

impl Inbox {
    /// Everything that arrived about an alert, by its name.
    pub(crate) fn about(&self, alert: &str) -> Vec<Notification> {
        let mut all = Vec::new();
        for channel in Channel::HTTP.into_iter().chain([Channel::Email]) {
            let received = self.http.received(channel.path());
            all.extend(received.iter().map(|request| Notification {
                channel,
                headline: headline(&request.body),
                whole: request.body.to_string(),
            }));
        }
        for mail in self.mail.iter().flat_map(SmtpSink::received) {
            all.push(Notification {
                channel: Channel::Email,
                headline: format!("{:?} to {}", mail.subject, mail.to.join(", ")),
                whole: mail.subject,
            });
        }
        all.retain(|notification| notification.whole.contains(alert));
        all
    }

    /// The channels that were told of an alert.
    pub(crate) fn told(&self, alert: &str) -> BTreeSet<Channel> {
        self.about(alert)
            .iter()
            .map(|notification| notification.channel)
            .collect()
    }

    /// Waits until these channels have been told, and gives the first notification in each.
    pub(crate) async fn arrived(
        &self,
        alert: &str,
        channels: &[Channel],
        within: Duration,
    ) -> Result<Vec<Notification>> {
        let expected = format!("{alert} in {}", list(channels));
        until(&expected, within, async || {
            let about = self.about(alert);
            let firsts = channels
                .iter()
                .filter_map(|channel| about.iter().find(|one| one.channel == *channel).cloned());
            let firsts: Vec<_> = firsts.collect();
            if firsts.len() == channels.len() {
                Ok(firsts)
            } else {
                Err(list(&self.told(alert)))
            }
        })
        .await
    }
}

/// Channels as text.
pub(crate) fn list<'a>(channels: impl IntoIterator<Item = &'a Channel>) -> String {
    let names: Vec<_> = channels.into_iter().map(ToString::to_string).collect();
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(" + ")
    }
}

/// What people see first of a notification, whatever it came as.
fn headline(body: &Value) -> String {
    let slack = text(body, "/attachments/0/title");
    let pagerduty = text(body, "/payload/summary");
    if !slack.is_empty() {
        let words = text(body, "/attachments/0/text").replace('\n', " ");
        format!("{slack:?} {words:?}")
    } else if !pagerduty.is_empty() {
        format!(
            "severity {}, priority {}, {pagerduty:?}",
            text(body, "/payload/severity"),
            text(body, "/payload/custom_details/priority"),
        )
    } else {
        // The webhook of a stand-in.
        format!("{:?} (webhook in its place)", text(body, "/title"))
    }
}
