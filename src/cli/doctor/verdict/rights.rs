//! What a token may do in Grafana: what the operator does there, which resources go without it, and which rights are missing.
//!
//! From each version's `authorization.go`, as docs/grafana-versions.md has it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::Asked;
use super::Check;
use crate::domain::version::Version;

/// The rights that somebody holds, each with where it counts.
type Held = BTreeMap<String, Vec<String>>;

/// From here on rights on rules and notifications count for what is provisioned.
const FINE: Version = Version::new(11, 0, 0);
/// The release from which on the API below `/apis` is used, which asks for rights of its own.
const PLATFORM: Version = Version::new(13, 0, 0);

const WRITES_ALL: &str = "alert.provisioning:write";
const PROVENANCE: &str = "alert.provisioning.provenance:write";

/// The fixed role that opens the provisioning API.
const PROVISIONING: &str = "fixed:alerting.provisioning:writer";
const ALERTING: &str = "fixed:alerting:writer";
const FOLDERS: &str = "fixed:folders:writer";
const SOURCES: &str = "fixed:datasources:reader";
const SETS_PROVENANCE: &str = "fixed:alerting.provisioning.provenance:writer";

/// What the operator does in Grafana.
struct Need {
    what: &'static str,
    /// What goes without.
    of: &'static str,
    /// Sets of rights, of which one must be held; the first is that of the role.
    sets: &'static [&'static [&'static str]],
    /// One more of them; empty where there is none.
    own: &'static [&'static str],
    /// A fixed role that has the first.
    role: &'static str,
    /// From which release on there is such a thing.
    since: Version,
}

/// Any of these do for each kind of notifications.
const NOTIFICATIONS: [&[&str]; 3] = [
    &["alert.provisioning:read", WRITES_ALL],
    &[
        "alert.notifications.provisioning:read",
        "alert.notifications.provisioning:write",
    ],
    &[
        "alert.notifications:read",
        "alert.notifications:write",
        PROVENANCE,
    ],
];

const NEEDS: [Need; 11] = [
    Need {
        what: "write rules",
        of: "AlertRule",
        sets: &[
            &[WRITES_ALL],
            &["alert.rules.provisioning:write"],
            &[
                "alert.rules:create",
                "alert.rules:write",
                "alert.rules:delete",
                "datasources:query",
                PROVENANCE,
            ],
        ],
        own: &[],
        role: PROVISIONING,
        since: Version::OLDEST,
    },
    Need {
        what: "read rules",
        of: "AlertRule",
        sets: &[
            &["alert.provisioning:read"],
            &["alert.rules.provisioning:read"],
            &["alert.provisioning.secrets:read"],
            &["alert.rules:read", "folders:read"],
        ],
        own: &[],
        role: PROVISIONING,
        since: Version::OLDEST,
    },
    notified(
        "write contact points",
        "ContactPoint",
        &[
            "alert.notifications.receivers:read",
            "alert.notifications.receivers:create",
            "alert.notifications.receivers:write",
            "alert.notifications.receivers:delete",
            PROVENANCE,
        ],
    ),
    notified(
        "write policies",
        "NotificationPolicy",
        &[
            "alert.notifications.routes:read",
            "alert.notifications.routes:write",
            PROVENANCE,
        ],
    ),
    notified(
        "write time intervals",
        "TimeInterval",
        &[
            "alert.notifications.time-intervals:read",
            "alert.notifications.time-intervals:write",
            "alert.notifications.time-intervals:delete",
            PROVENANCE,
        ],
    ),
    notified(
        "write templates",
        "NotificationTemplate",
        &[
            "alert.notifications.templates:read",
            "alert.notifications.templates:write",
            "alert.notifications.templates:delete",
            PROVENANCE,
        ],
    ),
    Need {
        what: "make folders",
        of: "AlertRules whose folder isn't there",
        sets: &[&["folders:read", "folders:create"]],
        own: &[],
        role: FOLDERS,
        since: Version::OLDEST,
    },
    // alert.silences:write is for silences of one rule, by its uid, which none of ours is.
    Need {
        what: "write silences",
        of: "Silence, MaintenancePolicy",
        sets: &[&[
            "alert.instances:read",
            "alert.instances:create",
            "alert.instances:write",
        ]],
        own: &[],
        role: ALERTING,
        since: Version::OLDEST,
    },
    Need {
        what: "read states",
        of: "the state of AlertRules",
        sets: &[&["alert.rules:read"]],
        own: &[],
        role: ALERTING,
        since: Version::OLDEST,
    },
    Need {
        what: "read data sources",
        of: "AlertRules with query",
        sets: &[&["datasources:read"]],
        own: &[],
        role: SOURCES,
        since: Version::OLDEST,
    },
    Need {
        what: "write inhibition rules",
        of: "InhibitionRule",
        sets: &[
            &[
                "alert.notifications:read",
                "alert.notifications:write",
                PROVENANCE,
            ],
            &[
                "alert.notifications.inhibition-rules:read",
                "alert.notifications.inhibition-rules:write",
                "alert.notifications.inhibition-rules:delete",
                PROVENANCE,
            ],
        ],
        own: &[],
        role: ALERTING,
        since: PLATFORM,
    },
];

/// A kind of notifications: the rights on all of them do, or its `own`.
const fn notified(what: &'static str, of: &'static str, own: &'static [&'static str]) -> Need {
    Need {
        what,
        of,
        sets: &NOTIFICATIONS,
        own,
        role: PROVISIONING,
        since: Version::OLDEST,
    }
}

/// What is missing for a need.
struct Lack {
    need: &'static Need,
    /// The rights that would do, the fewest that there are.
    rights: Vec<&'static str>,
}

impl Need {
    /// The sets that count for a release.
    fn sets(&self, version: Version) -> impl Iterator<Item = &'static [&'static str]> + use<> {
        let is_provisioned = self.role == PROVISIONING;
        let own = Some(self.own).filter(|own| !own.is_empty());
        self.sets.iter().copied().chain(own).filter(move |set| {
            // Before there was one right for all that is provisioned.
            let is_old = set.iter().all(|right| right.starts_with("alert.provisioning:"));
            !is_provisioned || version >= FINE || is_old
        })
    }

    /// What is missing of it; nothing where one of its sets is held.
    fn lack(&'static self, held: &Held, version: Version) -> Option<Lack> {
        let missing = self.sets(version).map(|set| {
            let rights = set.iter().copied();
            let missing: Vec<&str> = rights.filter(|right| !held.contains_key(*right)).collect();
            (missing, set.len())
        });
        // Of two with as few missing that of which more is held.
        let nearest = missing.min_by_key(|(missing, all)| (missing.len(), Reverse(*all)));
        let (rights, _) = nearest?;
        (!rights.is_empty()).then_some(Lack { need: self, rights })
    }

    /// The rights by which it is done that count in some places alone; none where one set counts everywhere.
    fn narrow(&self, held: &Held, version: Version) -> Vec<&'static str> {
        let whole = self
            .sets(version)
            .filter(|set| set.iter().all(|right| held.contains_key(*right)));
        let narrow = whole.map(|set| {
            let rights = set.iter().copied();
            rights
                .filter(|right| {
                    held.get(*right)
                        .is_some_and(|scopes| !is_everywhere(right, scopes))
                })
                .collect::<Vec<_>>()
        });
        narrow.min_by_key(Vec::len).unwrap_or_default()
    }
}

/// Whether a right counts for all of its kind: without a scope, or with one that ends in a star and names nothing.
fn is_everywhere(right: &str, scopes: &[String]) -> bool {
    let is_all = |scope: &String| {
        // Folders of the first level; who makes one may make others within it.
        if right == "folders:create" && scope == "folders:uid:general" {
            return true;
        }
        let Some(kind) = scope.strip_suffix('*') else {
            return scope.is_empty();
        };
        // `folders:*` and `folders:uid:*`, but not `folders:uid:team-*`.
        kind.is_empty() || kind.ends_with(':')
    };
    scopes.is_empty() || scopes.iter().any(is_all)
}

pub(super) fn token(name: String, asked: &Asked) -> Check {
    let held = match &asked.permissions {
        Ok(held) => held,
        Err(why) => return Check::unseen(name, why),
    };
    if held.is_empty() {
        return Check::doubt(
            name,
            "Grafana doesn't say what it may do",
            "give it the role Admin: docs/install.md",
        );
    }
    let version = asked.version.as_deref().and_then(Version::parse);
    // Where it hides its version it may be any: what is asked for by the older API suffices nearly everywhere.
    let version = version.unwrap_or(PLATFORM);
    let of_version = || NEEDS.iter().filter(|need| need.since <= version);
    let lacks: Vec<Lack> = of_version().filter_map(|need| need.lack(held, version)).collect();
    let whose = if asked.is_own_token { "yours" } else { "it" };
    // Who has no InhibitionRules needs no right to write them.
    let (needed, spare): (Vec<&Lack>, Vec<&Lack>) =
        lacks.iter().partition(|lack| lack.need.since != PLATFORM);
    if !needed.is_empty() {
        let all: Vec<&Lack> = needed.into_iter().chain(spare).collect();
        let message = format!("{whose} {}", without(&all));
        // Of the operator's own nothing is known by somebody else's.
        return if asked.is_own_token {
            Check::doubt(name, message, "that of the operator needs it; yours need not")
        } else {
            Check::bad(name, message, cure(&all))
        };
    }
    let narrow: BTreeSet<&str> = of_version().flat_map(|need| need.narrow(held, version)).collect();
    if let Some(first) = narrow.first() {
        let scopes = held.get(*first).map(|scopes| scopes.join(", "));
        let others = match narrow.len() {
            1 => String::new(),
            n => format!(", and so {} more", n - 1),
        };
        return Check::doubt(
            name,
            format!(
                "{whose} may do all that the operator does, but {first} counts for {} alone{others}: what is elsewhere is refused",
                scopes.unwrap_or_default()
            ),
            "give it the right for all folders and data sources, or keep resources to these",
        );
    }
    if version >= PLATFORM && !held.contains_key(PROVENANCE) {
        return Check::doubt(
            name,
            format!(
                "{whose} may not set a provenance, for want of {PROVENANCE}: the older API is used, and InhibitionRules are refused"
            ),
            format!("give it the role {SETS_PROVENANCE}"),
        );
    }
    if !spare.is_empty() {
        return Check::doubt(name, format!("{whose} {}", without(&spare)), cure(&spare));
    }
    let like = if is_admin(held) {
        ", as the role Admin may"
    } else {
        ""
    };
    Check::good(name, format!("{whose} may do all that the operator does{like}"))
}

/// What can't be done, and for want of which rights which resources aren't.
fn without(all: &[&Lack]) -> String {
    let named: Vec<&str> = all.iter().map(|lack| lack.need.what).collect();
    // Most of them go by one right.
    let mut by_rights: Vec<(&[&str], Vec<&str>)> = Vec::new();
    for lack in all {
        match by_rights
            .iter_mut()
            .find(|(rights, _)| *rights == lack.rights.as_slice())
        {
            Some((_, of)) if of.contains(&lack.need.of) => {}
            Some((_, of)) => of.push(lack.need.of),
            None => by_rights.push((&lack.rights, vec![lack.need.of])),
        }
    }
    let lacks: Vec<String> = by_rights
        .iter()
        .map(|(rights, of)| format!("{} ({})", rights.join(" and "), of.join(", ")))
        .collect();
    format!("may not {}: it lacks {}", named.join(", "), lacks.join(", "))
}

fn cure(all: &[&Lack]) -> String {
    let mut roles: BTreeSet<&str> = all.iter().map(|lack| lack.need.role).collect();
    if all.iter().any(|lack| lack.rights.contains(&PROVENANCE)) {
        roles.insert(SETS_PROVENANCE);
    }
    let roles: Vec<&str> = roles.into_iter().collect();
    format!(
        "give the service account the role Admin, or, where Grafana has such (docs/install.md), {}",
        roles.join(", ")
    )
}

/// By rights that no lesser role has. Which role a service account has Grafana tells administrators alone.
fn is_admin(held: &Held) -> bool {
    [WRITES_ALL, "folders.permissions:write", "datasources:create"]
        .iter()
        .all(|right| held.contains_key(*right))
}

#[cfg(test)]
#[path = "rights_tests.rs"]
mod tests;
