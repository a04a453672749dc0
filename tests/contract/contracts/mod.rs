//! The contracts, by what they are about.

mod access;
mod contact_points;
mod platform;
mod rule_groups;
mod states;

use crate::harness::contract::{Contract, Source};

/// A real Grafana did it.
const REAL: Source = Source::Recording("a Grafana 10.0.0 of 2023-06-09, on 2026-11-23");

/// All contracts, each with its area.
pub fn all() -> Vec<(&'static str, Vec<Contract>)> {
    let mut all = vec![
        ("access", access::contracts()),
        ("rule groups", rule_groups::contracts()),
        ("rule states", states::contracts()),
        ("contact points", contact_points::contracts()),
    ];
    all.extend(platform::all());
    all
}
