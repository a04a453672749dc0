//! The words that Grafana's expressions have, of all releases together: a newer one may have more.

/// The types of expressions.
pub(in super::super) const TYPES: [&str; 7] = [
    "math",
    "reduce",
    "resample",
    "threshold",
    "classic_conditions",
    "sql",
    "hysteresis",
];

/// What makes one number of a series.
pub(in super::super) const REDUCERS: [&str; 7] = ["last", "mean", "min", "max", "sum", "count", "median"];

/// The same in classic conditions, which have names of their own.
pub(in super::super) const CLASSIC_REDUCERS: [&str; 12] = [
    "avg",
    "min",
    "max",
    "sum",
    "count",
    "last",
    "median",
    "diff",
    "diff_abs",
    "percent_diff",
    "percent_diff_abs",
    "count_non_null",
];

/// What becomes of what is no number, before a series is reduced.
pub(in super::super) const MODES: [&str; 3] = ["", "dropNN", "replaceNN"];

/// What takes the place of several points, where points are put at even distances.
pub(in super::super) const DOWNSAMPLERS: [&str; 6] = ["last", "mean", "min", "max", "sum", "median"];

/// What fills the gaps there.
pub(in super::super) const UPSAMPLERS: [&str; 3] = ["pad", "backfilling", "fillna"];

/// What joins classic conditions.
pub(in super::super) const OPERATORS: [&str; 3] = ["and", "or", "logic-or"];

/// Comparisons, and with how many numbers.
pub(in super::super) const COMPARISONS: [(&str, usize); 10] = [
    ("gt", 1),
    ("lt", 1),
    ("eq", 1),
    ("ne", 1),
    ("gte", 1),
    ("lte", 1),
    ("within_range", 2),
    ("outside_range", 2),
    ("within_range_included", 2),
    ("outside_range_included", 2),
];

/// How many numbers a comparison needs; `None` where there is no such.
pub(in super::super) fn numbers(comparison: &str) -> Option<usize> {
    let mut all = COMPARISONS.iter();
    all.find(|(name, _)| *name == comparison).map(|(_, count)| *count)
}
