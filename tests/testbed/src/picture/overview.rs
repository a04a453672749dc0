//! What stands where for somebody who uses it. The kinds are those that there are, and Grafana's versions those that tests run on.

use super::{drawing::Drawing, root};
use crate::grafana::Version;

/// In which order kinds are told; others follow.
const FIRST: [&str; 9] = [
    "AlertRule",
    "ContactPoint",
    "NotificationPolicy",
    "TimeInterval",
    "InhibitionRule",
    "NotificationTemplate",
    "Silence",
    "MaintenancePolicy",
    "PrometheusRuleImport",
];

/// The kinds that are installed.
fn kinds() -> Vec<String> {
    let mut kinds: Vec<String> = std::fs::read_dir(root().join("crds"))
        .expect("the folder of types")
        .filter_map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).ok())
        .filter_map(|text| {
            let (_, rest) = text.split_once("\n    kind: ")?;
            Some(rest.lines().next()?.trim().to_owned())
        })
        .collect();
    let place = |kind: &String| {
        let at = FIRST.iter().position(|first| first == kind);
        (at.unwrap_or(FIRST.len()), kind.clone())
    };
    kinds.sort_by_key(place);
    kinds
}

/// The picture.
///
/// # Panics
///
/// If the types aren't there.
pub(super) fn overview() -> String {
    let kinds = kinds();
    let rows = u32::try_from(kinds.len()).unwrap_or(10);
    let shift = rows * 20;
    let high = shift + 318;
    let mut d = Drawing::new(
        960,
        high,
        "How alertwright works",
        "Resources in Kubernetes are read by the operator, which writes them to Grafana and writes back whether they are there and what fires. \
         Rollouts and Jobs are watched, and silenced while they go well. Grafana notifies the channels.",
    );
    d.area([24, 24, 572, high - 48], "one");
    d.text(44, 52, "t o", "Kubernetes");
    d.area([44, 70, 236, shift + 88], "paper");
    d.text(60, 98, "t", "What you write");
    for (row, kind) in (0..).zip(&kinds) {
        d.text(60, 122 + row * 20, "", kind);
    }
    d.text(60, 130 + shift, "good", "READY True");
    d.text(160, 130 + shift, "bad", "STATE Firing");
    d.text(60, 149 + shift, "s", "its status, in kubectl get");
    d.area([44, 180 + shift, 236, 90], "paper");
    d.text(60, 208 + shift, "t", "What changes");
    d.text(60, 232 + shift, "", "rollouts of Deployments, …");
    d.text(60, 252 + shift, "", "migration and load-test Jobs");

    let middle = 114 + shift / 2;
    d.area([412, middle - 42, 166, 84], "main");
    d.text(495, middle - 4, "t m mid", "alertwright");
    d.text(495, middle + 18, "n mid", "writes only what differs");

    let releases = Version::RELEASES.map(|release| release.to_string());
    let major = |release: Option<&String>| {
        release
            .and_then(|release| release.split('.').next())
            .unwrap_or_default()
            .to_owned()
    };
    let title = format!(
        "Grafana {} to {}",
        major(releases.first()),
        major(releases.last())
    );
    d.area([716, middle - 104, 220, 208], "two");
    d.text(732, middle - 76, "t w", &title);
    for (row, line) in (0..).zip(["evaluates the rules", "routes and notifies", "keeps silences"]) {
        d.text(732, middle - 46 + row * 24, "", line);
    }
    d.text(732, middle + 48, "s", "What people made there");
    d.text(732, middle + 68, "s", "stays as it is.");
    d.text(826, middle + 162, "mid", "Slack, PagerDuty, e-mail, …");

    d.arrow(&format!(
        "M280 {0}C350 {0} 350 {1} 410 {1}",
        middle - 50,
        middle - 14
    ));
    d.text(318, middle - 58, "s", "watched");
    d.arrow(&format!(
        "M412 {1}C350 {1} 350 {0} 282 {0}",
        middle + 40,
        middle + 14
    ));
    d.text(300, middle + 62, "s", "status, events");
    d.arrow(&format!(
        "M280 {0}C400 {0} 480 {0} 496 {1}",
        225 + shift,
        middle + 44
    ));
    d.text(296, 247 + shift, "s", "watched, and silenced while it goes");
    d.text(296, 264 + shift, "s", "well; no longer once it fails");
    d.arrow(&format!("M578 {0}H714", middle - 14));
    d.text(655, middle - 24, "s mid", "rules, silences, …");
    d.arrow(&format!("M716 {0}H580", middle + 18));
    d.text(655, middle + 38, "s mid", "states, changes");
    d.arrow(&format!("M826 {}V{}", middle + 104, middle + 142));
    d.end()
}
