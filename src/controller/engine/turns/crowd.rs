//! Passes that come in crowds: many may wait, and few of them work. Those of one Grafana wait for none of another's.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::sleep;

use crate::deadline;
use crate::grafana::approach::{Approach, Approaches, here};

/// How many passes over one kind work at the same time in one Grafana.
const PLACES: usize = 16;
/// How many passes may be under way that write together with others: most of them wait for these, and each of those that wait is held whole.
const SEATS: usize = 128;
/// How many of them begin at once. More are a crowd, which goes in by what it writes.
const FEW: usize = 1;
/// How long a crowd gathers: until nobody has come for so long.
const GATHERS: Duration = Duration::from_millis(20);
/// How often it is waited for that at most: nobody is to see it.
const OFTEN: usize = 10;

tokio::task_local! {
    static HALL: Arc<Hall>;
}

/// The passes that are under way or wait, by their kind and the Grafana that they are for; `None` has those over resources that are for several.
#[derive(Debug)]
pub struct Crowd {
    halls: Mutex<HashMap<Of, Weak<Hall>>>,
    gathers: Duration,
}

type Of = (&'static str, Option<String>);

/// Whom a pass writes together with.
#[derive(Debug)]
pub struct Company {
    /// What they write, in words that are the same for all of them.
    pub writes: String,
    /// Who is on the way to that Grafana; nobody where it isn't connected.
    pub approaches: Option<Approaches>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            halls: Mutex::default(),
            gathers: GATHERS,
        }
    }
}

impl Crowd {
    /// Waits for a seat among the passes over a kind in one Grafana, and for a place to work at.
    pub async fn enter(&self, kind: &'static str, instance: &str, company: Option<Company>) -> Entry {
        let seats = if company.is_some() { SEATS } else { PLACES };
        let hall = self.hall((kind, Some(instance.to_owned())), seats);
        let (writes, approaches) =
            company.map_or_else(Default::default, |it| (Some(it.writes), it.approaches));
        // It is waited for only from now on: thousands may be before it.
        let (seat, approach) = deadline::waiting(hall.seat(writes, approaches)).await;
        let entry = Entry {
            approach,
            _seat: seat,
            hall,
        };
        entry.work().await;
        entry
    }

    /// Waits for a seat among the passes over resources that are for several Grafanas. Each of their parts [enters](Self::enter) by itself.
    pub async fn begin(&self, kind: &'static str) -> Seat {
        let hall = self.hall((kind, None), SEATS);
        deadline::waiting(hall.seat(None, None)).await.0
    }

    /// Whether more passes over a kind are under way in one Grafana, or wait, than can work at the same time.
    pub fn is_crowded(&self, kind: &'static str, instance: &str) -> bool {
        let hall = self
            .halls
            .lock()
            .get(&(kind, Some(instance.to_owned())))
            .and_then(Weak::upgrade);
        hall.is_some_and(|hall| {
            let door = hall.door.lock();
            door.seated > PLACES || !door.waiting.is_empty()
        })
    }

    fn hall(&self, of: Of, seats: usize) -> Arc<Hall> {
        let mut halls = self.halls.lock();
        if let Some(hall) = halls.get(&of).and_then(Weak::upgrade) {
            return hall;
        }
        // Whoever writes resources gives instances any names.
        halls.retain(|_, hall| hall.strong_count() > 0);
        let hall = Arc::new(Hall {
            seats,
            gathers: self.gathers,
            places: Arc::new(Semaphore::new(PLACES)),
            door: Mutex::default(),
        });
        halls.insert(of, Arc::downgrade(&hall));
        hall
    }
}

/// That a pass is under way.
#[derive(Debug)]
pub struct Entry {
    /// First, so that whoever comes next isn't waited for together with it.
    approach: Approach,
    _seat: Seat,
    hall: Arc<Hall>,
}

impl Entry {
    /// Does this as the pass that has entered.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        HALL.scope(self.hall.clone(), self.approach.scope(work)).await
    }

    async fn work(&self) {
        self.hall.work(&self.approach).await;
    }
}

/// Waits for a place again, if this pass has given it up, for what there is to do after the last write. Nobody waits for it from now on.
pub async fn leave() {
    let (Some(approach), Ok(hall)) = (here(), HALL.try_with(Arc::clone)) else {
        return;
    };
    approach.ends();
    hall.work(&approach).await;
}

#[derive(Debug)]
struct Hall {
    seats: usize,
    gathers: Duration,
    places: Arc<Semaphore>,
    door: Mutex<Door>,
}

#[derive(Debug, Default)]
struct Door {
    seated: usize,
    /// How many have come.
    came: u64,
    /// Those that wait for a seat go in by what they write, and round again: so nobody is passed over for long.
    waiting: BTreeMap<Turn, Waiting>,
    /// Who has gone in last.
    last: Turn,
}

/// What somebody writes, and as which one it has come.
type Turn = (Writes, u64);

/// What is written together; nothing where it is by itself.
type Writes = Option<String>;

/// Who waits is listed until it goes in, or waits no longer.
struct Listed<'a> {
    hall: &'a Hall,
    turn: Turn,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.hall.door.lock().waiting.remove(&self.turn);
    }
}

#[derive(Debug)]
struct Waiting {
    approaches: Option<Approaches>,
    goes_in: oneshot::Sender<(Seat, Approach)>,
}

/// One of the seats, until it is dropped.
#[derive(Debug)]
pub struct Seat(Arc<Hall>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.door.lock().seated -= 1;
        self.0.let_in();
    }
}

impl Hall {
    /// Waits for a seat. From then on it counts as on the way.
    async fn seat(self: &Arc<Self>, writes: Writes, approaches: Option<Approaches>) -> (Seat, Approach) {
        let (mut seated, _listed) = {
            let mut door = self.door.lock();
            let most = if writes.is_some() { FEW } else { self.seats };
            if door.waiting.is_empty() && door.seated < most {
                door.seated += 1;
                return (Seat(self.clone()), approach(approaches.as_ref()));
            }
            let (goes_in, seated) = oneshot::channel();
            door.came += 1;
            let turn = (writes, door.came);
            door.waiting.insert(turn.clone(), Waiting { approaches, goes_in });
            (seated, Listed { hall: self, turn })
        };
        tokio::select! {
            biased;
            seated = &mut seated => return seated.unwrap_or_else(|_| self.unlisted()),
            () = self.gathers() => self.let_in(),
        }
        seated.await.unwrap_or_else(|_| self.unlisted())
    }

    async fn gathers(&self) {
        for _ in 0..OFTEN {
            let came = self.door.lock().came;
            sleep(self.gathers).await;
            if self.door.lock().came == came {
                return;
            }
        }
    }

    /// Never needed: whoever waits is listed until it goes in.
    fn unlisted(self: &Arc<Self>) -> (Seat, Approach) {
        self.door.lock().seated += 1;
        (Seat(self.clone()), Approach::default())
    }

    /// Lets in whoever is next while there are seats, and with it all that write the same.
    fn let_in(self: &Arc<Self>) {
        for (waiting, approach) in self.next() {
            // One that has gone gives its seat back here.
            drop(waiting.send((Seat(self.clone()), approach)));
        }
    }

    fn next(&self) -> Vec<(oneshot::Sender<(Seat, Approach)>, Approach)> {
        let mut door = self.door.lock();
        let door = &mut *door;
        let mut next = Vec::new();
        loop {
            let after = door.waiting.range((Excluded(&door.last), Unbounded)).next();
            let Some((first, _)) = after.or_else(|| door.waiting.first_key_value()) else {
                return next;
            };
            let writes = first.0.clone();
            let most = if writes.is_some() { self.seats } else { 1 };
            let same = door.waiting.range((writes.clone(), 0)..=(writes, u64::MAX));
            let turns: Vec<Turn> = same.map(|(turn, _)| turn.clone()).take(most).collect();
            let free = self.seats.saturating_sub(door.seated);
            if turns.is_empty() || turns.len() > free {
                return next;
            }
            for turn in turns {
                if let Some(waiting) = door.waiting.remove(&turn)
                    && !waiting.goes_in.is_closed()
                {
                    door.seated += 1;
                    next.push((waiting.goes_in, approach(waiting.approaches.as_ref())));
                }
                door.last = turn;
            }
        }
    }

    /// Waits for a place to work at, which is held until the approach [arrives](crate::grafana::approach::arrived).
    async fn work(&self, approach: &Approach) {
        if !approach.holds() {
            // It is never closed.
            let place = deadline::waiting(self.places.clone().acquire_owned()).await;
            approach.hold(place);
        }
    }
}

fn approach(approaches: Option<&Approaches>) -> Approach {
    approaches.map_or_else(Approach::default, Approaches::begin)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::future::join_all;
    use futures::{FutureExt, poll};
    use tokio::task::yield_now;

    use super::*;
    use crate::grafana::approach::arrived;

    const KIND: &str = "AlertRule";

    fn company(writes: &str, approaches: &Approaches) -> Company {
        Company {
            writes: writes.to_owned(),
            approaches: Some(approaches.clone()),
        }
    }

    impl Crowd {
        /// A pass over a rule of a group in the Grafana `main`.
        async fn rule(&self, group: &str, approaches: &Approaches) -> Entry {
            self.enter(KIND, "main", Some(company(group, approaches))).await
        }
    }

    #[tokio::test]
    async fn who_waits_with_others_leaves_its_place_and_gets_one_to_go_on() {
        let (crowd, approaches) = (Crowd::default(), Approaches::default());
        let mut entries = join_all((0..PLACES).map(|_| crowd.rule("a", &approaches))).await;
        let mut enters = pin!(crowd.rule("a", &approaches));
        let late = async {
            tokio::select! {
                _ = enters.as_mut() => panic!("all places are taken"),
                () = entries[0].hall.gathers() => {}
            }
        };
        late.await;
        let waits = entries.remove(0);
        waits.scope(async { arrived() }).await;
        let entered = enters.await;
        let mut leaves = Box::pin(waits.scope(leave()));
        assert!(poll!(leaves.as_mut()).is_pending(), "all places are taken");
        drop(entered);
        leaves.await;
        assert!(waits.approach.holds());
    }

    #[tokio::test]
    async fn a_pass_that_is_over_is_waited_for_by_nobody() {
        let (crowd, approaches) = (Crowd::default(), Approaches::default());
        let entry = crowd.rule("a", &approaches).await;
        assert!(approaches.settled().now_or_never().is_none(), "it may write soon");
        entry.scope(leave()).await;
        assert!(approaches.settled().now_or_never().is_some());
        assert!(entry.approach.holds(), "it still works");
    }

    #[tokio::test]
    async fn a_crowd_goes_in_by_what_it_writes_and_each_group_whole() {
        // It gathers until it is let in here, so that a busy machine doesn't part those that come together.
        let gathers = Duration::from_secs(3600);
        let crowd = Arc::new(Crowd {
            gathers,
            ..Crowd::default()
        });
        let approaches = Approaches::default();
        let in_hall = Arc::new(Mutex::new(BTreeMap::<String, Vec<Entry>>::new()));
        let went_in = Arc::new(Mutex::new(Vec::new()));
        let come = |i: usize| {
            let (crowd, approaches) = (crowd.clone(), approaches.clone());
            let (in_hall, went_in) = (in_hall.clone(), went_in.clone());
            tokio::spawn(async move {
                // One of each group in turn, as a store has them.
                let group = format!("{:03}", i % 100);
                let entry = crowd.rule(&group, &approaches).await;
                entry.scope(async { arrived() }).await;
                went_in.lock().push(group.clone());
                in_hall.lock().entry(group).or_default().push(entry);
            })
        };
        let few: Vec<_> = (0..FEW).map(come).collect();
        join_all(few).await;
        let mut passes: Vec<_> = (FEW..1000).map(come).collect();
        let seated = || in_hall.lock().values().map(Vec::len).sum::<usize>();
        let hall = crowd.hall((KIND, Some("main".to_owned())), SEATS);
        while hall.door.lock().came < 1000 - FEW as u64 {
            yield_now().await;
        }
        hall.let_in();
        while seated() < SEATS - 9 {
            yield_now().await;
        }
        let incomplete = |most: usize| {
            let groups = in_hall.lock();
            let sizes = groups.values().map(Vec::len);
            sizes.filter(|size| *size < 10).count() <= most
        };
        assert!(incomplete(FEW), "{:?}", in_hall.lock().keys());
        assert!(seated() <= SEATS);
        // Whoever is done makes room for whole groups.
        while !passes.is_empty() {
            let done = std::mem::take(&mut *in_hall.lock());
            drop(done);
            passes.retain(|pass| !pass.is_finished());
            yield_now().await;
        }
        let mut went_in = std::mem::take(&mut *went_in.lock());
        assert_eq!(went_in.len(), 1000);
        went_in.dedup();
        assert!(went_in.len() <= 100 + FEW, "groups came in pieces: {went_in:?}");
    }

    #[tokio::test]
    async fn one_grafana_and_one_kind_wait_for_no_other() {
        let crowd = Crowd::default();
        let slow = join_all((0..PLACES).map(|_| crowd.enter("ContactPoint", "slow", None))).await;
        let mut waits = pin!(crowd.enter("ContactPoint", "slow", None));
        assert!(poll!(waits.as_mut()).is_pending(), "all places are taken");
        for (kind, instance) in [("ContactPoint", "fast"), ("Silence", "slow")] {
            let entered = crowd.enter(kind, instance, None).now_or_never();
            assert!(entered.is_some(), "{kind} in {instance}");
        }
        drop(slow);
        waits.await;
    }

    #[tokio::test]
    async fn nobody_is_passed_over_by_those_that_come_later() {
        let (crowd, approaches) = (Crowd::default(), Approaches::default());
        let arrives = async || {
            let entry = crowd.rule("m", &approaches).await;
            entry.scope(async { arrived() }).await;
            entry
        };
        let mut seated = join_all((0..SEATS).map(|_| arrives())).await;
        let mut early = pin!(crowd.rule("z", &approaches));
        assert!(poll!(early.as_mut()).is_pending());
        let mut late = pin!(crowd.rule("a", &approaches));
        assert!(poll!(late.as_mut()).is_pending());
        drop(seated.pop());
        // One task may not do more than so much at once.
        yield_now().await;
        assert!(early.now_or_never().is_some(), "the next after m");
        drop(seated.pop());
        yield_now().await;
        assert!(late.now_or_never().is_some(), "and round again");
    }

    #[tokio::test]
    async fn whoever_waits_no_longer_leaves_its_turn_to_others() {
        let crowd = Crowd::default();
        let mut seated = join_all((0..PLACES).map(|_| crowd.enter("Silence", "main", None))).await;
        let mut gone = Box::pin(crowd.enter("Silence", "main", None));
        assert!(poll!(gone.as_mut()).is_pending());
        let mut stays = pin!(crowd.enter("Silence", "main", None));
        assert!(poll!(stays.as_mut()).is_pending());
        drop(gone);
        drop(seated.pop());
        assert!(stays.now_or_never().is_some());
    }
}
