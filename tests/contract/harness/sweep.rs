//! Removes what an exchange has made, by the names that are its own: on a server of somebody's, nothing may stay.

use reqwest::Method;
use serde_json::Value;

use super::{
    call::{Call, Caller},
    path,
    server::Server,
};

/// A collection that contracts write to: what its paths begin with, and how it is emptied of what is ours.
struct Collection {
    /// A contract that writes to such a path may have made something in it.
    written: &'static [&'static str],
    /// What lists it.
    list: &'static str,
    /// Where in the list the entries are.
    entries: &'static str,
    /// Where in an entry a name of ours may be.
    names: &'static [&'static str],
    /// Where in an entry its id for the address is.
    id: &'static str,
    /// What is deleted; `{}` is the id.
    delete: &'static str,
    /// Who may.
    by: Caller,
}

const RULES: &str = "/api/v1/provisioning/alert-rules";
const NOTIFICATIONS: &str = "/apis/notifications.alerting.grafana.app";
const RULE_OBJECTS: &str = "/apis/rules.alerting.grafana.app";

/// In an order in which nothing is in use any more when its turn comes.
const COLLECTIONS: &[Collection] = &[
    Collection {
        written: &["/api/folders", "/apis/folder.grafana.app"],
        list: "/api/folders?limit=1000",
        entries: "/*",
        names: &["/uid", "/title"],
        id: "/uid",
        delete: "/api/folders/{}?forceDeleteRules=true",
        by: Caller::Admin,
    },
    Collection {
        written: &[RULES, "/api/v1/provisioning/folder", "/api/ruler", RULE_OBJECTS],
        list: RULES,
        entries: "/*",
        names: &["/uid", "/folderUID", "/title"],
        id: "/uid",
        delete: "/api/v1/provisioning/alert-rules/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/v1/provisioning/contact-points", NOTIFICATIONS],
        list: "/api/v1/provisioning/contact-points",
        entries: "/*",
        names: &["/uid", "/name"],
        id: "/uid",
        delete: "/api/v1/provisioning/contact-points/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/v1/provisioning/mute-timings", NOTIFICATIONS],
        list: "/api/v1/provisioning/mute-timings",
        entries: "/*",
        names: &["/name"],
        id: "/name",
        delete: "/api/v1/provisioning/mute-timings/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/v1/provisioning/templates", NOTIFICATIONS],
        list: "/api/v1/provisioning/templates",
        entries: "/*",
        names: &["/name"],
        id: "/name",
        delete: "/api/v1/provisioning/templates/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/alertmanager/grafana/api/v2/silences"],
        list: "/api/alertmanager/grafana/api/v2/silences",
        entries: "/*",
        names: &["/comment"],
        id: "/id",
        delete: "/api/alertmanager/grafana/api/v2/silence/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/datasources"],
        list: "/api/datasources",
        entries: "/*",
        names: &["/uid", "/name"],
        id: "/uid",
        delete: "/api/datasources/uid/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/serviceaccounts"],
        list: "/api/serviceaccounts/search?perpage=1000",
        entries: "/serviceAccounts/*",
        names: &["/name"],
        id: "/id",
        delete: "/api/serviceaccounts/{}",
        by: Caller::Admin,
    },
    Collection {
        written: &["/api/orgs"],
        list: "/api/orgs?perpage=1000",
        entries: "/*",
        names: &["/name"],
        id: "/id",
        delete: "/api/orgs/{}",
        by: Caller::ServerAdmin,
    },
    Collection {
        written: &["/api/admin/users"],
        list: "/api/users?perpage=1000",
        entries: "/*",
        names: &["/login", "/name"],
        id: "/id",
        delete: "/api/admin/users/{}",
        by: Caller::ServerAdmin,
    },
];

/// The one tree of an organisation; a contract that writes it needs an organisation of its own.
const TREE: &str = "/api/v1/provisioning/policies";

/// What only `/apis` shows, by group and plural, and where in an object a name of ours may be: contact points without
/// integrations, inhibition rules, sequences. Named trees go before everything that they name.
const OBJECTS: [(&str, &str, &str); 3] = [
    (NOTIFICATIONS, "receivers", "/spec/title"),
    (NOTIFICATIONS, "inhibitionrules", "/metadata/name"),
    (RULE_OBJECTS, "rulesequences", "/metadata/name"),
];
const VERSIONS: [&str; 2] = ["v1beta1", "v0alpha1"];

/// Whether a call changes what an organisation has only one of.
pub fn is_about_the_organisation(call: &Call) -> bool {
    let tree = call.path.starts_with(TREE) || call.path.contains("/routingtrees/user-defined");
    call.method != Method::GET && tree
}

/// Whether a call needs an administrator of the server.
pub fn is_about_the_server(call: &Call) -> bool {
    let administers = call.path.starts_with("/api/orgs") || call.path.starts_with("/api/admin/");
    administers || call.by == Caller::ServerAdmin
}

/// Removes everything whose name begins with the prefix from the collections that the calls wrote to.
pub async fn sweep<'a>(
    server: &Server,
    prefix: &str,
    calls: impl Iterator<Item = &'a Call>,
) -> Result<(), String> {
    let written: Vec<&Call> = calls.filter(|call| call.method != Method::GET).collect();
    let wrote = |begin: &str| written.iter().any(|call| call.path.starts_with(begin));
    if written.iter().any(|call| is_about_the_organisation(call)) {
        server.ask(Method::DELETE, TREE, None, &Caller::Admin).await?;
    }
    if wrote(NOTIFICATIONS) {
        objects(server, prefix, NOTIFICATIONS, "routingtrees", "/metadata/name").await?;
    }
    for collection in COLLECTIONS {
        if collection.written.iter().any(|begin| wrote(begin)) {
            empty(server, prefix, collection).await?;
        }
    }
    for (group, plural, name) in OBJECTS {
        if wrote(group) {
            objects(server, prefix, group, plural, name).await?;
        }
    }
    Ok(())
}

async fn empty(server: &Server, prefix: &str, collection: &Collection) -> Result<(), String> {
    let list = server
        .ask(Method::GET, collection.list, None, &collection.by)
        .await?;
    let ours = |value: &Value, at: &str| {
        let name = path::find(value, at).first().copied().and_then(Value::as_str);
        name.is_some_and(|name| name.starts_with(prefix))
    };
    for entry in path::find(&list, collection.entries) {
        if !collection.names.iter().any(|at| ours(entry, at)) {
            continue;
        }
        let id = path::find(entry, collection.id)
            .first()
            .copied()
            .cloned()
            .unwrap_or_default();
        let id = id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned);
        let address = collection.delete.replace("{}", &super::names::escape(&id));
        let removed = server.ask(Method::DELETE, &address, None, &collection.by).await;
        if removed.is_err() {
            // What has no provenance is deleted by whoever has none, in some versions.
            let request = server.request(Method::DELETE, &address, &collection.by);
            let again = request.header("X-Disable-Provenance", "true").send().await;
            if !again.is_ok_and(|answer| answer.status().is_success()) {
                removed?;
            }
        }
    }
    Ok(())
}

/// Objects of a kind below `/apis`, where it is served.
async fn objects(server: &Server, prefix: &str, group: &str, plural: &str, name: &str) -> Result<(), String> {
    for version in VERSIONS {
        let address = format!("{group}/{version}/namespaces/{}/{plural}", server.namespace());
        let Ok(list) = server.ask(Method::GET, &address, None, &Caller::Admin).await else {
            continue;
        };
        for object in path::find(&list, "/items/*") {
            let text = |at| {
                path::find(object, at)
                    .first()
                    .copied()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            if text(name).starts_with(prefix) {
                let object = format!("{address}/{}", text("/metadata/name"));
                server.ask(Method::DELETE, &object, None, &Caller::Admin).await?;
            }
        }
    }
    Ok(())
}
