//! When a rule is evaluated over a stretch of the past, and what its data sources are asked for that.
