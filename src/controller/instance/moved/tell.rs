//! What is told of the Grafanas that an instance has left.

use jiff::Timestamp;

use crate::api::{GrafanaInstanceStatus, condition};
use crate::controller::connection::former::Outlook;
use crate::controller::context::Context;
use crate::domain::changed::moved::End;

/// The condition that holds while something may be left.
const LEFT_BEHIND: &str = "LeftBehind";

/// Notes in the status what has become of what was left, and says of what still is why. `name` is the GrafanaInstance.
pub(in crate::controller) fn tell(
    name: &str,
    context: &Context,
    next: &mut GrafanaInstanceStatus,
    generation: Option<i64>,
    now: Timestamp,
) {
    let mut told: Vec<(&str, String)> = Vec::new();
    let entries = std::mem::take(&mut next.left_behind);
    for mut entry in entries {
        // As it is written: the Grafana, and what is there.
        let Some((grafana, what)) = entry.split_once(": ") else {
            continue;
        };
        let outlook = context.former.outlook(name, grafana);
        let sentence = match &outlook {
            Some(Outlook::Over(End::Gone | End::Same)) => continue,
            Some(Outlook::Over(End::Stays { what: rest, why })) => {
                let rest = rest.as_deref().unwrap_or(what);
                let sentence = (
                    "Stays",
                    format!("{rest} in {grafana} stay there: {why}. {BY_HAND}"),
                );
                entry = format!("{grafana}: {rest}");
                sentence
            }
            Some(Outlook::Goes) => (
                "Removing",
                format!("{what} in {grafana}, which is another Grafana, are being removed"),
            ),
            Some(Outlook::Waits(missing)) => {
                let those = match missing {
                    1 => "1 resource isn't".to_owned(),
                    several => format!("{several} resources aren't"),
                };
                let sentence = format!(
                    "{what} in {grafana}, which is another Grafana, go on notifying until all is in sync in this one: {those}. Then they are removed there"
                );
                ("Waiting", sentence)
            }
            Some(Outlook::Compared) => (
                "Comparing",
                format!(
                    "{what} may be left in {grafana}: it is being found out whether it is another Grafana"
                ),
            ),
            None => (
                "Unknown",
                format!(
                    "{what} may be left in {grafana}: the operator has started anew since, or never was connected there, so it doesn't know the login. {BY_HAND}"
                ),
            ),
        };
        told.push(sentence);
        next.left_behind.push(entry);
    }
    let reasons = ["Stays", "Unknown", "Removing", "Waiting", "Comparing"];
    let reason = reasons
        .into_iter()
        .find(|one| told.iter().any(|(reason, _)| reason == one));
    let message: Vec<String> = told.into_iter().map(|(_, sentence)| sentence).collect();
    let message = message.join("; ");
    let holds = reason.map(|reason| (reason, message.as_str()));
    condition::note(&mut next.conditions, LEFT_BEHIND, holds, generation, now);
}

/// What helps where the operator can't.
const BY_HAND: &str = "Remove it by hand, as docs/instances.md says, and then status.leftBehind";
