//! Request and response bodies, named and spelled as Grafana's JSON has them.

mod folder;
#[cfg(feature = "cli")]
mod frame;
mod server;
mod silence;

use serde::{Deserialize, Deserializer};

pub use folder::Folder;
pub(in crate::grafana) use folder::in_folder;
#[cfg(feature = "cli")]
pub use frame::{Answered, Series};
pub(in crate::grafana) use server::version;
pub use server::{DataSource, Deprecation, Health, Settings, Toggles};
pub use silence::{Silence, SilenceMatcher, SilenceState, SilenceStatus};

/// Reads `null` as the default: Go prints a nil slice or map that way.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Leaves `false` out of what is sent.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
