//! Service accounts, and the rights that they hold.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::Grafana;
use crate::trial::Need;

/// An action, and where it counts; everywhere where that is empty.
pub type Right = (&'static str, &'static str);

/// A service account.
#[derive(Debug, Clone)]
pub struct Account {
    id: Value,
    /// A token of it.
    pub token: String,
}

/// One of the roles that Grafana Enterprise and Cloud have ready-made, with what of it concerns what the operator does.
///
/// Source: documentation, "RBAC role definitions"; pkg/services/ngalert/accesscontrol.go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedRole {
    /// `fixed:alerting.provisioning:writer`
    AlertingProvisioningWriter,
    /// `fixed:alerting.provisioning.provenance:writer`
    AlertingProvisioningProvenanceWriter,
    /// `fixed:alerting:reader`
    AlertingReader,
    /// `fixed:alerting:writer`
    AlertingWriter,
    /// `fixed:folders:writer`
    FoldersWriter,
    /// `fixed:datasources:reader`
    DatasourcesReader,
}

impl FixedRole {
    /// What whoever has the role holds.
    pub fn rights(self) -> Vec<Right> {
        const FOLDERS: &str = "folders:*";
        const SOURCES: &str = "datasources:*";
        const RECEIVERS: &str = "receivers:*";
        match self {
            Self::AlertingProvisioningWriter => vec![
                ("alert.provisioning:read", ""),
                ("alert.provisioning:write", ""),
                ("alert.rules.provisioning:read", ""),
                ("alert.rules.provisioning:write", ""),
                ("alert.notifications.provisioning:read", ""),
                ("alert.notifications.provisioning:write", ""),
                ("folders:read", FOLDERS),
            ],
            Self::AlertingProvisioningProvenanceWriter => vec![("alert.provisioning.provenance:write", "")],
            Self::AlertingReader => vec![
                ("alert.rules:read", FOLDERS),
                ("alert.silences:read", FOLDERS),
                ("alert.instances:read", ""),
                ("alert.notifications:read", ""),
                ("alert.notifications.receivers:list", ""),
                ("alert.notifications.receivers:read", RECEIVERS),
                ("alert.notifications.routes:read", ""),
                ("alert.notifications.templates:read", ""),
                ("alert.notifications.time-intervals:read", ""),
            ],
            Self::AlertingWriter => {
                let mut rights = Self::AlertingReader.rights();
                rights.extend([
                    ("alert.rules:create", FOLDERS),
                    ("alert.rules:write", FOLDERS),
                    ("alert.rules:delete", FOLDERS),
                    ("alert.silences:create", FOLDERS),
                    ("alert.silences:write", FOLDERS),
                    ("alert.instances:create", ""),
                    ("alert.instances:write", ""),
                    ("alert.notifications:write", ""),
                    ("alert.notifications.receivers:create", ""),
                    ("alert.notifications.receivers:write", RECEIVERS),
                    ("alert.notifications.receivers:delete", RECEIVERS),
                    ("alert.notifications.routes:write", ""),
                    ("alert.notifications.templates:write", ""),
                    ("alert.notifications.templates:delete", ""),
                    ("alert.notifications.time-intervals:write", ""),
                    ("alert.notifications.time-intervals:delete", ""),
                ]);
                rights
            }
            Self::FoldersWriter => vec![
                ("folders:read", FOLDERS),
                ("folders:create", FOLDERS),
                ("folders:write", FOLDERS),
                ("folders:delete", FOLDERS),
            ],
            Self::DatasourcesReader => vec![("datasources:read", SOURCES), ("datasources:query", SOURCES)],
        }
    }
}

impl Grafana {
    /// The setting under which accounts may hold single rights: a licence. For [`Grafana::account_with`].
    pub const LICENSED: &'static str = "enterprise.license_path=/licence";

    /// A new service account with a role: Admin, Editor, Viewer or None.
    pub async fn account(&self, role: &str) -> Account {
        let name = format!("testbed-{}", self.accounts.fetch_add(1, Ordering::Relaxed));
        let account = self
            .post("/api/serviceaccounts", json!({"name": name, "role": role}))
            .await
            .ok();
        let id = account.get("id").cloned().unwrap_or_default();
        let token = self
            .post(
                &format!("/api/serviceaccounts/{id}/tokens"),
                json!({"name": name}),
            )
            .await
            .ok();
        let key = token.get("key").and_then(Value::as_str);
        Account {
            id,
            token: key.expect("the new token's key").to_owned(),
        }
    }

    /// A new service account that has these roles and no other. Needs [`Need::Rights`] and [`Grafana::LICENSED`].
    pub async fn account_with(&self, roles: &[FixedRole]) -> Account {
        self.needs(Need::Rights);
        let account = self.account("None").await;
        for role in roles {
            self.give(&account, *role).await;
        }
        account
    }

    /// Gives an account a role more. Needs [`Need::Rights`].
    pub async fn give(&self, account: &Account, role: FixedRole) {
        self.needs(Need::Rights);
        let name = format!("testbed-{role:?}-{}", account.id);
        let rights: Vec<_> = role
            .rights()
            .iter()
            .map(|(action, scope)| json!({"action": action, "scope": scope}))
            .collect();
        let made = json!({"uid": name, "name": name, "permissions": rights});
        self.post("/api/access-control/roles", made).await.ok();
        let path = format!("/api/access-control/users/{}/roles", account.id);
        self.post(&path, json!({"roleUid": name})).await.ok();
    }
}
