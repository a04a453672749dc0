//! All contracts as tests: one for each contract and version.

use std::{
    collections::HashMap,
    env, process,
    sync::{Arc, OnceLock},
};

use alertwright_testbed::grafana::{Image, Source, Version};
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
enum Target {
    /// A double of each of these releases.
    Doubles(Vec<Version>),
    /// A container of an image, which has this version.
    Image(Image, Version),
    /// A server of somebody's, which has this version.
    Given(Given, Version),
}

/// What all names of this run begin with.
fn run() -> String {
    format!("ct{:04x}", process::id() & 0xffff)
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
    /// A suite on what the environment names: somebody's server or an image, or else a double of `GRAFANA_VERSION`, or of
    /// each release.
    pub fn from_env(runtime: Runtime) -> Result<Self, String> {
        let mut slots = HashMap::new();
        let target = match Given::from_env()? {
            Ok(given) => {
                let version = runtime.block_on(given.version())?;
                Target::Given(given, version)
            }
            Err(Source::Image(image)) => {
                // Only the running server knows its version.
                let source = Source::Image(image.clone());
                let setup = Setup::default();
                let server = runtime.block_on(Server::start(source, Version::CURRENT, &setup, run()))?;
                let version = server.version().ok_or("the container has no version")?;
                let slot = Slot::new(OnceLock::from(Ok(Mutex::new(server))));
                slots.insert((version, setup), slot);
                Target::Image(image, version)
            }
            Err(_) if env::var_os("GRAFANA_VERSION").is_some_and(|version| !version.is_empty()) => {
                Target::Doubles(vec![Version::chosen()])
            }
            Err(_) => Target::Doubles(Version::RELEASES.to_vec()),
        };
        Ok(Self {
            runtime: Arc::new(runtime),
            target,
            slots,
            calls: Arc::default(),
        })
    }

    /// Whether it is a real Grafana.
    pub fn is_real(&self) -> bool {
        !matches!(self.target, Target::Doubles(_))
    }

    /// The versions that are tried.
    pub fn versions(&self) -> Vec<Version> {
        match &self.target {
            Target::Doubles(versions) => versions.clone(),
            Target::Image(_, version) | Target::Given(_, version) => vec![*version],
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
            // It evaluates rules as soon as it can, whatever is asked.
            Target::Image(..) => Setup {
                quick: false,
                settings: contract.setup.settings.clone(),
            },
            Target::Given(..) => Setup::default(),
        };
        let key = (version, setup.clone());
        let slot = self.slots.entry(key).or_default().clone();
        let (target, runtime, all) = (self.target.clone(), self.runtime.clone(), self.calls.clone());
        let (contract, told) = (contract.clone(), name.clone());
        let trial = Trial::test(name, move || {
            let server = slot.get_or_init(|| {
                let start = async {
                    match target {
                        Target::Doubles(_) => Server::start(Source::Double, version, &setup, run()).await,
                        Target::Image(image, _) => {
                            Server::start(Source::Image(image), version, &setup, run()).await
                        }
                        Target::Given(given, _) => Server::given(given, run()).await,
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
