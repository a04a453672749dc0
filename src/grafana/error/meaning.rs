//! What Grafana's refusals mean, by their names and their words, in every version.

use std::ops::Range;

/// What an answer says beyond its status. Grafana 10.0 answers 500 to most of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Provenance,
    TitleTaken,
    UidTaken,
    LostRace,
    InUse,
    Quota,
    Invalid,
    Missing,
    /// There is one policy tree, and no other.
    OneTree,
    FolderMissing,
    /// There are more folders above one than Grafana allows.
    TooDeep,
    /// The rule is another one than was thought: one without a group.
    NoGroup,
}

impl Meaning {
    /// Names of errors: what the provisioning API gives as `messageId`, and `/apis` as `details.uid`.
    const IDS: [(&str, Self); 21] = [
        ("folder.maximum-depth-reached", Self::TooDeep),
        ("alerting.provenanceMismatch", Self::Provenance),
        ("alerting.notifications.invalidProvenance", Self::Provenance),
        ("alerting.alert-rule.conflict", Self::TitleTaken),
        (
            "alerting.notifications.alertmanager.versionConflict",
            Self::LostRace,
        ),
        ("alerting.notifications.conflict", Self::LostRace),
        ("alerting.notifications.receivers.conflict", Self::LostRace),
        ("alerting.notifications.routes.conflict", Self::LostRace),
        ("alerting.notifications.contact-points.uidInUse", Self::UidTaken),
        ("alerting.notifications.receivers.exists", Self::UidTaken),
        ("alerting.notifications.routes.exists", Self::UidTaken),
        ("alerting.notifications.time-intervals.nameExists", Self::UidTaken),
        ("alerting.notifications.templates.nameExists", Self::UidTaken),
        (
            "alerting.notifications.inhibition-rules.nameExists",
            Self::UidTaken,
        ),
        ("alerting.notifications.contact-points.referenced", Self::InUse),
        ("alerting.notifications.contact-points.used-by-rule", Self::InUse),
        ("alerting.notifications.receivers.used", Self::InUse),
        ("alerting.notifications.time-intervals.used", Self::InUse),
        ("alerting.notifications.templates.used", Self::InUse),
        ("alerting.notifications.routes.used", Self::InUse),
        (
            "alerting.notifications.routes.multipleNotSupported",
            Self::OneTree,
        ),
    ];

    /// What says more than the name of the error does: from 12.1 on a uid that is taken has that of a taken title.
    const TEXTS_BEFORE_IDS: [(&str, Self); 1] = [(
        "rule UID under the same organisation should be unique",
        Self::UidTaken,
    )];

    const TEXTS: [(&str, Self); 31] = [
        ("Maximum nested folder depth reached", Self::TooDeep),
        // That of the newer API below, without a name of the error and with 500 (pkg/registry/apis/folders/validate.go).
        ("folder max depth exceeded", Self::TooDeep),
        ("cannot change provenance from", Self::Provenance),
        ("with provided provenance", Self::Provenance),
        ("cannot be managed via API that handles", Self::Provenance),
        (
            "rule title under the same organisation and folder should be unique",
            Self::TitleTaken,
        ),
        ("alerting.alert-rule.conflict", Self::TitleTaken),
        ("could not find object using provided id and hash", Self::LostRace),
        ("optimistic lock", Self::LostRace),
        ("is currently used by a notification policy", Self::InUse),
        (
            "is currently used in notification settings by one or many alert rules",
            Self::InUse,
        ),
        ("quota has been exceeded", Self::Quota),
        // What the endpoints of folders and data sources say (pkg/middleware/quota.go).
        ("Quota reached", Self::Quota),
        ("unknown NoData state option", Self::Invalid),
        ("invalid alert query", Self::Invalid),
        ("because could not find alert rule", Self::Missing),
        ("folder does not exist", Self::FolderMissing),
        ("cannot move rule out of this group", Self::NoGroup),
        ("cannot set group when updating un-grouped rule", Self::NoGroup),
        ("already exist in contact point", Self::UidTaken),
        // Of a contact point as a whole (`validateReceiver` in pkg/services/ngalert/notifier/legacy_storage/receivers.go).
        ("integration with UID \"", Self::UidTaken),
        ("a mute timing with this name already exists", Self::UidTaken),
        ("unknown Error state option", Self::Invalid),
        // What the storages of /apis say without a name of the error, some of it with 500
        // (pkg/registry/apps/alerting/rules/alertrule/{compat,legacy_storage}.go).
        ("no query marked as source", Self::Invalid),
        ("multiple queries marked as source", Self::Invalid),
        ("generate-name is not supported", Self::Invalid),
        // That of the stored object, which nothing else than it can be: what is sent has one that there is.
        ("invalid provenance status", Self::Provenance),
        ("folder is required", Self::Invalid),
        ("manager properties", Self::Provenance),
        // Kubernetes' words for a version that isn't the stored one (k8s.io/apiserver, registry.OptimisticLockErrorMsg).
        ("the object has been modified", Self::LostRace),
        // Behind it stands what is wrong: all that has a meaning of its own comes before.
        ("invalid alert rule", Self::Invalid),
    ];

    pub(super) fn of(status: u16, message: &str, message_id: Option<&str>) -> Option<Self> {
        let by_id = || Self::IDS.iter().find(|(id, _)| message_id == Some(id));
        let by_text =
            |texts: &'static [(&'static str, Self)]| texts.iter().find(|(text, _)| message.contains(text));
        by_text(&Self::TEXTS_BEFORE_IDS)
            .or_else(by_id)
            .or_else(|| by_text(&Self::TEXTS))
            .map(|(_, meaning)| *meaning)
            .or_else(|| (status == 403 && is_of_provenance(message)).then_some(Self::Provenance))
            .or_else(|| {
                (status == 403 && message_id.is_none() && is_of_admission(message)).then_some(Self::Invalid)
            })
    }

    /// The name of an error, if it is one that is known.
    pub(super) fn name(id: &str) -> Option<&'static str> {
        let mut names = Self::IDS.iter().map(|(name, _)| *name);
        names.find(|name| *name == id)
    }

    /// Where in a message the words stand by which it is understood.
    pub(super) fn words(message: &str) -> Vec<Range<usize>> {
        let texts = Self::TEXTS_BEFORE_IDS.iter().chain(&Self::TEXTS);
        let texts = texts
            .map(|(text, _)| *text)
            .chain([PROVENANCE, PERMISSIONS, ADMISSION]);
        let texts = texts.chain(RIGHTS);
        let found = texts.filter_map(|text| Some((message.find(text)?, text.len())));
        found.map(|(at, length)| at..at + length).collect()
    }
}

const PROVENANCE: &str = "provenance";
const PERMISSIONS: &str = "ermissions";

/// Whether a refusal speaks of whose an object is, and not of a right to set that. Patch releases word it differently.
fn is_of_provenance(message: &str) -> bool {
    message.contains(PROVENANCE) && !message.contains(PERMISSIONS)
}

const ADMISSION: &str = " is forbidden: ";

/// What a refusal says that is about the caller: Kubernetes' own words (k8s.io/apiserver, responsewriters.Forbidden) and those of Grafana's checks.
const RIGHTS: [&str; 4] = ["User \"", PERMISSIONS, "authorized", "not a member"];

/// Whether a refusal is about the object and not about the caller. Below `/apis` an admission that minds an object answers 403 whatever it minds, in the
/// form of a missing right and without a name of the error (grafana-app-sdk, `k8s/apiserver/admission.go`; k8s.io/apiserver, admission.NewForbidden).
fn is_of_admission(message: &str) -> bool {
    message
        .split_once(ADMISSION)
        .is_some_and(|(_, why)| !RIGHTS.iter().any(|right| why.contains(right)))
}
