//! What somebody else has put under a contact point's name: it goes only where it is to be taken over.

use super::look::integrations;
use crate::api::ContactPoint;
use crate::api::condition::Reason;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::notification::maker::makers;
use crate::domain::notification::contact_point::Integration;
use crate::domain::notification::contact_point::decision::{self, Comparison, Plan};
use crate::domain::ownership::is_derived;
use crate::grafana::model::{self, Found};

/// Most fields that are named.
const NAMED: usize = 8;

/// What becomes of what is there and somebody else made.
pub(super) enum Strangers {
    /// It goes, if there is any.
    Go,
    /// It stays beside what is ours, which is no reason to let that go: this says so.
    Stay(Failure),
}

/// Says what becomes of it. Fails if the contact point is somebody else's, and isn't to be taken over or can't be. `is_remembered` says that this
/// resource had it, whatever is left of it.
pub(super) fn decide(
    object: &ContactPoint,
    instance: &Instance,
    context: &Context,
    (name, found, wish): (&str, Option<&Found<model::ContactPoint>>, &[Integration]),
    plan: &Plan,
    is_remembered: bool,
) -> Result<Strangers, Failure> {
    let not_owned = |message: String| Failure::new(Reason::NotOwned, message, Retry::OnChange);
    if plan.is_out_of_reach() {
        return Err(not_owned(format!(
            "spec.name: Grafana's own contact point {name} has an integration without a uid, which can be neither replaced nor deleted by its API; choose another name"
        )));
    }
    let is_another = found.is_some() && !plan.is_ours && !is_remembered;
    if plan.foreign.is_empty() && !is_another {
        return Ok(Strangers::Go);
    }
    let found = integrations(found);
    let foreign = found.iter().filter(|i| plan.foreign.contains(&i.uid));
    let foreign: Vec<model::Integration> = foreign.cloned().collect();
    let listed = decision::names(found, &plan.foreign);
    // Two that took it over from each other would never come to rest.
    let maker = makers(name, &foreign, instance, context).first().cloned();
    if maker.is_none() && instance.adopts(object) {
        return Ok(Strangers::Go);
    }
    let how = instance.how_to_adopt(object.ns());
    if plan.is_ours {
        return Ok(Strangers::Stay(not_owned(match maker {
            Some(maker) => format!(
                "spec.name: ContactPoint {}/{} has integrations of its own in the contact point {name} that Grafana has; choose another name for one of the two",
                maker.ns(),
                maker.id()
            ),
            None => format!(
                "spec.name: the contact point {name} in Grafana also has integrations that this resource didn't make, which stay: {listed}. Delete them there, or {how}: then they are removed for good"
            ),
        })));
    }
    Err(not_owned(match maker {
        Some(maker) => format!(
            "spec.name: ContactPoint {}/{} has made the contact point {name} that Grafana has; choose another name",
            maker.ns(),
            maker.id()
        ),
        None if foreign.is_empty() => format!(
            "spec.name: Grafana has a contact point {name} that this resource didn't make and that sends nothing; choose another name, or {how}. What is routed to it would be sent then"
        ),
        None => {
            let what = match decision::compare(wish, &foreign) {
                Comparison::Equal { hidden, .. } if !foreign.iter().any(|i| is_derived(&i.uid)) => format!(
                    "They are equal as far as Grafana shows it, so nothing would be lost, and no more would be sent than what it hides: {}",
                    few(&hidden)
                ),
                Comparison::Equal { .. } => {
                    format!("Its integrations, which are equal, would be made anew then: {listed}")
                }
                Comparison::Other(fields) => format!(
                    "Its integrations would be lost for good then: {listed}. They differ in {}",
                    few(&fields)
                ),
            };
            format!(
                "spec.name: Grafana has a contact point {name} that this resource didn't make; choose another name, or {how}. {what}"
            )
        }
    }))
}

/// The first of many, and how many there are more.
fn few(all: &[String]) -> String {
    let named = all
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
