//! Why a wish can't be carried out as it stands.

use serde_json::Value;

use crate::api::condition::Reason;
use crate::api::schema::FREE_FORM_LEVELS;
use crate::json::shallow::is_deeper;

/// A reason from the list that users may rely on, and a message that names the field and the cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason for `Ready=False`.
    pub reason: Reason,
    /// What is wrong and what helps.
    pub message: String,
    /// Whether it is as good as over: what is missing is there as a resource, and has said nothing of itself yet.
    pub is_coming: bool,
}

/// A number of things, in words: `1 rule`, `2 rules`.
pub fn counted(count: usize, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{s}")
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            is_coming: false,
        }
    }

    /// The same, said of this place of the specification.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        let message = format!("{place}{}", self.message);
        Self { message, ..self }
    }

    /// The specification is wrong at `field`.
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(Reason::Invalid, format!("{field}: {problem}"))
    }

    /// Something that the resource refers to isn't there.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(Reason::DependencyMissing, message)
    }

    /// Something that the resource refers to isn't there yet, and will be in a moment.
    pub fn coming(message: impl Into<String>) -> Self {
        Self {
            is_coming: true,
            ..Self::missing(message)
        }
    }

    /// Refuses what is nested deeper than free-form fields may be.
    pub fn if_deep(field: &str, value: &Value) -> Result<(), Self> {
        if is_deeper(value, FREE_FORM_LEVELS) {
            let problem = format!(
                "is nested deeper than {FREE_FORM_LEVELS} levels of arrays and objects; write it flatter"
            );
            return Err(Self::invalid(field, problem));
        }
        Ok(())
    }
}
