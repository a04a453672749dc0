//! Notification templates.

use serde::Serialize;

/// A template file: what it defines, the settings of contact points may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Name of the file, unique within the organisation.
    pub name: String,
    /// Its text in Go's template syntax. The provisioning API takes blanks off its ends, and puts a definition of the file's name around one
    /// that defines nothing.
    pub content: String,
}
