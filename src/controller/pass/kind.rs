//! What the kinds do differently in a pass, and what a pass can come to.

use std::time::Duration;

use kube::runtime::controller::Action;
use kube::runtime::finalizer;

use crate::api::condition::Reason;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::crowd::Company;
use crate::grafana::mirror::Subject;

/// How the message begins while a deletion waits.
pub(super) const WAITS: &str = "the deletion waits: ";
/// How it begins while what isn't for a Grafana any more can't be taken out of it.
pub(super) const STAYS: &str = "is no longer among spec.instances, and has yet to be removed there: ";

/// What a pass found out and did.
#[derive(Debug)]
pub struct Report<S> {
    /// The reason of `Ready`.
    pub reason: Reason,
    /// The message of `Ready`.
    pub message: String,
    /// The status with the kind's own fields; conditions are set from the above.
    pub status: S,
    /// When to look again without a change.
    pub again: Option<Duration>,
    /// What a person should know though nothing is wrong.
    pub warnings: Vec<String>,
    /// What somebody has changed in Grafana, where that is only told of.
    pub drift: Vec<String>,
}

impl<S> Report<S> {
    /// All is as it should be.
    pub fn synced(status: S, message: impl Into<String>) -> Self {
        Self {
            reason: Reason::Synced,
            message: message.into(),
            status,
            again: None,
            warnings: Vec::new(),
            drift: Vec::new(),
        }
    }

    /// The same where somebody has changed these parts of it in Grafana, if there are any, and that is only told of.
    #[must_use]
    pub fn drifted(self, drift: Vec<String>) -> Self {
        if drift.is_empty() {
            return self;
        }
        Self {
            reason: Reason::Drifted,
            message: format!(
                "stored in Grafana, where somebody has changed it ({}), which driftPolicy Report of the GrafanaInstance leaves; Correct puts it right, and so does an edit of this resource",
                drift.join(", ")
            ),
            drift,
            ..self
        }
    }
}

/// What the kinds do differently.
pub trait Reconcile: Managed {
    /// Brings Grafana to what the resource asks for.
    fn reconcile(
        &self,
        context: &Context,
    ) -> impl Future<Output = Result<Report<Self::Status>, Failure>> + Send;

    /// What can be said of the resource without Grafana, and whether or not it is suspended; mostly nothing.
    fn conclude(
        &self,
        _: &Context,
    ) -> impl Future<Output = Result<Option<Report<Self::Status>>, Failure>> + Send {
        async { Ok(None) }
    }

    /// What is wrong with the resource whatever its Grafana says, for as long as that can't be asked; mostly nothing.
    fn mistake(&self, _: &Context) -> impl Future<Output = Option<Failure>> + Send {
        async { None }
    }

    /// Whether the resource may have made something in a Grafana: its status says so, or the answer of a write was lost. One that has
    /// not waits for no Grafana when it is deleted, and leaves nothing behind. What is written right before this process dies is known to
    /// the next one only from Grafana.
    fn may_be_stored(&self, context: &Context) -> bool;

    /// Notes in the status what it has or may have made, though the pass failed.
    fn mark_stored(&self, _: &Context, _: &mut Self::Status) {}

    /// Notes in the status what others may have changed in Grafana of where it stands there, though it does nothing itself.
    fn note_place(&self, _: &Context, _: &mut Self::Status) {}

    /// Whom a pass writes together with, where those of the kind come to such writes; mostly nobody.
    fn company(&self, _: &Context) -> Option<Company> {
        None
    }

    /// What of this Grafana a pass over it decides by, and reads by itself where somebody asks for it; nothing where the pass sees to that.
    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        None
    }

    /// Removes from Grafana what the resource has made. Must not ask for more than it needs.
    fn clean_up(&self, context: &Context) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// An error that ends a pass before it could be reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused a write.
    #[error("cannot write to the API server")]
    Kube(#[source] Box<kube::Error>),
    /// The finalizer couldn't be added or removed.
    #[error("cannot change the finalizer")]
    Finalizer(#[source] Box<finalizer::Error<Error>>),
    /// The clean-up has to wait; what for and how long is in the status and in the action.
    #[error("the deletion waits: {0}")]
    Waiting(String, Action),
}

/// What a resource is called where it is remembered what its passes over one Grafana have come to.
pub(super) fn key<K: Managed>(object: &K) -> String {
    format!(
        "{}/{}/{}/{}",
        K::KIND,
        object.ns(),
        object.id(),
        object.instance()
    )
}
