//! What a file of contracts begins with.

pub use serde_json::json;

pub use crate::{
    fixtures::{
        FOLDERS, POINTS, POLICIES, RULER, RULES, SILENCES, STATES, TEMPLATES, TIMINGS, but, folder, group,
        group_of, node, point, rule, silence, soon, stored, template, timing,
    },
    harness::{
        call::{Caller, delete, get, patch, post, put},
        contract::{
            Contract,
            Source::{self, Code, Documentation, Recording, Unconfirmed},
            contract,
        },
        version::{always, before, between, since},
    },
};

/// A real Grafana did it.
pub const REAL: Source = Recording("a Grafana 10.0.0 of 2023-06-09, on 2026-11-23");
