//! What Grafana says that it will take away: in the instance's status, and a condition.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::GrafanaInstanceStatus;
use crate::api::condition;
use crate::controller::connection::Instance;
use crate::grafana::api::{Api, Capabilities, Concern};
use crate::grafana::wire::Deprecation;

/// The condition that is there while Grafana says so.
const DEPRECATED: &str = "Deprecated";
/// Its reason.
const REASON: &str = "DeprecatedAPI";

/// Notes what Grafana has said. What it said earlier stands until it has another version: a part is only spoken of when it is used, so a restart
/// would forget what is seldom written.
pub(super) fn note(instance: &Instance, version: Option<&str>, next: &mut GrafanaInstanceStatus) {
    let is_same = next.version.as_deref() == version;
    let before = std::mem::take(&mut next.deprecated);
    let seen = parts(&instance.grafana.server.deprecated());
    next.deprecated = merge(if is_same { before } else { Vec::new() }, seen);
    let capabilities = instance.grafana.apis.capabilities();
    next.deprecated.retain(|said| is_used(said, &capabilities));
}

/// Whether what was said is of an API that is used. The newer ones aren't deprecated.
fn is_used(said: &str, capabilities: &Capabilities) -> bool {
    let concern = match said.split_once(" (since ") {
        Some(("contact points" | "policy", _)) => Concern::Notifications,
        Some(("rules", _)) => Concern::Rules,
        _ => return true,
    };
    let is_newer = matches!(capabilities.apis.get(&concern), Some(Api::Platform(_)));
    // What is read through the newer one may be written through the older.
    !is_newer || capabilities.fallbacks.contains_key(&concern)
}

/// Tells people what is noted.
pub(super) fn tell(next: &mut GrafanaInstanceStatus, generation: Option<i64>, now: Timestamp) {
    let message = (!next.deprecated.is_empty()).then(|| {
        format!(
            "Grafana {} calls deprecated what is used here: {}. It works as before until a later major release takes it away, and nothing needs to be done now",
            next.version.as_deref().unwrap_or_default(),
            next.deprecated.join("; ")
        )
    });
    let message = message.as_deref().map(|message| (REASON, message));
    condition::note(&mut next.conditions, DEPRECATED, message, generation, now);
}

/// One sentence for each concern, by its name.
fn parts(deprecated: &BTreeMap<&'static str, Deprecation>) -> BTreeMap<String, String> {
    let part = |(operation, deprecation): (&&str, &Deprecation)| {
        let concern = operation.split('.').next().unwrap_or(operation).replace('_', " ");
        let replacement = deprecation.replacement.as_ref();
        let instead = replacement.map(|path| format!(", in favour of {path}"));
        let said = format!(
            "{concern} (since {}{})",
            deprecation.since,
            instead.unwrap_or_default()
        );
        (concern, said)
    };
    deprecated.iter().map(part).collect()
}

/// What was said before, replaced where the same concern is spoken of anew.
fn merge(before: Vec<String>, mut seen: BTreeMap<String, String>) -> Vec<String> {
    for said in before {
        if let Some((concern, _)) = said.split_once(" (since ") {
            seen.entry(concern.to_owned()).or_insert(said);
        }
    }
    seen.into_values().collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::grafana::api::Fallback;

    fn said(operations: &[&'static str]) -> BTreeMap<String, String> {
        let since = date(2026, 4, 7);
        let one = |operation: &&'static str| {
            let replacement = Some("/apis/x".to_owned());
            (*operation, Deprecation { since, replacement })
        };
        parts(&operations.iter().map(one).collect())
    }

    #[test]
    fn each_concern_is_told_once_and_what_was_told_stays() {
        let first = merge(
            Vec::new(),
            said(&["contact_points.list", "contact_points.create", "policy.get"]),
        );
        assert_eq!(
            first,
            [
                "contact points (since 2026-04-07, in favour of /apis/x)",
                "policy (since 2026-04-07, in favour of /apis/x)"
            ]
        );
        let after_a_restart = merge(first.clone(), said(&["policy.get"]));
        assert_eq!(after_a_restart, first);
        assert_eq!(merge(first.clone(), said(&["rules.create"])).len(), 3);
    }

    #[test]
    fn what_goes_through_a_newer_api_is_not_deprecated() {
        let all = [
            "contact points (since 2026-04-07)",
            "policy (since 2026-04-07)",
            "rules (since 2026-03-18)",
        ];
        let left_of = |capabilities: Capabilities| {
            let left = all.iter().filter(|said| is_used(said, &capabilities));
            left.filter_map(|said| said.split(" (").next())
                .collect::<Vec<_>>()
        };
        let of = |apis: &[(Concern, Api)]| Capabilities {
            apis: apis.iter().cloned().collect(),
            ..Capabilities::default()
        };
        let left = |apis: &[(Concern, Api)]| left_of(of(apis));
        let newer = || Api::Platform("x/v1".to_owned());
        assert_eq!(left(&[]), ["contact points", "policy", "rules"]);
        let older = [
            (Concern::Notifications, Api::Provisioning),
            (Concern::Rules, Api::Provisioning),
        ];
        assert_eq!(left(&older), ["contact points", "policy", "rules"]);
        assert_eq!(left(&[(Concern::Notifications, newer())]), ["rules"]);
        assert_eq!(left(&[(Concern::Rules, newer())]), ["contact points", "policy"]);
        let refused = Fallback::WritesRefused("no".to_owned());
        let written_as_before = Capabilities {
            fallbacks: [(Concern::Notifications, refused)].into(),
            ..of(&[(Concern::Notifications, newer()), (Concern::Rules, newer())])
        };
        assert_eq!(left_of(written_as_before), ["contact points", "policy"]);
    }

    #[test]
    fn the_condition_is_there_only_while_something_is_deprecated() {
        let now = Timestamp::from_second(1).unwrap();
        let mut status = GrafanaInstanceStatus {
            version: Some("13.3.0".to_owned()),
            deprecated: vec!["policy (since 2026-04-07)".to_owned()],
            ..GrafanaInstanceStatus::default()
        };
        tell(&mut status, Some(1), now);
        let [condition] = status.conditions.as_slice() else {
            panic!("{:?}", status.conditions);
        };
        assert_eq!(
            (condition.type_.as_str(), condition.status.as_str()),
            ("Deprecated", "True")
        );
        let explained = condition::explanation("Deprecated");
        assert!(explained.is_some_and(|page| page.contains(&format!("`{}`", condition.reason))));
        for part in [
            "13.3.0 calls deprecated",
            "2026-04-07",
            "until a later major release",
            "nothing needs to be done",
        ] {
            assert!(condition.message.contains(part), "{}", condition.message);
        }
        status.deprecated.clear();
        tell(&mut status, Some(1), now);
        assert!(status.conditions.is_empty());
    }
}
