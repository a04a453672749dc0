//! End to end: the real operator, under its own ServiceAccount, on a real API server, Grafana's double or a real Grafana, and Loki's query
//! engine.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]
#![allow(clippy::print_stdout, reason = "a failure shows what its test has printed")]
#![allow(
    unreachable_pub,
    reason = "the modules of a test binary share what is public in them"
)]

mod acting;
mod addresses;
mod alarm;
mod answers;
mod api_server;
mod attempts;
mod backtest;
mod beside;
mod clocks;
mod contact_points;
mod deep;
mod deliveries;
mod diff;
mod difference;
mod docs;
mod doctor;
mod doors;
mod drift;
mod example;
mod exported;
mod folders;
mod getting_started;
mod high_availability;
mod imported;
mod imports;
mod inhibition_rules;
mod install;
mod instances;
mod integrations;
mod left;
mod limited_rights;
mod looked;
mod maintenance_argo;
mod maintenance_changes;
mod maintenance_job;
mod maintenance_kinds;
mod maintenance_policies;
mod maintenance_rollout;
mod matrix;
mod metered;
mod misnamed;
mod muted;
mod notification_policy;
mod notifications;
mod ownership;
mod policy_branches;
mod policy_mark;
mod policy_ownership;
mod policy_trees;
mod process;
mod reported;
mod reports;
mod resend;
mod routing;
mod rule_admission;
mod rule_conflicts;
mod rule_dependencies;
mod rule_editable;
mod rule_faults;
mod rule_groups;
mod rule_moves;
mod rule_notifications;
mod rule_recording;
mod rule_rest;
mod rule_samples;
mod rule_states;
mod rule_values;
mod rules;
mod secrets;
mod seed_rules;
mod several;
mod several_kinds;
mod silence_coverage;
mod silences;
mod smoke;
mod tested_points;
mod time_intervals;
mod traces;
mod typed;
mod uninstalled;
mod unseen;
mod versions;
mod watched;
mod workloads;
mod world;
