//! What Grafana sees happen: how rules do, and what became of notifications.

mod deliveries;
#[cfg(feature = "cli")]
mod history;
#[cfg(feature = "cli")]
mod queries;
mod states;
#[cfg(feature = "cli")]
mod testing;
