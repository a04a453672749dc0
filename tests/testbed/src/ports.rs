//! Free TCP ports of 127.0.0.1.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
};

use parking_lot::Mutex;

/// Below the ports that Linux and macOS give to outgoing connections, so that none of those takes a port while the
/// server it belongs to is down for a test of an outage.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nothing listens on, given out only once by this process.
pub fn free() -> u16 {
    let mut taken = TAKEN.lock();
    // A random place to begin keeps test binaries that run side by side apart.
    let begin = RandomState::new().build_hasher().finish() % u64::from(COUNT);
    (0..u64::from(COUNT))
        .filter_map(|step| u16::try_from((begin + step) % u64::from(COUNT)).ok())
        .map(|offset| FIRST + offset)
        .find(|port| !taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .inspect(|port| {
            taken.insert(*port);
        })
        .expect("a free port below 32000")
}
