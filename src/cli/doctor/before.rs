//! What an installation needs, before there is one.

use super::facts::{Asked, Read, Right, Served};
use super::verdict::{self, Check, Verdict};

/// What was found where there is to be an installation.
pub(super) struct Facts {
    pub(super) kubernetes: String,
    pub(super) rights: Vec<Right>,
    pub(super) served: Read<Vec<Served>>,
    pub(super) grafana: Option<Addressed>,
}

/// A Grafana whose address is given.
pub(super) enum Addressed {
    /// Without a token: whether it answers, and its version where it says it to everybody.
    Seen(Read<Option<String>>),
    /// With one.
    Asked(Read<Asked>),
    /// With one that it doesn't take.
    Refused(String),
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// What the chart and the manifests make.
pub(super) fn needs(home: &str) -> Vec<Right> {
    let right = |of, group, resource: &str, namespace: Option<&str>| Right {
        of,
        verb: "create",
        group,
        resource: resource.to_owned(),
        namespace: namespace.map(str::to_owned),
        is_allowed: false,
    };
    let within = |group, resource| right("right to install the operator", group, resource, Some(home));
    let mut all = vec![
        right(
            "right to install types",
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            None,
        ),
        right("right to install roles", RBAC, "clusterroles", None),
        right("right to install roles", RBAC, "clusterrolebindings", None),
    ];
    all.extend([
        within(RBAC, "roles"),
        within(RBAC, "rolebindings"),
        within("apps", "deployments"),
        within("", "serviceaccounts"),
        within("", "secrets"),
        within("", "services"),
    ]);
    all
}

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut all = vec![verdict::kubernetes(&facts.kubernetes)];
    let mut rights = verdict::rights(&facts.rights, |_| {
        "have a cluster administrator install, or ask for the right".to_owned()
    });
    // Without them there is no installation.
    for check in rights.iter_mut().filter(|check| check.verdict == Verdict::Doubt) {
        check.verdict = Verdict::Bad;
    }
    all.extend(rights);
    all.push(installed(&facts.served));
    all.push(verdict::short_names(&facts.served));
    match &facts.grafana {
        None => all.push(Check::doubt(
            "grafana",
            "its address isn't known here",
            "set GRAFANA_URL, and GRAFANA_TOKEN for its rights, to have it looked at",
        )),
        Some(Addressed::Seen(Err(why)) | Addressed::Asked(Err(why))) => all.push(Check::bad(
            "grafana",
            why,
            "mend the address, or what is in between; the operator has to reach it from the cluster",
        )),
        Some(Addressed::Refused(why)) => all.push(Check::bad(
            "grafana: token",
            why,
            "make another token of Grafana's service account, for this one isn't valid or has expired",
        )),
        Some(Addressed::Seen(Ok(version))) => {
            all.push(verdict::reached(
                "grafana",
                "the one at GRAFANA_URL",
                version.as_deref(),
            ));
            all.push(Check::doubt(
                "grafana: token",
                "its rights aren't known here",
                "set GRAFANA_TOKEN to the operator's to have them looked at",
            ));
        }
        Some(Addressed::Asked(Ok(asked))) => {
            all.push(verdict::reached(
                "grafana",
                "the one at GRAFANA_URL",
                asked.version.as_deref(),
            ));
            // The token that is given is the one that the operator is to have.
            let token = Asked {
                is_own_token: false,
                permissions: asked.permissions.clone(),
                sources: asked.sources.clone(),
                version: asked.version.clone(),
                ..*asked
            };
            all.extend(verdict::of_grafana("grafana", &token, None));
        }
    }
    all
}

fn installed(served: &Read<Vec<Served>>) -> Check {
    let name = "installation";
    match served {
        Err(why) => Check::unseen(name, why),
        Ok(served) if served.iter().any(|one| one.group == verdict::GROUP) => Check::doubt(
            name,
            "there are resources of our types in this cluster already",
            "alertwright doctor looks at an installation",
        ),
        Ok(_) => Check::good(name, "none yet in this cluster"),
    }
}
