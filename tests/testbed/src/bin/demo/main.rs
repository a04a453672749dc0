//! `make demo`: what alertwright does, told as it happens.

mod account;
mod arguments;
mod failure;
mod grafana;
mod inbox;
mod kubectl;
mod logs;
mod overlay;
mod own;
#[cfg(test)]
mod recorded;
mod report;
mod stage;
mod story;
mod testbed;
mod workload;

use std::{path::Path, process::ExitCode, sync::Arc, time::Instant};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use arguments::Arguments;
use report::{Ending, Report};
use stage::Stage;

/// The project's folder.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let report = Arc::new(Report::new());
    report.title("The stage is set");
    let began = Instant::now();
    let binary = arguments.operator.clone();
    let started = if arguments.own.is_complete() {
        own::start(Arc::clone(&report), binary, &arguments.own).await
    } else {
        testbed::start(Arc::clone(&report), binary).await
    };
    let mut stage = match started {
        Ok(stage) => stage,
        Err(failure) => {
            report.failed(&failure, &[]);
            return ExitCode::FAILURE;
        }
    };
    report.ended(
        "The stage is set",
        began,
        Ending::Done("all servers answer".to_owned()),
    );
    let is_told = tokio::select! {
        () = story::tell(&mut stage) => true,
        () = interrupted() => false,
    };
    if !is_told {
        report.ended("The whole story", began, Ending::Failed("interrupted".to_owned()));
    } else if arguments.keep {
        look_around(&stage).await;
    }
    own::remove(&mut stage).await;
    if report.summary() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Waits for Ctrl-C, or for the polite signal to end.
async fn interrupted() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Says how to look around, and leaves the time for it.
async fn look_around(stage: &Stage) {
    let namespace = &stage.namespace;
    stage.report.title("Look around; Ctrl-C ends it");
    let mut lines = stage.doors();
    lines.extend(
        [
            "kubectl get alerting -n NAMESPACE",
            "kubectl get alertrules -n NAMESPACE -o wide --watch",
            "kubectl describe alertrule stripe-payment-failures -n NAMESPACE",
            "kubectl get events -n NAMESPACE",
            "kubectl rollout restart deployment/web -n NAMESPACE",
        ]
        .map(|command| command.replace("NAMESPACE", namespace)),
    );
    stage.report.show(&lines.join("\n"));
    interrupted().await;
}
