//! The API that will replace `/api`: kinds below `/apis`, in the manner of Kubernetes. Serves what [`discovery`] has found.

mod discovery;
mod folders;
mod object;

use std::sync::Arc;

use super::transport::{Call, Transport};

pub(super) use discovery::{Kind, find};
pub(super) use folders::Folders;

/// Where the objects of one kind are.
struct Place {
    transport: Arc<Transport>,
    kind: Kind,
    /// The organisation's namespace.
    namespace: String,
}

impl Place {
    /// A read of the whole kind.
    fn list(&self, operation: &'static str) -> Call {
        let path = format!("apis/{}/namespaces", self.kind.group_version());
        Call::get(operation, &path, &[&self.namespace, self.kind.plural])
    }
}
