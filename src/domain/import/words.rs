//! What is said of an AlertRule, in the words of whoever has written the rule that it is made of.

/// The fields of an AlertRule that are called otherwise in a rule for Prometheus.
const FIELDS: [(&str, &str); 8] = [
    ("spec.query", "expr"),
    ("spec.title", "alert"),
    ("spec.for", "for"),
    ("spec.keepFiringFor", "keep_firing_for"),
    ("spec.labels", "labels"),
    ("spec.severity", "labels[severity]"),
    ("spec.annotations", "annotations"),
    ("spec.interval", "its group's interval"),
];

/// A refusal with the field as the source calls it; one of the import's own fields stays as it is.
pub(super) fn of_source(message: &str) -> String {
    let named = FIELDS.iter().find_map(|(ours, theirs)| {
        let rest = message.strip_prefix(ours)?;
        rest.starts_with([':', '[']).then(|| format!("{theirs}{rest}"))
    });
    named.unwrap_or_else(|| message.to_owned())
}
