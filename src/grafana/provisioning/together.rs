//! Rules of one group that wait together are written, or deleted, together.
//!
//! Who wants to write a rule stands in the queue of its group. Whoever gets the right to write there waits until all who are on the way have
//! come, takes all that stand there, and does for them what can be done in one go; the rest is told to go alone.

use std::collections::HashSet;
use std::time::Instant;

use http::Method;
use tokio::sync::oneshot::error::TryRecvError;

use super::Provisioning;
use super::groups::fault::Fault;
use super::groups::queue::{Come, Coming, Ended, Place, Queue, Waiting, tell_all};
use super::groups::{self, Group, Key, Wish};
use super::intervals::GROUPS;
use crate::deadline;
use crate::grafana::api::{Folders, Provenance};
use crate::grafana::approach;
use crate::grafana::error::{Error, Result};
use crate::grafana::transport::Call;
use crate::grafana::turns::Turn;

/// So few rules, one of which is refused, cost no more calls alone than in ever smaller groups: each of those takes two.
const FEW: usize = 5;
/// So many refusals with nothing written in between say that most rules are at fault: the rest is written alone. It takes as many to find
/// one rule at fault among ten thousand.
const MOST_IN_VAIN: usize = 12;

/// How the write of a group ended.
enum Wrote {
    All,
    /// It was not sent, or says nothing of the rules.
    Nothing,
    /// At least one of the rules isn't as it should be, or they are too much at once.
    Refused(Error),
    Failed(Error),
}

/// What a write of rules needs to know of all others that are in its group.
pub(super) type HasWritten<'a> = &'a (dyn Fn(&str) -> Option<bool> + Send + Sync);

/// Rules that are yet to be written.
struct Part {
    rules: Vec<Waiting<Coming>>,
    /// Whether one of them is refused for sure.
    is_bad: bool,
    /// Whether they are one half of rules that were refused, and the other half is the next.
    has_twin: bool,
}

impl Provisioning {
    /// Whether rules of a group may be written in one go.
    pub(super) fn writes_together(&self) -> bool {
        self.together.abilities.lock().write
    }

    /// Stands in the queue of a group with this rule, until it is written or has to be written alone.
    pub(super) async fn write_together(
        &self,
        key: &Key,
        coming: Coming,
        has_written: HasWritten<'_>,
    ) -> Ended {
        let queue = &self.together.writes;
        let mut place = queue.join(key, coming);
        approach::arrived();
        loop {
            match self.come(queue, key, &mut place).await {
                Come::Ends(ended) => return ended,
                // Each call has its time limit, and most of them are for others.
                Come::Leads(all, turn) => {
                    deadline::waiting(self.write_all(key, all, &turn, has_written)).await;
                }
            }
        }
    }

    /// Stands in the queue of those that are to be deleted from a group.
    pub(super) async fn delete_together(&self, key: &Key, uid: &str, provenance: Provenance) -> Ended {
        if !self.together.abilities.lock().delete || provenance != Provenance::Api {
            approach::arrived();
            return Ended::Alone(None);
        }
        let queue = &self.together.deletes;
        let mut place = queue.join(key, uid.to_owned());
        approach::arrived();
        loop {
            match self.come(queue, key, &mut place).await {
                Come::Ends(ended) => return ended,
                Come::Leads(all, turn) => deadline::waiting(self.delete_all(key, all, &turn)).await,
            }
        }
    }

    /// Waits until somebody has done it, or it is this one's turn to do it for all that wait. Nobody is lost where whoever does it is cut off.
    async fn come<T: Clone>(&self, queue: &Queue<T>, key: &Key, place: &mut Place<T>) -> Come<T> {
        loop {
            let turn = tokio::select! {
                biased;
                told = deadline::waiting(&mut place.verdict) => {
                    if let Ok(ended) = told {
                        return Come::Ends(ended);
                    }
                    *place = queue.join(key, place.what.clone());
                    continue;
                }
                turn = self.company.groups.lock(key.clone()) => turn,
            };
            match place.verdict.try_recv() {
                Ok(ended) => return Come::Ends(ended),
                Err(TryRecvError::Closed) => *place = queue.join(key, place.what.clone()),
                Err(TryRecvError::Empty) => {}
            }
            deadline::waiting(self.company.approaches.settled()).await;
            let all = queue.take(key);
            return if all.len() == 1 {
                Come::Ends(Ended::Alone(Some(turn)))
            } else {
                Come::Leads(all, turn)
            };
        }
    }

    /// Writes what can be written in one go. What is wished with another interval waits on.
    async fn write_all(
        &self,
        key: &Key,
        mut all: Vec<Waiting<Coming>>,
        turn: &Turn,
        has_written: HasWritten<'_>,
    ) {
        let Some(first) = all.first().map(|one| one.what.wish.clone()) else {
            return;
        };
        let later = all
            .extract_if(.., |one| !groups::goes_with(&first, &one.what.wish))
            .collect();
        self.together.writes.put_back(key, later);
        if self.together.was_broken(key) || first.provenance != Provenance::Api {
            return tell_all(all, &Ended::Alone(None));
        }
        let (movers, _turns) = self.rights_to_leave(&all);
        let stuck: Vec<_> = all
            .extract_if(.., |one| {
                one.what.from.as_ref().is_some_and(|from| !movers.contains(from))
            })
            .collect();
        tell_all(stuck, &Ended::Alone(None));
        self.write_parts(key, all, turn, has_written).await;
    }

    /// The rights to write to the groups that these rules leave, so far as nobody has them: who waited for one with another at hand might wait
    /// for whoever waits for that.
    fn rights_to_leave(&self, all: &[Waiting<Coming>]) -> (HashSet<Key>, Vec<Turn>) {
        let groups: HashSet<&Key> = all.iter().filter_map(|one| one.what.from.as_ref()).collect();
        let free = groups
            .into_iter()
            .filter_map(|from| Some((from.clone(), self.company.groups.try_lock(from.clone())?)));
        free.unzip()
    }

    /// Writes all of these, and where that is refused ever smaller parts of them, until those are alone that are at fault.
    async fn write_parts(
        &self,
        key: &Key,
        all: Vec<Waiting<Coming>>,
        turn: &Turn,
        has_written: HasWritten<'_>,
    ) {
        // Those of whom others are yet to note that they are written.
        let mut written = HashSet::new();
        let mut in_vain = 0;
        let mut parts = vec![Part {
            rules: all,
            is_bad: false,
            has_twin: false,
        }];
        while let Some(mut part) = parts.pop() {
            if part.rules.len() < 2 {
                tell_all(part.rules, &Ended::Alone(None));
                continue;
            }
            let is_ours = |uid: &str, mark: &str| {
                (self.company.is_ours)(mark) && (written.contains(uid) || has_written(uid) == Some(true))
            };
            let wrote = if part.is_bad {
                None
            } else {
                Some(self.write_group(key, &part.rules, &is_ours).await)
            };
            in_vain = match wrote {
                Some(Wrote::Refused(_)) => in_vain + 1,
                Some(Wrote::All) => 0,
                _ => in_vain,
            };
            let ended = match wrote {
                Some(Wrote::All) => {
                    written.extend(part.rules.iter().map(|one| one.what.wish.uid.clone()));
                    if let Some(twin) = parts.last_mut().filter(|_| part.has_twin) {
                        twin.is_bad = true;
                    }
                    tell_all(part.rules, &Ended::Together(turn.clone()));
                    continue;
                }
                Some(Wrote::Nothing) => Ended::Alone(None),
                Some(Wrote::Failed(error)) => Ended::Failed(error),
                Some(Wrote::Refused(_)) if in_vain >= MOST_IN_VAIN => Ended::Alone(None),
                Some(Wrote::Refused(_)) | None if part.rules.len() <= FEW => {
                    tell_all(part.rules, &Ended::Alone(None));
                    continue;
                }
                refused => {
                    let message = match refused {
                        Some(Wrote::Refused(error)) => error.to_string(),
                        _ => String::new(),
                    };
                    parts.extend(divided(&mut part.rules, &message));
                    continue;
                }
            };
            tell_all(part.rules, &ended);
            return parts.into_iter().for_each(|part| tell_all(part.rules, &ended));
        }
    }

    async fn write_group(
        &self,
        key: &Key,
        rules: &[Waiting<Coming>],
        is_ours: &(dyn Fn(&str, &str) -> bool + Sync),
    ) -> Wrote {
        let wishes: Vec<&Wish> = rules.iter().map(|one| &one.what.wish).collect();
        let found = match self.whole_group(key).await {
            Ok(found) => found,
            // Nothing was sent; whoever goes alone doesn't have to look.
            Err(error) => match Fault::of(&error) {
                Fault::Everything => return Wrote::Failed(error),
                _ => return Wrote::Nothing,
            },
        };
        // Into a new group Grafana writes without a look at the folder, and what is in none is shown to nobody.
        if found.is_empty() && !self.is_there(&key.0).await {
            return Wrote::Nothing;
        }
        let Ok(body) = groups::together(key, &found, &wishes, is_ours) else {
            return Wrote::Nothing;
        };
        let names = [key.0.as_str(), "rule-groups", &key.1];
        let call = Call::new("rules.put_group", Method::PUT, GROUPS, &names)
            .of_many()
            .json(&body);
        drop((found, body));
        let sent = match call {
            Ok(call) => self.transport.send(call).await,
            Err(error) => Err(error),
        };
        let Err(error) = sent else {
            return Wrote::All;
        };
        match Fault::of(&error) {
            Fault::Group => Wrote::Nothing,
            Fault::Rules => Wrote::Refused(error),
            Fault::Everything | Fault::Folder => Wrote::Failed(error),
            Fault::Unknown => {
                self.together.breaks(key);
                Wrote::Failed(error)
            }
        }
    }

    /// Whether a folder was seen to be there, now or a short while ago. Where it can't be seen, single rules tell why.
    async fn is_there(&self, folder_uid: &str) -> bool {
        let _turn = self.together.looks.lock(folder_uid.to_owned()).await;
        if self.together.has_seen(folder_uid, Instant::now()) {
            return true;
        }
        let is_there = matches!(Folders::get(self, folder_uid).await, Ok(Some(_)));
        if is_there {
            self.together.saw(folder_uid, Instant::now());
        }
        is_there
    }

    async fn delete_all(&self, key: &Key, all: Vec<Waiting<String>>, turn: &Turn) {
        let ended = if self.together.was_broken(key) {
            Ended::Alone(None)
        } else {
            self.delete_group(key, &all, turn).await
        };
        tell_all(all, &ended);
    }

    /// Deletes the group if it holds nothing but these.
    async fn delete_group(&self, key: &Key, all: &[Waiting<String>], turn: &Turn) -> Ended {
        let uids: HashSet<&str> = all.iter().map(|one| one.what.as_str()).collect();
        match self.whole_group(key).await {
            Ok(found) if groups::are_all(&found, &uids) => {}
            Err(error) if Fault::of(&error) == Fault::Everything => return Ended::Failed(error),
            Ok(_) | Err(_) => return Ended::Alone(None),
        }
        let names = [key.0.as_str(), "rule-groups", &key.1];
        let call = Call::new("rules.delete_group", Method::DELETE, GROUPS, &names);
        let Err(error) = self.transport.send(call).await else {
            return Ended::Together(turn.clone());
        };
        match Fault::of(&error) {
            Fault::Everything => Ended::Failed(error),
            Fault::Group | Fault::Rules | Fault::Folder => Ended::Alone(None),
            Fault::Unknown => {
                self.together.breaks(key);
                Ended::Failed(error)
            }
        }
    }

    /// A group with all that Grafana says of its rules. From the versions on that are asked for this, Grafana names its error where there is
    /// none, so nobody else has to be asked whether it was Grafana.
    async fn whole_group(&self, (folder_uid, name): &Key) -> Result<Group> {
        let call = Call::get("rules.group", GROUPS, &[folder_uid, "rule-groups", name]).of_many();
        match self.transport.fetch_whole(call).await {
            Err(Error::Status {
                status: 404,
                message_id: Some(id),
                ..
            }) if id == "alerting.alert-rule.notFound" => Ok(Group::default()),
            found => Ok(self.if_present(found).await?.unwrap_or_default()),
        }
    }
}

/// Rules of which at least one is refused, the first to be tried last: the one that the refusal names, or half of them.
fn divided(rules: &mut Vec<Waiting<Coming>>, message: &str) -> Vec<Part> {
    let part = |rules, has_twin| Part {
        rules,
        is_bad: false,
        has_twin,
    };
    let uids = rules.iter().map(|one| one.what.wish.uid.as_str());
    if let Some(named) = groups::named(message, uids).map(str::to_owned) {
        let named = rules.extract_if(.., |one| one.what.wish.uid == named).collect();
        return vec![part(std::mem::take(rules), false), part(named, false)];
    }
    let second = rules.split_off(rules.len() / 2);
    vec![part(second, false), part(std::mem::take(rules), true)]
}
