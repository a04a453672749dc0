//! How much of an answer is read. Whoever answers may be hostile: it costs a bounded part of the memory, and its own instance the wait.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::deadline;
use crate::grafana::error::{Error, Result};

/// The most that an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes.
    pub(super) bytes: usize,
    /// Values within each other and beside each other, roughly: `[{},{},…]` of few bytes would become much memory.
    pub(super) values: usize,
}

impl Size {
    /// One object, or that a write was carried out.
    pub(super) const OBJECT: Self = Self {
        bytes: 4 << 20,
        values: 256 << 10,
    };
    /// Many objects: some 30,000 rules of 2 kB and 120 values.
    pub(super) const LIST: Self = Self {
        bytes: 64 << 20,
        values: 4 << 20,
    };
    /// What somebody at a command line has asked for, in whose process it is.
    #[cfg(feature = "cli")]
    pub(super) const QUESTION: Self = Self {
        values: usize::MAX,
        ..Self::LIST
    };
}

/// How much of each answer is read beside others; of the rest, one answer's at a time.
pub(super) const FREE: usize = 1 << 20;

/// What has been read of an answer, and whether it may be large.
pub(super) struct Share<'a> {
    operation: &'static str,
    most: Size,
    free: usize,
    /// One permit, for whoever reads a large answer.
    large: &'a Semaphore,
    held: Option<SemaphorePermit<'a>>,
    longest: Duration,
    bytes: usize,
    values: Values,
}

impl<'a> Share<'a> {
    pub(super) fn new(
        operation: &'static str,
        most: Size,
        (large, free): (&'a Semaphore, usize),
        longest: Duration,
    ) -> Self {
        Self {
            operation,
            most,
            free,
            large,
            held: None,
            longest,
            bytes: 0,
            values: Values::default(),
        }
    }

    /// Takes a piece of the answer, once it may be taken. It is given back with the answer itself: until that is a value, it is held.
    pub(super) async fn take(&mut self, piece: &[u8]) -> Result<()> {
        let operation = self.operation;
        self.bytes += piece.len();
        if self.bytes > self.most.bytes {
            return Err(Error::TooLarge {
                operation,
                limit: self.most.bytes,
            });
        }
        self.values.pass(piece);
        if self.values.seen > self.most.values {
            return Err(Error::TooMany {
                operation,
                limit: self.most.values,
            });
        }
        if self.bytes > self.free && self.held.is_none() {
            let turn = deadline::waiting(timeout(self.longest, self.large.acquire())).await;
            let turn = turn.map_err(|_| Error::Timeout { operation })?;
            // Nobody closes it.
            self.held = turn.ok();
        }
        Ok(())
    }
}

/// Counts values in JSON that comes piece by piece.
#[derive(Debug, Default)]
struct Values {
    seen: usize,
    is_quoted: bool,
    is_escaped: bool,
}

impl Values {
    fn pass(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.is_quoted => self.is_escaped = true,
                b'"' => self.is_quoted = !self.is_quoted,
                b',' | b'[' | b'{' if !self.is_quoted => self.seen += 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_however_they_come_and_not_within_texts() {
        let text = br#"[{"a,[{\",":[1,2,"\\"]},{}]"#;
        for size in 1..=text.len() {
            let mut values = Values::default();
            text.chunks(size).for_each(|piece| values.pass(piece));
            assert_eq!(values.seen, 7, "{size}");
        }
    }
}
