//! Answers of every version, and what they are taken for.

use super::*;

fn refused(status: u16, message: &str) -> Error {
    Error::Status {
        operation: "rules.update",
        status,
        message: cut(message),
        message_id: None,
        retry_after: None,
    }
}

#[test]
fn statuses_have_a_class() {
    for (status, class) in [
        (400, Class::Rejected),
        (401, Class::Forbidden),
        (403, Class::Forbidden),
        (404, Class::Missing),
        (405, Class::Rejected),
        (408, Class::Transient),
        (409, Class::Conflict),
        (412, Class::Conflict),
        (422, Class::Rejected),
        (429, Class::Throttled(None)),
        (500, Class::Transient),
        (501, Class::Rejected),
        (502, Class::Transient),
        (503, Class::Transient),
        (504, Class::Transient),
    ] {
        assert_eq!(refused(status, "").class(), class, "{status}");
    }
}

#[test]
fn only_grafana_knows_whether_something_is_wrong_or_missing() {
    let stranger = |status, retry_after| Error::NotGrafana {
        operation: "rules.update",
        status,
        retry_after,
    };
    for status in [
        301, 302, 307, 400, 404, 405, 409, 410, 412, 413, 422, 431, 501, 502,
    ] {
        assert_eq!(stranger(status, None).class(), Class::Transient, "{status}");
        assert!(stranger(status, None).outcome_unknown(), "{status}");
    }
    let minute = Some(Duration::from_secs(60));
    assert_eq!(stranger(401, None).class(), Class::Forbidden);
    assert_eq!(stranger(403, None).class(), Class::Forbidden);
    assert_eq!(stranger(429, minute).class(), Class::Throttled(minute));
    assert_eq!(stranger(503, minute).class(), Class::Throttled(minute));
    assert!(!stranger(429, minute).outcome_unknown());
    for (status, part) in [
        (302, "redirect"),
        (404, "path"),
        (401, "logged in"),
        (405, "not by grafana"),
    ] {
        let text = stranger(status, None).to_string();
        assert!(
            text.contains(part) && text.contains(&status.to_string()),
            "{text}"
        );
    }
}

#[test]
fn what_grafana_10_answers_with_500_has_the_class_of_its_text() {
    for (message, class) in [
        (
            "could not find object using provided id and hash",
            Class::Conflict,
        ),
        ("optimistic lock: alert rule UID x version 1", Class::Conflict),
        ("cannot change provenance from 'api' to ''", Class::Foreign),
        (
            "cannot delete with provided provenance '', needs 'api'",
            Class::Foreign,
        ),
        (
            "contact point 'x' is currently used by a notification policy",
            Class::Conflict,
        ),
        (
            "receiver configuration with UID 'x' already exist in contact point 'y'. Please",
            Class::Conflict,
        ),
        ("unknown NoData state option Bad", Class::Rejected),
        (
            "invalid alert query A: invalid relative time range: {From:0s To:0s}",
            Class::Rejected,
        ),
        (
            "failed to update rule with UID x because could not find alert rule",
            Class::Missing,
        ),
        (
            "contact point 'x' is currently used in notification settings by one or many alert rules",
            Class::Conflict,
        ),
        ("failed to commit: quota has been exceeded", Class::Rejected),
    ] {
        let error = refused(500, message);
        assert_eq!(error.class(), class, "{message}");
        assert!(!error.outcome_unknown(), "{message}");
    }
}

#[test]
fn a_taken_title_is_told_from_other_conflicts_in_every_version() {
    let text = "a conflicting alert rule is found: rule title under the same organisation and folder should be unique";
    assert!(refused(500, text).is_title_conflict());
    assert!(refused(400, "[alerting.alert-rule.conflict] conflicting alert rule found").is_title_conflict());
    let named = Error::Status {
        operation: "rules.create",
        status: 409,
        message: "Failed to save alert rule".to_owned(),
        message_id: Some("alerting.alert-rule.conflict".to_owned()),
        retry_after: None,
    };
    assert!(named.is_title_conflict());
    assert_eq!(named.class(), Class::Conflict);
    assert!(!refused(409, "version conflict").is_title_conflict());
    assert!(
        refused(
            500,
            "contact point 'x' is currently used in notification settings by one or many alert rules"
        )
        .is_in_use()
    );
}

fn named(status: u16, id: &str, message: &str) -> Error {
    Error::Status {
        operation: "rules.create",
        status,
        message: message.to_owned(),
        message_id: Some(id.to_owned()),
        retry_after: None,
    }
}

#[test]
fn a_uid_that_is_taken_is_no_title_though_the_error_has_one_name() {
    let taken = named(
        409,
        "alerting.alert-rule.conflict",
        "Failed to save alert rule 'x' in organization 1 due to conflict: rule UID under the same organisation should be unique",
    );
    assert!(!taken.is_title_conflict());
    assert_eq!(taken.class(), Class::Conflict);
    assert!(!taken.changed_nothing(), "the rule of that uid may be ours");
}

#[test]
fn a_contact_point_of_another_provenance_is_foreign_in_every_patch_release() {
    let mismatch = "cannot change provenance from 'file' to 'api'";
    let other = "Resource with provenance status 'file' cannot be managed via API that handles resources with provenance status 'api'";
    for error in [
        refused(500, mismatch),
        refused(403, mismatch),
        refused(403, other),
        refused(403, "the stored provenance is another one"),
        refused(409, mismatch),
        refused(409, other),
        named(403, "alerting.notifications.invalidProvenance", "Forbidden"),
        named(409, "alerting.provenanceMismatch", "Conflict"),
    ] {
        assert_eq!(error.class(), Class::Foreign, "{error}");
    }
    for message in [
        "user is not authorized to set provenance: required permissions: alert.provisioning.provenance:write",
        "You'll need additional permissions to perform this action. Permissions needed: alert.provisioning.provenance:write",
        "no access",
    ] {
        assert_eq!(refused(403, message).class(), Class::Forbidden, "{message}");
    }
}

#[test]
fn names_of_errors_mean_the_same_through_either_api() {
    for (status, id, class) in [
        (409, "alerting.notifications.receivers.conflict", Class::Conflict),
        (409, "alerting.notifications.receivers.used", Class::Conflict),
        (409, "alerting.notifications.routes.conflict", Class::Conflict),
        // A name that is taken: nothing is wrong with what was sent.
        (
            400,
            "alerting.notifications.time-intervals.nameExists",
            Class::Conflict,
        ),
        (
            400,
            "alerting.notifications.templates.nameExists",
            Class::Conflict,
        ),
        (
            400,
            "alerting.notifications.inhibition-rules.nameExists",
            Class::Conflict,
        ),
    ] {
        assert_eq!(named(status, id, "").class(), class, "{id}");
    }
    let taken = "invalid object specification: a mute timing with this name already exists";
    assert_eq!(refused(400, taken).class(), Class::Conflict);
    assert!(named(409, "alerting.notifications.receivers.used", "").is_in_use());
    assert!(!named(409, "alerting.notifications.receivers.conflict", "").is_in_use());
}

#[test]
fn a_rule_whose_folder_is_gone_is_not_wrong_by_itself() {
    let error = refused(400, "invalid alert rule: folder does not exist");
    assert!(error.is_folder_missing());
    assert_eq!(error.class(), Class::Missing);
    assert!(error.changed_nothing());
}

#[test]
fn what_is_wrong_by_itself_is_rejected_though_its_storage_says_500() {
    for message in [
        "no query marked as source",
        "failed to convert to domain model: multiple queries marked as source: A and B",
        "generate-name is not supported in legacy storage mode",
        "invalid alert rule: title is empty",
        "quota has been exceeded",
    ] {
        let error = refused(500, message);
        assert_eq!(error.class(), Class::Rejected, "{message}");
        assert!(!error.outcome_unknown(), "{message}");
    }
}

/// What the admission of a rule says: its form, and by what it minds.
fn admission(why: &str) -> Error {
    let kind = "alertrules.rules.alerting.grafana.app";
    refused(403, &format!("{kind} \"aw-1\" is forbidden: {why}"))
}

#[test]
fn what_an_admission_minds_is_rejected_with_its_words_and_no_missing_right() {
    for why in [
        // apps/alerting/rules/pkg/app/util/group_validation.go
        "cannot set group when creating a new rule",
        "grafana.com/group-index must be set when grafana.com/group is set",
        "grafana.com/group and grafana.com/group-index cannot be empty",
        "invalid grafana.com/group-index: strconv.Atoi: parsing \"x\": invalid syntax",
        // apps/alerting/rules/pkg/app/alertrule/validator.go
        "folder is required",
        "alert rule title is too long. Max length is 190",
        "label key is reserved and cannot be specified: __grafana_receiver__",
        "'for' duration must be greater than 0",
        "receiver is empty",
        "one expression must be marked as source",
        // apps/alerting/rules/pkg/app/config and pkg/registry/apps/alerting/rules/register.go
        "invalid notification settings: receiver 'nobody' does not exist",
        "invalid notification settings: policy 'nothing' does not exist",
        // apps/alerting/rules/pkg/app/util/validator.go
        "trigger interval must be a multiple of base evaluation interval (10s)",
        "trigger interval must be greater than 0",
    ] {
        let error = admission(why);
        assert_eq!(error.class(), Class::Rejected, "{why}");
        assert!(error.changed_nothing() && !error.outcome_unknown(), "{why}");
        assert!(error.to_string().ends_with(why), "{error}");
    }
}

#[test]
fn a_rule_that_turns_out_to_have_no_group_is_another_one_than_was_thought() {
    let refused = refused(400, "invalid alert rule: cannot move rule out of this group");
    let admission = admission("cannot set group when updating un-grouped rule");
    for error in [refused, admission] {
        assert_eq!(error.class(), Class::Conflict, "{error}");
        assert!(!error.changed_nothing() && !error.outcome_unknown(), "{error}");
    }
}

#[test]
fn what_an_admission_says_of_other_things_means_what_it_means_elsewhere() {
    assert!(admission("folder does not exist: f").is_folder_missing());
    let foreign = [
        "invalid provenance status: file",
        "manager properties (kind=repo) and provenance annotation (api) are inconsistent",
    ];
    for why in foreign {
        assert_eq!(admission(why).class(), Class::Foreign, "{why}");
    }
    // What a deletion says of a rule that a file has provisioned (alertrule/legacy_storage.go).
    assert_eq!(refused(500, foreign[0]).class(), Class::Foreign);
}

#[test]
fn a_missing_right_is_one_though_it_has_the_form_of_an_admission() {
    for why in [
        "User \"system:serviceaccount:x\" cannot list resource \"alertrules\" in API group \"rules.alerting.grafana.app\" in the namespace \"default\"",
        "required permissions: alert.rules:read",
        "You'll need additional permissions to perform this action. Permissions needed: alert.rules:create",
        "user is not authorized to create alert rules that belong to folder f",
        "unauthorized request",
        "user is not a member of the namespace \"org-2\"",
    ] {
        assert_eq!(admission(why).class(), Class::Forbidden, "{why}");
    }
    let named = named(
        403,
        "alerting.unauthorized",
        "user is not authorized to access rule group",
    );
    assert_eq!(named.class(), Class::Forbidden);
}

#[test]
fn another_version_than_the_stored_one_is_a_lost_race() {
    let error = refused(
        409,
        "Operation cannot be fulfilled on alertrules.rules.alerting.grafana.app \"aw-1\": the object has been modified; please apply your changes to the latest version and try again",
    );
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.is_lost_race() && !error.changed_nothing());
    assert!(!refused(409, "cannot update with provided provenance '', needs 'api'").is_lost_race());
}

#[test]
fn a_write_may_have_been_carried_out_unless_grafana_refused_it() {
    assert!(
        Error::Timeout {
            operation: "rules.create"
        }
        .outcome_unknown()
    );
    assert!(
        Error::Decode {
            operation: "silences.put",
            line: 1,
            column: 1
        }
        .outcome_unknown()
    );
    assert!(refused(502, "").outcome_unknown());
    assert!(refused(500, "database is locked").outcome_unknown());
    assert!(!refused(400, "").outcome_unknown());
    assert!(!refused(429, "").outcome_unknown());
    assert!(!Error::Configuration(String::new()).outcome_unknown());
}

#[test]
fn what_was_known_stands_after_a_refusal_unless_that_says_otherwise() {
    let title = "rule title under the same organisation and folder should be unique";
    for (status, message) in [
        (400, ""),
        (403, ""),
        (429, ""),
        (403, "quota has been exceeded"),
        (500, "cannot change provenance from 'api' to ''"),
        (
            500,
            "contact point 'x' is currently used by a notification policy",
        ),
        (500, title),
    ] {
        assert!(refused(status, message).changed_nothing(), "{status} {message}");
    }
    for (status, message) in [
        (404, ""),
        (409, ""),
        (500, ""),
        (500, "could not find object using provided id and hash"),
        (
            500,
            "receiver configuration with UID 'x' already exist in contact point 'y'. Please",
        ),
        (
            500,
            "failed to update rule with UID x because could not find alert rule",
        ),
    ] {
        assert!(!refused(status, message).changed_nothing(), "{status} {message}");
    }
    let operation = "rules.update";
    assert!(!Error::Timeout { operation }.changed_nothing());
    assert!(Error::NotLeading { operation }.changed_nothing());
    let left = Duration::from_secs(1);
    assert!(Error::Paused { operation, left }.changed_nothing());
}

#[test]
fn a_secret_that_grafana_repeats_is_taken_out() {
    let error = refused(400, "invalid URL \"https://hooks.example/T0/x\" of x");
    assert_eq!(
        error.redact(&["", "https://hooks.example/T0/x"]).to_string(),
        "grafana refused rules.update with status 400: invalid URL \"[REDACTED]\" of x"
    );
}

#[test]
fn a_secret_that_was_cut_with_its_message_is_taken_out() {
    let secret = "s3cr3t-".repeat(100);
    let message = refused(400, &format!("invalid token {secret}"))
        .redact(&[&secret])
        .to_string();
    assert!(message.ends_with("invalid token [REDACTED]"), "{message}");
}

#[test]
fn a_secret_is_taken_out_in_whatever_form_the_message_repeats_it() {
    for (secret, said) in [
        ("pass\"word\\1", r#"invalid "pass\"word\\1""#),
        ("first line\nsecond line", "invalid first line\nsecond line"),
        ("first line\nsecond line", "invalid second line"),
        ("first line\nsecond line", r"invalid first line\nsecond line"),
        ("k1\nk2\nk3", "invalid k1\nk2\nk3"),
        ("a b/c?d=e", "Get https://x/a+b%2Fc%3Fd%3De: EOF"),
        ("a b/c?d=e", "Get https://x/a%20b%2Fc%3Fd%3De: EOF"),
    ] {
        // The message as it is kept: cut, on one line.
        let message = refused(400, &cut(said)).redact(&[secret]).to_string();
        for part in ["pass", "word", "first", "second", "k2", "a+b", "a%20b", "c%3Fd"] {
            assert!(!message.contains(part), "{secret:?} in {message}");
        }
        assert!(message.contains("[REDACTED]"), "{message}");
    }
}

#[test]
fn a_secret_that_is_a_word_of_grafanas_does_not_change_what_a_refusal_means() {
    let error = refused(
        500,
        "contact point 'policy' is currently used by a notification policy",
    );
    let redacted = error.redact(&["policy", "currently used by a notification"]);
    assert!(redacted.is_in_use());
    assert!(redacted.to_string().contains("'[REDACTED]'"), "{redacted}");
}

#[test]
fn messages_are_cut_between_characters_and_have_one_line() {
    let cut = cut(&format!("a\nb{}", "ü".repeat(MESSAGE_LIMIT)));
    assert!(cut.starts_with("a bü"));
    assert!(cut.len() <= MESSAGE_LIMIT);
}
