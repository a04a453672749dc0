//! Tests by release of Grafana: which a test holds for, on which it runs, and what was not run.
//!
//! A test says which releases it holds for by its attribute: [`every_release`](crate::every_release) and its kind make one
//! test of each release (`smoke::every_kind::v10_4_0`), [`any_release`](crate::any_release) one test on the release that
//! is chosen. Within it [`crate::grafana::Options::default`] is of that release.
//!
//! From 13.0 on a Grafana has two APIs for what alerting is made of, and a test of every release is one for each: by the [`Door`] that the operator
//! goes through. `GRAFANA_DOOR` (`provisioning` or `platform`) chooses one for the tests of the chosen release; without it they take what the
//! operator takes by itself.
//!
//! On a real Grafana (`GRAFANA_URL`, `GRAFANA_IMAGE`) there is one release only. Of a test's releases the newest that isn't
//! newer than the real one runs. What needs more than the Grafana at hand has ([`Need`]) ends where it needs it. libtest
//! knows no such end and counts it as passed; so it is said at once on standard error, and in the account that
//! `tests/testbed/by-release` prints at the end of `make test`.

use std::{
    fmt,
    fs::File,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::grafana::{Source, Version, version};

/// What not every Grafana has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// That it can be stopped, killed and started again.
    Restart,
    /// That rules are evaluated each second.
    FastRules,
    /// That mails go to a server of the test's.
    Mail,
    /// That events for `PagerDuty` go to a server of the test's.
    PagerDuty,
    /// Settings of the test's.
    Settings,
    /// Faults that only a server can have, on demand.
    Faults,
    /// That kinds of alerting can be watched.
    Watch,
    /// Accounts that hold single rights.
    Rights,
    /// That another release can be started in its place.
    Upgrade,
}

impl Need {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Restart => "it needs a Grafana that it may stop",
            Self::FastRules => "it needs rules that are evaluated each second",
            Self::Mail => "it needs a mail server of its own",
            Self::PagerDuty => "it needs another address for PagerDuty",
            Self::Settings => "it needs settings of its own",
            Self::Faults => "it needs faults on demand",
            Self::Watch => "it needs alerting that can be watched",
            Self::Rights => "it needs accounts with single rights",
            Self::Upgrade => "it needs another release in its place",
        }
    }
}

/// Where a test stands, and where its outcome is written down.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The test's path.
    pub name: &'static str,
    /// The file of the account, which this test binary writes anew.
    pub account: &'static str,
}

/// The API of Grafana that an operator goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/api` alone, as behind a gateway that lets nothing else through.
    Provisioning,
    /// `/apis` wherever it is there, for rules too.
    Platform,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Platform => "platform",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Provisioning, Self::Platform]
            .into_iter()
            .find(|door| door.name() == name)
    }

    fn of_environment() -> Option<Self> {
        match std::env::var("GRAFANA_DOOR") {
            Ok(name) if !name.is_empty() => Some(
                Self::named(&name)
                    .unwrap_or_else(|| panic!("GRAFANA_DOOR: write provisioning or platform, not {name}")),
            ),
            _ => None,
        }
    }
}

/// Where a trial runs.
#[derive(Debug, Clone, Copy)]
struct Place {
    release: Version,
    door: Option<Door>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, door } = self;
        match door {
            None => write!(f, "{release}"),
            Some(door) => write!(f, "{release} {}", door.name()),
        }
    }
}

tokio::task_local! {
    static PLACE: Place;
}

/// The release of the trial that runs here.
pub(crate) fn release() -> Option<Version> {
    PLACE.try_with(|place| place.release).ok()
}

/// The API that the operator of the trial that runs here is to go through; none where it chooses by itself.
pub fn door() -> Option<Door> {
    PLACE.try_with(|place| place.door).ok().flatten()
}

/// What a test unwinds with when it can't go on here.
struct NotRun(String);

/// Ends the test here, as one that was not run.
pub(crate) fn not_run(reason: &str) {
    // No panic: nothing has gone wrong, and no message of its own is wanted.
    resume_unwind(Box::new(NotRun(reason.to_owned())));
}

/// Runs a test on the release that is chosen.
pub fn on_the_chosen(trial: Trial, test: impl Future<Output = ()>) {
    let release = match real() {
        Some(version) => version,
        None => Version::chosen(),
    };
    let door = Door::of_environment().filter(|_| release.since(13, 0));
    run(trial, Place { release, door }, test);
}

/// Runs a test on a release, `v10_4_0`, and perhaps through one of its APIs, `v13_0_0_platform`; on a real Grafana only if that is the nearest to it.
pub fn on(trial: Trial, release: &str, test: impl Future<Output = ()>) {
    let place = place(release);
    match real() {
        None => run(trial, place, test),
        Some(real) if nearest(real) == Some(place.release) => run(
            trial,
            Place {
                release: real,
                ..place
            },
            test,
        ),
        Some(_) => write_down(trial, place, "of another release", "", Duration::ZERO),
    }
}

/// Reads `v13_0_0_platform`.
fn place(text: &str) -> Place {
    let (release, door) = match text.rsplit_once('_') {
        Some((release, name)) if let Some(door) = Door::named(name) => (release, Some(door)),
        _ => (text, None),
    };
    let release = release.trim_start_matches('v').replace('_', ".");
    Place {
        release: release.parse().expect("a release"),
        door,
    }
}

/// The newest of our releases that isn't newer.
fn nearest(real: Version) -> Option<Version> {
    Version::RELEASES.into_iter().rfind(|release| *release <= real)
}

fn run(trial: Trial, place: Place, test: impl Future<Output = ()>) {
    let began = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime().block_on(PLACE.scope(place, test));
    }));
    let took = began.elapsed();
    let Err(payload) = ended else {
        write_down(trial, place, "passed", "", took);
        return;
    };
    let Some(NotRun(reason)) = payload.downcast_ref() else {
        write_down(trial, place, "FAILED", "", took);
        resume_unwind(payload);
    };
    // Past libtest's capture, which shows only what failed tests say.
    let name = trial.name;
    let _ = writeln!(std::io::stderr(), "test {name} is NOT RUN on {place}: {reason}");
    write_down(trial, place, "not run", reason, took);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The release of the real Grafana at hand; none where it is the double.
fn real() -> Option<Version> {
    static REAL: OnceLock<Result<Option<Version>, String>> = OnceLock::new();
    let real = REAL.get_or_init(|| {
        let source = Source::chosen().map_err(|error| error.to_string())?;
        match source {
            Source::Double => Ok(None),
            Source::Image(image) => Source::tagged(&image.name).map(Some).ok_or_else(|| {
                format!(
                    "GRAFANA_IMAGE={} has no release for a tag; use one that has",
                    image.name
                )
            }),
            Source::Running(running) => runtime()
                .block_on(version::asked(&running))
                .map(Some)
                .map_err(|error| error.to_string()),
        }
    });
    real.as_ref().copied().unwrap_or_else(|error| panic!("{error}"))
}

/// Adds a line to the account: release and API, outcome, seconds, name, reason; by tabs.
fn write_down(trial: Trial, place: Place, outcome: &str, reason: &str, took: Duration) {
    static ACCOUNTS: Mutex<Vec<(PathBuf, File)>> = Mutex::new(Vec::new());
    let path = Path::new(trial.account);
    let mut accounts = ACCOUNTS.lock();
    if !accounts.iter().any(|(other, _)| other == path) {
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        accounts.push((path.to_owned(), file));
    }
    // The crate's own name says nothing among the tests of one crate.
    let name = trial.name.split_once("::").map_or(trial.name, |(_, name)| name);
    let line = format!(
        "{place}\t{outcome}\t{:.1}\t{name}\t{reason}\n",
        took.as_secs_f64()
    );
    if let Some((_, file)) = accounts.iter_mut().find(|(other, _)| other == path) {
        file.write_all(line.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// For `#[apply(any_release)]`: the test holds for every release, and runs on the one that is chosen: the current one, or
/// `GRAFANA_VERSION`'s.
#[macro_export]
macro_rules! any_release {
    ($(#[$meta:meta])* async fn $name:ident() $body:block) => {
        $(#[$meta])*
        #[test]
        fn $name() {
            let trial = $crate::trial!(concat!(module_path!(), "::", stringify!($name)));
            $crate::trial::on_the_chosen(trial, async $body);
        }
    };
}

/// For `#[apply(every_release)]`: the test holds for every release, and runs on each, through each of its APIs. Where they differ, it says how.
#[macro_export]
macro_rules! every_release {
    ($($test:tt)*) => {
        $crate::on_releases! {
            v10_0_0 v10_4_0 v11_6_0 v12_4_0
            v13_0_0_provisioning v13_0_0_platform v13_3_0_provisioning v13_3_0_platform;
            $($test)*
        }
    };
}

/// For `#[apply(with_groups)]`: the test is about groups of rules, which only the older API writes. It holds for every release, and runs on each
/// through that.
#[macro_export]
macro_rules! with_groups {
    ($($test:tt)*) => {
        $crate::on_releases! {
            v10_0_0 v10_4_0 v11_6_0 v12_4_0 v13_0_0_provisioning v13_3_0_provisioning;
            $($test)*
        }
    };
}

/// For `#[apply(below_12)]`: the test holds for releases before 12.0, and runs on each.
#[macro_export]
macro_rules! below_12 {
    ($($test:tt)*) => { $crate::on_releases! { v10_0_0 v10_4_0 v11_6_0; $($test)* } };
}

/// For `#[apply(since_11_6)]`: the test holds for 11.6 and later releases, and runs on each.
#[macro_export]
macro_rules! since_11_6 {
    ($($test:tt)*) => { $crate::on_releases! { v11_6_0 v12_4_0 v13_0_0 v13_3_0; $($test)* } };
}

/// For `#[apply(since_12)]`: the test holds for 12.0 and later releases, and runs on each.
#[macro_export]
macro_rules! since_12 {
    ($($test:tt)*) => { $crate::on_releases! { v12_4_0 v13_0_0 v13_3_0; $($test)* } };
}

/// For `#[apply(since_13)]`: the test holds for 13.0 and later releases, and runs on each.
#[macro_export]
macro_rules! since_13 {
    ($($test:tt)*) => { $crate::on_releases! { v13_0_0 v13_3_0; $($test)* } };
}

/// One test for each of the releases, in a module of the test's name.
#[macro_export]
#[doc(hidden)]
macro_rules! on_releases {
    ($($release:ident)*; $(#[$meta:meta])* async fn $name:ident() $body:block) => {
        $(#[$meta])*
        async fn $name() $body

        mod $name {
            $(
                #[test]
                fn $release() {
                    $crate::trial::on($crate::trial!(module_path!()), stringify!($release), super::$name());
                }
            )*
        }
    };
}

/// A trial whose account lies in the test crate's folder for such files.
#[macro_export]
#[doc(hidden)]
macro_rules! trial {
    ($name:expr) => {
        $crate::trial::Trial {
            name: $name,
            account: concat!(
                env!("CARGO_TARGET_TMPDIR"),
                "/",
                env!("CARGO_CRATE_NAME"),
                ".trials"
            ),
        }
    };
}
