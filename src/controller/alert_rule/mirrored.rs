//! A rule as the mirror has it.

use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::grafana::api::FoundRule;
use crate::grafana::mirror::Lookup;

/// What Grafana holds under this uid; asks it where an answer was lost.
pub(super) async fn find(instance: &Instance, uid: &str) -> Result<Option<FoundRule>, Failure> {
    match instance.mirror.read(|held| held.rules.lookup(uid).cloned()) {
        Lookup::Present(found) => Ok(Some(found)),
        Lookup::Absent => Ok(None),
        Lookup::Unknown => {
            let found = instance
                .grafana
                .rules
                .get(uid)
                .await
                .map_err(|e| instance.suspect(e.into()))?;
            instance.mirror.write(|held| match &found {
                Some(found) => held.rules.written(found.clone()),
                None => held.rules.deleted(uid),
            });
            Ok(found)
        }
    }
}

/// Notes in the mirror what a write has done.
pub(super) fn note(
    instance: &Instance,
    uid: &str,
    result: crate::grafana::Result<()>,
    now_there: Option<FoundRule>,
) -> Result<(), Failure> {
    match result {
        Ok(()) => {
            instance.mirror.write(|held| match now_there {
                Some(rule) => held.rules.written(rule),
                None => held.rules.deleted(uid),
            });
            Ok(())
        }
        Err(error) => {
            // Also where Grafana refused: what it holds is then not what the mirror said.
            instance.mirror.write(|held| held.rules.unknown(uid));
            Err(instance.suspect(error.into()))
        }
    }
}
