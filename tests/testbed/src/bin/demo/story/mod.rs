//! The story, step by step.

mod alerts;
mod install;
mod maintenance;

use std::time::Instant;

use crate::{failure::Failure, report::Ending, stage::Stage};

/// How a step ends if it happens: the most telling part of it.
pub(crate) type Told = Result<String, Failure>;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Install,
    Example,
    Payments,
    Routing,
    Rollout,
    Stuck,
    Migration,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Install,
        Self::Example,
        Self::Payments,
        Self::Routing,
        Self::Rollout,
        Self::Stuck,
        Self::Migration,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Install => "The operator runs",
            Self::Example => "The example is in Grafana",
            Self::Payments => "A payment alert fires",
            Self::Routing => "Each alert reaches its channels",
            Self::Rollout => "A rollout is silent",
            Self::Stuck => "A stuck rollout pages",
            Self::Migration => "A migration is silent",
        }
    }

    /// Whether nothing after it can happen without it.
    fn is_ground(self) -> bool {
        matches!(self, Self::Install | Self::Example)
    }

    async fn tell(self, stage: &mut Stage) -> Told {
        match self {
            Self::Install => install::operator(stage).await,
            Self::Example => install::example(stage).await,
            Self::Payments => alerts::payments(stage).await,
            Self::Routing => alerts::routing(stage).await,
            Self::Rollout => maintenance::rollout(stage).await,
            Self::Stuck => maintenance::stuck(stage).await,
            Self::Migration => maintenance::migration(stage).await,
        }
    }
}

/// The names of the steps.
#[cfg(test)]
pub(crate) fn steps() -> Vec<&'static str> {
    Step::ALL.map(Step::name).to_vec()
}

/// Tells it all, as far as it happens.
pub(crate) async fn tell(stage: &mut Stage) {
    let mut steps = Step::ALL.into_iter();
    while let Some(step) = steps.next() {
        stage.report.title(step.name());
        let began = Instant::now();
        let told = step.tell(stage).await;
        let is_end = told.is_err() && step.is_ground();
        let ending = told.map_or_else(
            |failure| {
                stage.report.failed(&failure, &stage.logs());
                Ending::Failed(failure.to_string())
            },
            Ending::Done,
        );
        stage.report.ended(step.name(), began, ending);
        if is_end {
            for step in steps {
                let ending = Ending::Failed("not reached".to_owned());
                stage.report.ended(step.name(), Instant::now(), ending);
            }
            return;
        }
    }
    if stage.inbox.mail.is_none() {
        let why = "webhooks stood in: a real Grafana's mail and pages would reach people";
        let ending = Ending::Skipped(why.to_owned());
        stage
            .report
            .ended("A real mail, a PagerDuty event", Instant::now(), ending);
    }
}
