//! The contracts, by what they are about.
#![allow(
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    reason = "a list of contracts is data, and bodies are written where they are used"
)]

mod access;
mod contact_points;
mod contact_types;
mod folders;
mod group_refusals;
mod platform;
mod policies;
mod rule_groups;
mod ruler;
mod rules;
mod server;
mod silences;
mod states;
mod templates;
mod timings;

use crate::harness::contract::Contract;

/// All contracts, each with its area.
pub fn all() -> Vec<(&'static str, Vec<Contract>)> {
    let mut all = vec![
        ("access", access::contracts()),
        ("server", server::contracts()),
        ("folders", folders::contracts()),
        ("rules", rules::writes::contracts()),
        ("rules", rules::refused::contracts()),
        ("rules", rules::fields::contracts()),
        ("rules", rules::provenance::contracts()),
        ("rule groups", rule_groups::contracts()),
        ("rule groups", group_refusals::contracts()),
        ("ruler", ruler::contracts()),
        ("rule states", states::contracts()),
        ("contact points", contact_points::contracts()),
        ("contact points", contact_types::contracts()),
        ("policies", policies::contracts()),
        ("mute timings", timings::contracts()),
        ("templates", templates::contracts()),
        ("silences", silences::contracts()),
    ];
    all.extend(platform::all());
    all
}
