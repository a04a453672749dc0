//! All contracts as tests: one for each contract and version.

use std::{
    collections::HashMap,
    process,
    sync::{Arc, OnceLock},
};

use alertwright_testbed::grafana::Version;
use libtest_mimic::{Failed, Trial};
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use super::{
    call::Call,
    contract::{Contract, Setup},
    exchange,
    report::Calls,
    server::{Given, Server},
    sweep,
};

/// What the contracts are tried on.
#[derive(Debug, Clone)]
pub enum Target {
    /// A double of each of these releases.
    Doubles(Vec<Version>),
    /// A server of somebody's, which has this version.
    Given(Given, Version),
}

impl Target {
    /// The server of the environment if there is one; else a double of each release.
    pub async fn from_env() -> Result<Self, String> {
        match Given::from_env()? {
            Some(given) => {
                let version = given.version().await?;
                Ok(Self::Given(given, version))
            }
            None => Ok(Self::Doubles(Version::RELEASES.to_vec())),
        }
    }
}

/// A server that is started when the first test needs it. Tests take turns on it, so that none changes what another
/// one looks at.
type Slot = Arc<OnceLock<Result<Mutex<Server>, String>>>;

/// All contracts, and the servers that they are tried on.
#[derive(Debug)]
pub struct Suite {
    runtime: Arc<Runtime>,
    target: Target,
    slots: HashMap<(Version, Setup), Slot>,
    calls: Arc<Mutex<Calls>>,
}

impl Suite {
    /// A suite on a target.
    pub fn new(runtime: Runtime, target: Target) -> Self {
        Self {
            runtime: Arc::new(runtime),
            target,
            slots: HashMap::new(),
            calls: Arc::default(),
        }
    }

    /// The versions that are tried.
    pub fn versions(&self) -> Vec<Version> {
        match &self.target {
            Target::Doubles(versions) => versions.clone(),
            Target::Given(_, version) => vec![*version],
        }
    }

    /// The tests: of each contract all versions, so that tests beside each other run on several servers.
    pub fn trials(&mut self, contracts: &[(&'static str, Arc<Contract>)]) -> Vec<Trial> {
        let versions = self.versions();
        let mut trials = Vec::new();
        for (number, (area, contract)) in contracts.iter().enumerate() {
            for &version in &versions {
                trials.extend(self.trial(area, contract, version, number));
            }
        }
        trials
    }

    fn trial(
        &mut self,
        area: &str,
        contract: &Arc<Contract>,
        version: Version,
        number: usize,
    ) -> Option<Trial> {
        let case = contract.of(version)?;
        let name = format!("{version}: {} {}", contract.subject, case.outcome);
        let calls = || contract.given.iter().chain(&case.calls);
        if let Some(why) = self.cannot(contract, calls()) {
            let trial = Trial::test(format!("{name} ({why})"), || Ok(()));
            return Some(trial.with_kind(area).with_ignored_flag(true));
        }
        let setup = match self.target {
            Target::Doubles(_) => contract.setup.clone(),
            Target::Given(..) => Setup::default(),
        };
        let key = (version, setup.clone());
        let slot = self.slots.entry(key).or_default().clone();
        let (target, runtime, all) = (self.target.clone(), self.runtime.clone(), self.calls.clone());
        let (contract, told) = (contract.clone(), name.clone());
        let trial = Trial::test(name, move || {
            let server = slot.get_or_init(|| {
                let run = format!("ct{:04x}", process::id() & 0xffff);
                let start = async {
                    match target {
                        Target::Doubles(_) => Server::double(version, &setup, run).await,
                        Target::Given(given, _) => Server::given(given, run).await,
                    }
                };
                runtime.block_on(start).map(Mutex::new)
            });
            let mut server = server.as_ref().map_err(Failed::from)?.lock();
            let case = contract.of(version).ok_or("the contract has no such case")?;
            let outcome = runtime.block_on(exchange::run(&mut server, &contract, case, number));
            all.lock().add(&told, outcome.rows);
            outcome.failure.map_or(Ok(()), |failure| Err(failure.into()))
        });
        Some(trial.with_kind(area))
    }

    /// Why a contract can't be tried on a server of somebody's.
    fn cannot<'a>(
        &self,
        contract: &Contract,
        mut calls: impl Iterator<Item = &'a Call> + Clone,
    ) -> Option<&'static str> {
        let Target::Given(given, _) = &self.target else {
            return None;
        };
        if !contract.setup.settings.is_empty() {
            return Some("needs a server with other settings");
        }
        if !given.is_token() {
            return None;
        }
        if calls.clone().any(sweep::is_about_the_server) {
            return Some("needs an administrator of the server");
        }
        calls
            .any(sweep::is_about_the_organisation)
            .then_some("needs an organisation of its own")
    }

    /// Ends the servers and removes what was made on them; gives all calls that were made.
    pub fn end(self) -> (Calls, Vec<String>) {
        let mut mistakes = Vec::new();
        for slot in self.slots.into_values() {
            if let Some(Ok(server)) = slot.get() {
                let left = self.runtime.block_on(server.lock().leave());
                mistakes.extend(left.err());
            }
        }
        (std::mem::take(&mut self.calls.lock()), mistakes)
    }
}
