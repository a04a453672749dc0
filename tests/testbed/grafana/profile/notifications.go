package profile

// Contact points, policies, templates, timings, silences.

// EmptyDefault: a new organisation's tree sends to the receiver "empty", which has no integration; before it was
// grafana-default-email (#116368: 12.4).
func (v Version) EmptyDefault() bool { return v.AtLeast(12, 4, 0) }

// LostRaceIs409: who loses the race for the alerting configuration gets 409; before 500 with a text (#131069: 13.3; recorded).
func (v Version) LostRaceIs409() bool { return v.AtLeast(13, 3, 0) }

// UsedContactPointIs409: deleting a contact point that is in use is 409; before 500 (#90117: 11.2; recorded).
// Unconfirmed: #117993 still tells of 500 for one that a rule uses, in 12; played: 409.
func (v Version) UsedContactPointIs409() bool { return v.AtLeast(11, 2, 0) }

// TakenContactPointIs409: a contact point's uid that is taken is 409; before 500 (#98970: 11.5; recorded).
func (v Version) TakenContactPointIs409() bool { return v.AtLeast(11, 5, 0) }

// ContactPointMismatchIs403: a write to a contact point with another provenance is 403; before 500 (#127699 and its
// backports #127812 to #127815; recorded).
func (v Version) ContactPointMismatchIs403() bool {
	return v.patched([2]int{13, 1}, [3]int{11, 6, 17}, [3]int{12, 3, 9}, [3]int{12, 4, 6}, [3]int{13, 0, 4})
}

// ContactPointName: a contact point needs a name (#113064: 12.3); before an empty one was stored (recorded).
func (v Version) ContactPointName() bool { return v.AtLeast(12, 3, 0) }

// PolicyMismatchIs403: taking the provenance off a policy tree, template or timing is 403; before it was allowed (provider:
// only up to 11.1; recorded).
func (v Version) PolicyMismatchIs403() bool { return v.AtLeast(11, 2, 0) }

// RoutesInvalidFormat: a tree that is refused is alerting.notifications.routes.invalidFormat, with that text (provider: 11.4).
func (v Version) RoutesInvalidFormat() bool { return v.AtLeast(11, 4, 0) }

// ReceiverInRoutes: every route names a receiver; from 11.0 on a child inherits it (provider; recorded).
func (v Version) ReceiverInRoutes() bool { return !v.AtLeast(11, 0, 0) }

// ActiveIntervals: routes may name active time intervals (client 24-08-26).
// Unconfirmed: whether it was 11.2 or 11.3.
func (v Version) ActiveIntervals() bool { return v.AtLeast(11, 2, 0) }

// ResourceVersions: templates and mute timings have a version that a write may name (client 24-08-26; #88731, #91195: 11.2).
func (v Version) ResourceVersions() bool { return v.AtLeast(11, 2, 0) }

// TimingRenames: a mute timing whose body has another name than the path is renamed (11.3).
func (v Version) TimingRenames() bool { return v.AtLeast(11, 3, 0) }

// NestedSecrets: secrets below the first level of the settings are kept apart too.
// Unconfirmed: the release.
func (v Version) NestedSecrets() bool { return v.AtLeast(11, 4, 0) }

// ReceiversTest: contact points are tested by /api/alertmanager/grafana/config/api/v1/receivers/test (gone with 13.0, what's new
// of 2026-04-07).
func (v Version) ReceiversTest() bool { return !v.AtLeast(13, 0, 0) }

// ConfigForAdmins: the whole Alertmanager configuration is for administrators, with a warning, and can't be deleted (13.0, what's
// new of 2026-04-07).
func (v Version) ConfigForAdmins() bool { return v.AtLeast(13, 0, 0) }

// RuleScopedSilences: a silence for one rule is ruled by rights on its folder; accesscontrol and ruleMetadata (11.1).
func (v Version) RuleScopedSilences() bool { return v.AtLeast(11, 1, 0) }

// SilenceEcho: the answer to a new silence has id and message too (recorded on 10.0).
// Unconfirmed: the release that ended it.
func (v Version) SilenceEcho() bool { return !v.AtLeast(11, 0, 0) }

// RuleDeprecation: the eight endpoints of rules and groups below /api/v1/provisioning tell that they are deprecated (#120606: 13.0).
func (v Version) RuleDeprecation() bool { return v.AtLeast(13, 0, 0) }

// NotificationDeprecation: so do those of contact points, policies, templates and timings (#121995: 13.1).
func (v Version) NotificationDeprecation() bool { return v.AtLeast(13, 1, 0) }

// PagerDutyURL: a PagerDuty integration may name the address that events go to.
// Unconfirmed: the release.
func (v Version) PagerDutyURL() bool { return v.AtLeast(10, 4, 0) }

// WebhookHMAC: a webhook may sign what it sends (provider: hmacConfig from 11.6 on).
func (v Version) WebhookHMAC() bool { return v.AtLeast(11, 6, 0) }

// WebhookPayload: a webhook may send headers and a body of its own (provider: 12.0).
func (v Version) WebhookPayload() bool { return v.AtLeast(12, 0, 0) }
