//! Logs become alerts, and alerts become notifications.

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::Told;
use crate::{
    failure::{Result, ensure, until},
    inbox::{Channel, list},
    logs::{self, Lines},
    stage::Stage,
};

/// An alert and who hears of it.
struct Case {
    title: &'static str,
    resource: &'static str,
    why: &'static str,
    lines: Lines,
    channels: &'static [Channel],
}

/// One for each way through the tree, beside that of payments.
const CASES: [Case; 3] = [
    Case {
        title: "HighErrorRate",
        resource: "high-error-rate",
        why: "critical",
        lines: logs::EXCEPTIONS,
        channels: &[Channel::PagerDuty, Channel::Email],
    },
    Case {
        title: "HighAuthFailureRate",
        resource: "high-auth-failure-rate",
        why: "team security",
        lines: logs::LOGINS,
        channels: &[Channel::SlackSecurity],
    },
    Case {
        title: "MissingMandatoryQuestions",
        resource: "missing-mandatory-questions",
        why: "info",
        lines: logs::QUESTIONNAIRES,
        channels: &[Channel::SlackAnalytics],
    },
];

/// `StripePaymentFailures`, from the first log line to the notifications.
pub(super) async fn payments(stage: &mut Stage) -> Told {
    let (title, resource) = ("StripePaymentFailures", "stripe-payment-failures");
    state(stage, resource, "Normal").await?;
    stage.push(logs::STRIPE).await?;
    let pending = state(stage, resource, "Pending").await?;
    stage.report.say(format!(
        "$ kubectl get alertrules {resource} -n {}",
        stage.namespace
    ));
    stage.report.show(&pending);
    let firing = state(stage, resource, "Firing").await?;
    stage.report.say("and after its `for` of 5s:");
    stage.report.show(&firing);
    let channels = [Channel::SlackPayments, Channel::Email];
    arrivals(stage, title, &channels).await?;
    stage
        .report
        .say("team payments goes to Slack #payments; `continue: true` leads on to e-mail");
    sleep(stage.pace.quiet).await;
    told_exactly(stage, title, &channels)?;
    Ok(format!("Pending, Firing, then {}", list(&channels)))
}

/// The other ways through the tree, all at once.
pub(super) async fn routing(stage: &mut Stage) -> Told {
    for case in &CASES {
        stage.push(case.lines).await?;
    }
    for case in &CASES {
        state(stage, case.resource, "Firing").await?;
        stage.report.say(format!("{} ({}) fires", case.title, case.why));
        arrivals(stage, case.title, case.channels).await?;
    }
    sleep(stage.pace.quiet).await;
    for case in &CASES {
        told_exactly(stage, case.title, case.channels)?;
    }
    stage
        .report
        .say("and nobody else was told of any of them; Discord, which has no route, of nothing");
    ensure(
        stage.inbox.http.received(Channel::Discord.path()).is_empty(),
        "nothing in Discord",
        || "a notification".to_owned(),
    )?;
    Ok("critical: PagerDuty + e-mail; security, info: their Slack channel only".to_owned())
}

/// Waits until kubectl prints this state of a rule, and gives what it printed.
pub(super) async fn state(stage: &Stage, resource: &str, wanted: &str) -> Result<String> {
    let get = format!("get alertrules {resource} -n {}", stage.namespace);
    until(
        &format!("{resource} to be {wanted}"),
        stage.pace.soon,
        async || {
            let printed = stage
                .kubectl
                .run(&get)
                .await
                .map_err(|failure| failure.to_string())?;
            if printed.split_whitespace().any(|word| word == wanted) {
                Ok(printed)
            } else {
                Err(printed)
            }
        },
    )
    .await
}

/// Waits for the notifications and prints them.
pub(super) async fn arrivals(stage: &Stage, title: &str, channels: &[Channel]) -> Result<()> {
    for one in stage.inbox.arrived(title, channels, stage.pace.soon).await? {
        stage
            .report
            .say(format!("-> {:<16} {}", one.channel, one.headline));
    }
    Ok(())
}

/// Fails if anybody else was told.
pub(super) fn told_exactly(stage: &Stage, title: &str, channels: &[Channel]) -> Result<()> {
    let told = stage.inbox.told(title);
    let wanted: BTreeSet<_> = channels.iter().copied().collect();
    let expected = format!("{title} to be told to {}", list(channels));
    ensure(told == wanted, &expected, || list(&told))
}
