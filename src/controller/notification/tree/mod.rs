//! The policy trees of a Grafana: writing one, and giving it back.

mod back;
mod bring;
mod held;
mod receivers;

pub(super) use back::{forget, give_back};
pub(super) use bring::{Brought, bring, drift, lost};
pub(super) use held::{Writer, called, know, know_all, try_anew, what};
pub(super) use receivers::{ours_refers, replace_receiver};
