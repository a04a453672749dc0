//! What every command is made of: what it reads, what it is connected to, what it prints, and how it ends.

#[cfg(feature = "cli")]
pub(super) mod color;
#[cfg(feature = "cli")]
pub(super) mod connect;
#[cfg(feature = "cli")]
pub(super) mod dns;
#[cfg(feature = "cli")]
pub(super) mod document;
pub(super) mod exit;
#[cfg(feature = "cli")]
pub(super) mod files;
#[cfg(feature = "cli")]
pub(super) mod moments;
#[cfg(feature = "cli")]
pub(super) mod print;
#[cfg(feature = "cli")]
pub(super) mod telling;
#[cfg(feature = "cli")]
pub(super) mod terminal;
#[cfg(feature = "cli")]
pub(super) mod written;

#[cfg(feature = "cli")]
pub(super) use connect::names;
