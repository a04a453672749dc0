//! How often a rule is evaluated over the past, and when.

use super::text;
use crate::domain::rule::evaluation::plan::{self, Span};
use crate::grafana::digest;
use crate::grafana::model::AlertRule;

/// How often a rule is evaluated by itself, and when it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) span: Span,
    interval: i64,
}

/// The time between two evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Auto,
    Seconds(i64),
}

/// What is looked at, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    pub(super) from: i64,
    pub(super) to: i64,
    /// How long before it a rule may have begun to fire what fires then.
    pub(super) lead_in: i64,
}

impl Pace {
    pub(super) fn of(rule: &AlertRule, step: Step, over: Over) -> Result<Self, String> {
        let Over { from, to, lead_in } = over;
        let interval = i64::try_from(rule.interval.as_secs()).unwrap_or(60);
        // What is before it is evaluated too.
        let begin = from.saturating_sub(lead_in);
        let waits = format!(
            "it waits for {} (for and keepFiringFor), which is evaluated too",
            text::length(lead_in)
        );
        let step = match step {
            Step::Auto => plan::step(begin, to, interval),
            Step::Seconds(seconds) if plan::step(begin, to, seconds) > seconds => {
                return Err(format!(
                    "{waits}, and --step makes more than 100,000 evaluations of that: take a longer one, or less time"
                ));
            }
            Step::Seconds(seconds) => seconds,
        };
        let span = Span::within(from, to, step).ok_or_else(|| {
            if step > interval && plan::step(from, to, interval) < step {
                format!("{waits}: with no more than 100,000 evaluations of that none is in so short a time; take a longer --since, or a shorter --for")
            } else {
                "there is no evaluation in so short a time: take a shorter --step or a longer --since".to_owned()
            }
        })?;
        Ok(Self { span, interval })
    }
}

/// How fine what was looked at is, and whose interval that is: of the rule that is written, and of the one in Grafana where that counts too.
pub(super) fn resolution(called: &str, own: Pace, theirs: Option<Pace>) -> String {
    let shown = text::length;
    let is_same = theirs.is_some_and(|theirs| theirs == own);
    let own = match own.span.step == own.interval {
        true if is_same => return format!("Evaluated every {}, as in Grafana.", shown(own.interval)),
        true => format!("every {}, as {called} says", shown(own.interval)),
        false => {
            let whose = if is_same { "Grafana" } else { called };
            format!("every {}, where {}", shown(own.span.step), coarse(own, whose))
        }
    };
    match theirs.filter(|_| !is_same) {
        None => format!("Evaluated {own}."),
        Some(theirs) if theirs.span.step == theirs.interval => {
            format!(
                "Evaluated {own}; Grafana evaluates every {}.",
                shown(theirs.interval)
            )
        }
        Some(theirs) => format!(
            "Evaluated {own}; that in Grafana every {}, where {}.",
            shown(theirs.span.step),
            coarse(theirs, "Grafana")
        ),
    }
}

/// Which interval isn't kept to, and what that means.
fn coarse(pace: Pace, whose: &str) -> String {
    let verb = if whose == "Grafana" { "evaluates" } else { "says" };
    let meaning = if pace.span.step > pace.interval {
        "what is shorter isn't seen, and a rule waits in whole steps"
    } else {
        "Grafana sees less"
    };
    format!("{whose} {verb} every {}: {meaning}", text::length(pace.interval))
}

/// How long before the first evaluation a rule may have begun to fire what fires then, in seconds.
pub(super) fn lead_in(rule: &AlertRule) -> i64 {
    let keep = rule.keep_firing_for.as_deref().and_then(digest::duration);
    let both = digest::duration(&rule.r#for).unwrap_or_default() + keep.unwrap_or_default();
    i64::try_from(both.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn pace(interval: i64, step: i64) -> Pace {
        let span = Span {
            from: 0,
            to: 3600,
            step,
        };
        Pace { span, interval }
    }

    #[test]
    fn each_interval_is_said_with_whose_it_is() {
        let minute = pace(60, 60);
        assert_eq!(
            resolution("this file", minute, Some(minute)),
            "Evaluated every 1m, as in Grafana."
        );
        assert_eq!(
            resolution("this rule", minute, None),
            "Evaluated every 1m, as this rule says."
        );
        assert_eq!(
            resolution("this file", minute, Some(pace(1, 1))),
            "Evaluated every 1m, as this file says; Grafana evaluates every 1s."
        );
        assert_eq!(
            resolution("this file", minute, Some(pace(1, 7))),
            "Evaluated every 1m, as this file says; that in Grafana every 7s, where Grafana evaluates every 1s: what is shorter isn't seen, and a rule waits in whole steps."
        );
        assert_eq!(
            resolution("this file", pace(60, 10), Some(pace(60, 10))),
            "Evaluated every 10s, where Grafana evaluates every 1m: Grafana sees less."
        );
        assert_eq!(
            resolution("this file", pace(60, 120), None),
            "Evaluated every 2m, where this file says every 1m: what is shorter isn't seen, and a rule waits in whole steps."
        );
    }

    #[test]
    fn what_is_evaluated_before_the_beginning_counts() {
        let rule = AlertRule {
            interval: std::time::Duration::from_secs(60),
            ..AlertRule::default()
        };
        let over = |lead_in| Over {
            from: 60,
            to: 600,
            lead_in,
        };
        let century = 100 * 365 * 86_400;
        for step in [Step::Auto, Step::Seconds(60)] {
            let why = Pace::of(&rule, step, over(century)).unwrap_err();
            assert!(why.contains("100,000 evaluations"), "{why}");
            assert_eq!(Pace::of(&rule, step, over(3600)).unwrap().span.step, 60);
        }
        let week = Over {
            to: 7 * 86_400,
            ..over(365 * 86_400)
        };
        let longer = Pace::of(&rule, Step::Auto, week).unwrap().span;
        assert!(longer.led_in(week.lead_in).count() <= 100_002, "{longer:?}");
    }
}
