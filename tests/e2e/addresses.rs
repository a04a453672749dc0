//! Where the operator of a world writes and reads, through whichever of Grafana's APIs the trial is.

use alertwright_testbed::trial::{self, Door};

use crate::world::World;

/// What is read once in each resync through any of them.
pub const BULK_READ: &str = "/api/alertmanager/grafana/api/v2/silences";

impl World {
    /// Whether contact points and the tree go through the newer API: by itself wherever it is there.
    pub fn notifications_by_apis(&self) -> bool {
        self.grafana.version().since(13, 0) && trial::door() != Some(Door::Provisioning)
    }

    /// Whether rules do: where it is asked for.
    pub fn rules_by_apis(&self) -> bool {
        self.grafana.version().since(13, 0) && trial::door() == Some(Door::Platform)
    }

    /// Part of the address of rules.
    pub fn rules_at(&self) -> &'static str {
        if self.rules_by_apis() {
            "/alertrules"
        } else {
            "/api/v1/provisioning/alert-rules"
        }
    }

    /// Part of the address of the list of rules.
    pub fn rule_list_at(&self) -> &'static str {
        if self.rules_by_apis() {
            "/alertrules?"
        } else {
            "/api/ruler/grafana/api/v1/rules"
        }
    }

    /// Part of the address of contact points.
    pub fn points_at(&self) -> &'static str {
        if self.notifications_by_apis() {
            "/receivers"
        } else {
            "/api/v1/provisioning/contact-points"
        }
    }

    /// Part of the address of time intervals.
    pub fn intervals_at(&self) -> &'static str {
        if self.notifications_by_apis() {
            "/timeintervals"
        } else {
            "/api/v1/provisioning/mute-timings"
        }
    }

    /// Part of the address of notification templates.
    pub fn templates_at(&self) -> &'static str {
        if self.notifications_by_apis() {
            "/templategroups"
        } else {
            "/api/v1/provisioning/templates"
        }
    }

    /// Part of the address of the policy tree.
    pub fn tree_at(&self) -> &'static str {
        if self.notifications_by_apis() {
            "/routingtrees/user-defined"
        } else {
            "/api/v1/provisioning/policies"
        }
    }

    /// The group that Grafana shows of a rule that was made for this one: what the newer API makes has none, and the older one shows it alone in
    /// one that is named after it.
    pub fn group_of(&self, uid: &str, group: &str) -> String {
        if self.rules_by_apis() {
            format!("no_group_for_rule_{uid}")
        } else {
            group.to_owned()
        }
    }
}
