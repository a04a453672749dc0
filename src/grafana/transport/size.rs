//! How much of an answer is read. Whoever answers may be hostile: it costs a bounded part of the memory, and its own instance the wait.

use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::deadline;
use crate::grafana::error::{Error, Result};
use crate::json::quotes::Quotes;

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
    /// Some hundreds or thousands of objects, or a page of them.
    pub(super) const LIST: Self = Self {
        bytes: 16 << 20,
        values: 1 << 20,
    };
    /// What there may be most of: some 30,000 rules of 2 kB and 120 values.
    pub(super) const MANY: Self = Self {
        bytes: 64 << 20,
        values: 4 << 20,
    };
    /// What somebody at a command line has asked for, in whose process it is.
    #[cfg(feature = "cli")]
    pub(super) const QUESTION: Self = Self {
        values: usize::MAX,
        ..Self::MANY
    };
}

/// How much of each answer is read beside others; of the rest, one answer's of a Grafana at a time.
pub(super) const FREE: usize = 1 << 20;

/// What large answers of all Grafanas may have together, in KiB: two of the largest, so that one that means harm leaves as much to others.
const TOGETHER: u32 = 128 << 10;

/// What this process may hold of large answers, whosever they are.
pub(super) static BUDGET: Budget = Budget::new(TOGETHER);

/// What may be held of large answers at the same time. Each has all that it may become set aside before more of it is read: so none waits for
/// another half-read one.
pub(super) struct Budget {
    left: Semaphore,
    all: u32,
    #[cfg(test)]
    pub(super) counted: counted::Counted,
}

impl Budget {
    /// One of so many KiB.
    pub(super) const fn new(all: u32) -> Self {
        Self {
            left: Semaphore::const_new(all as usize),
            all,
            #[cfg(test)]
            counted: counted::Counted::new(),
        }
    }

    pub(super) async fn set_aside(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let wanted = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        // Nobody closes it.
        self.left.acquire_many(wanted.min(self.all)).await.ok()
    }
}

/// What has been read of an answer, and whether it may be large.
pub(super) struct Share<'a> {
    operation: &'static str,
    most: Size,
    free: usize,
    /// One permit, for whoever reads a large answer of this Grafana.
    large: &'a Semaphore,
    budget: &'a Budget,
    held: Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)>,
    /// When it must have been read.
    pub(super) until: Instant,
    bytes: usize,
    values: Values,
}

impl<'a> Share<'a> {
    pub(super) fn new(
        operation: &'static str,
        most: Size,
        free: usize,
        (large, budget): (&'a Semaphore, &'a Budget),
        until: Instant,
    ) -> Self {
        Self {
            operation,
            most,
            free,
            large,
            budget,
            held: None,
            until,
            bytes: 0,
            values: Values::default(),
        }
    }

    /// Takes a piece of the answer, once it may be taken. It is given back with the answer itself: until that is a value, it is held.
    pub(super) async fn take(&mut self, piece: &[u8]) -> Result<()> {
        let operation = self.operation;
        self.bytes += piece.len();
        #[cfg(test)]
        self.budget.counted.takes(piece.len());
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
            let began = Instant::now();
            self.held = deadline::waiting(self.turn()).await;
            // Whoever it was that took this time, it wasn't the Grafana that answers. Each that has a turn has a deadline.
            self.until += began.elapsed();
        }
        Ok(())
    }

    /// The turn among the answers of its Grafana comes first: of one that means harm no more than one answer has something set aside.
    async fn turn(&self) -> Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)> {
        let turn = self.large.acquire().await.ok()?;
        Some((turn, self.budget.set_aside(self.most.bytes).await?))
    }
}

#[cfg(test)]
impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.counted.gives_back(self.bytes);
    }
}

/// How many bytes of answers are held, in tests.
#[cfg(test)]
pub(super) mod counted {
    use std::sync::atomic::{AtomicUsize, Ordering};

    pub(in crate::grafana::transport) struct Counted {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Counted {
        pub(super) const fn new() -> Self {
            Self {
                now: AtomicUsize::new(0),
                most: AtomicUsize::new(0),
            }
        }

        pub(super) fn takes(&self, bytes: usize) {
            let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
            self.most.fetch_max(now, Ordering::Relaxed);
        }

        pub(super) fn gives_back(&self, bytes: usize) {
            self.now.fetch_sub(bytes, Ordering::Relaxed);
        }

        /// The most at a time.
        pub(in crate::grafana::transport) fn most(&self) -> usize {
            self.most.load(Ordering::Relaxed)
        }
    }
}

/// Counts values in JSON that comes piece by piece.
#[derive(Debug, Default)]
struct Values {
    seen: usize,
    quotes: Quotes,
}

impl Values {
    fn pass(&mut self, piece: &[u8]) {
        let Self { seen, quotes } = self;
        quotes.outside(piece, |byte| {
            *seen += usize::from(matches!(byte, b',' | b'[' | b'{'));
        });
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
