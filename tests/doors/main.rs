//! The client of the library against a Grafana alone, through both of its doors side by side: what one has stored the other finds equal.
//!
//! One file for each concern. Grafana is the testbed's double, or a real one as elsewhere (`tests/testbed/README.md`).
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

mod contact_points;
mod doors;
mod folders;
mod inhibition_rules;
mod integrations;
mod rules;
mod states;
mod templates;
mod time_intervals;
mod trees;
