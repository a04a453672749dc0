//! What it was measured on.

use std::{fs, path::Path, thread};

use crate::figure::megabytes;

/// The machine and the parts, as a line of Markdown.
pub(crate) fn describe(operator: &Path, grafana: &str) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str, field: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field))?.to_owned();
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = read("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = read("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: u64 = memory
        .split(' ')
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let size = fs::metadata(operator).map_or(0, |file| file.len());
    format!(
        "{cores} cores ({model}), {} GiB of memory, load {load} at the start; {grafana}, rules evaluated by Loki's engine, \
         all parts on this machine; the operator's binary has {:.1} MB (must be: ≤ 15 MB).",
        kib.div_ceil(1 << 20),
        megabytes(size)
    )
}
