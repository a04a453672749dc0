//! What a program costs.

use std::time::Duration;

/// A program's memory and processor time, as Linux counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in bytes (`VmRSS`).
    pub resident: u64,
    /// The largest resident memory so far, in bytes (`VmHWM`).
    pub peak: u64,
    /// Processor time since its start, user and system.
    pub cpu: Duration,
}

impl Usage {
    /// The usage of a process; `None` when it is gone, or where there is no `/proc`.
    pub fn of(process: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Self::parse(&status, &stat)
    }

    fn parse(status: &str, stat: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
                .map(|kib| kib * 1024)
        };
        // The second field, the program's name in parentheses, may contain spaces; utime and stime are fields 14 and 15.
        let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: u64 = fields.take(2).map_while(|field| field.parse::<u64>().ok()).sum();
        // USER_HZ is 100 on every platform of Linux.
        let cpu = Duration::from_millis(ticks * 10);
        Some(Self {
            resident: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
            cpu,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc_even_when_the_name_has_spaces() {
        let status = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n";
        let stat = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        let usage = Usage {
            resident: 1 << 20,
            peak: 2 << 20,
            cpu: Duration::from_secs(2),
        };
        assert_eq!(Usage::parse(status, stat), Some(usage));
    }
}
