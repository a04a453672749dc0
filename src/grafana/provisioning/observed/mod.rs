//! What Grafana sees happen: how rules do, and what became of notifications.

mod deliveries;
#[cfg(feature = "cli")]
mod queries;
#[cfg(feature = "cli")]
mod history;
mod states;
#[cfg(feature = "cli")]
mod testing;
