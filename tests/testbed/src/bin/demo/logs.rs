//! What the application logs, as its rules look for it.

/// Equal log lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    pub(crate) level: &'static str,
    event: &'static str,
    more: (&'static str, &'static str),
}

/// More than 5 in 10 minutes trip `StripePaymentFailures`.
pub(crate) const STRIPE: Lines = lines(9, "error", "stripe_payment_failed", "payment_id", "pi_3L");
/// More than 0.1 a second over 5 minutes, so more than 30, trip `HighErrorRate`.
pub(crate) const EXCEPTIONS: Lines = lines(60, "error", "unhandled_exception", "exception_type", "KeyError");
/// More than 1 a second over 5 minutes, so more than 300, trip `HighAuthFailureRate`.
pub(crate) const LOGINS: Lines = lines(420, "warning", "otp_verification_failed", "user_id", "u1");
/// More than 10 in an hour trip `MissingMandatoryQuestions`.
pub(crate) const QUESTIONNAIRES: Lines = lines(
    15,
    "info",
    "questionnaire_missing_mandatory_questions",
    "form",
    "f1",
);
/// One in 30 minutes trips `GDPRExportFailures`.
pub(crate) const EXPORT: Lines = lines(1, "error", "gdpr_export_failed", "user_id", "u2");
/// More than 10 in 5 minutes trip `DatabaseErrors`.
pub(crate) const DATABASE: Lines = lines(
    14,
    "error",
    "psycopg.OperationalError",
    "detail",
    "connection refused",
);

const fn lines(
    count: usize,
    level: &'static str,
    event: &'static str,
    field: &'static str,
    value: &'static str,
) -> Lines {
    Lines {
        count,
        level,
        event,
        more: (field, value),
    }
}

impl Lines {
    /// The lines themselves, in JSON.
    pub(crate) fn text(&self) -> Vec<String> {
        let (event, (field, value)) = (self.event, self.more);
        let line = format!(r#"{{"event": "{event}", "{field}": "{value}"}}"#);
        vec![line; self.count]
    }
}
