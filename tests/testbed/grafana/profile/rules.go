package profile

// Alert rules: what is stored, and what is refused.

// KeepLast is a state for no data and for errors (#83940, #84406: 10.4.1, taken as 10.4).
func (v Version) KeepLast() bool { return v.AtLeast(10, 4, 0) }

// NotificationSettings: a rule may name a contact point (client 24-03-06). In 10.4 it needs a toggle, from 11.0 on it doesn't.
func (v Version) NotificationSettings(toggle bool) bool {
	return v.AtLeast(11, 0, 0) || toggle && v.AtLeast(10, 4, 0)
}

// ActiveIntervalsOfRules: a rule's own notification settings may name active time intervals (client 25-05-16).
func (v Version) ActiveIntervalsOfRules() bool { return v.AtLeast(12, 1, 0) }

// GroupByCompleted: the labels alertname and grafana_folder are added to a rule's own group_by; before they had to be there
// (models/notifications.go of 2026; F text of 10.4 to 12).
// Unconfirmed: the release that began with it.
func (v Version) GroupByCompleted() bool { return v.AtLeast(13, 0, 0) }

// PolicyOfRules: a rule's notification settings may name a routing tree (#117628). The toggle alertingPolicyRoutingSettings is the user interface's alone
// (#120463, #131835).
// Unconfirmed: that the provisioning API takes it from 13.0 on, which that pull request leaves to another; played: it does.
func (v Version) PolicyOfRules() bool { return v.AtLeast(13, 0, 0) }

// RecordingRules: a rule may have record{metric,from} (client 24-06-25 and 24-08-26: 11.1 or 11.2).
// Unconfirmed: what a release answers where recording rules are switched off; played: they are on.
func (v Version) RecordingRules() bool { return v.AtLeast(11, 2, 0) }

// RecordTarget: record may name the data source that is written to (client 25-04-24).
func (v Version) RecordTarget() bool { return v.AtLeast(12, 0, 0) }

// KeepFiringFor: keep_firing_for, missingSeriesEvalsToResolve and the state Recovering (client 25-04-24).
func (v Version) KeepFiringFor() bool { return v.AtLeast(12, 0, 0) }

// UniqueTitles: a title is unique within its folder (#102067 ended it with 12.0).
func (v Version) UniqueTitles() bool { return !v.AtLeast(12, 0, 0) }

// ConflictIs409: a rule's uid that is taken is 409; before it was 400 with the same id, in 10.0 a 500 (recorded; #106608).
func (v Version) ConflictIs409() bool { return v.AtLeast(12, 1, 0) }

// ChecksFolder: a rule in a folder that isn't there is refused; 10.0 stores it (recorded; #55202, #74304).
// Unconfirmed: what 10.4 does; played: it stores the rule.
func (v Version) ChecksFolder() bool { return v.AtLeast(11, 0, 0) }

// NewUIDsInGroupPut: a group PUT may bring rules with uids of their own, and keeps their order (#98283, #99858: 11.5.2).
func (v Version) NewUIDsInGroupPut() bool { return v.AtLeast(11, 5, 2) }

// DeleteGroup: a whole group can be deleted (client 24-03-06).
// Unconfirmed: whether 10.4 has it already; played: from 11.0.
func (v Version) DeleteGroup() bool { return v.AtLeast(11, 0, 0) }

// ProvenanceInList: the list of rules shows provenance; that of 10.0 doesn't (recorded).
func (v Version) ProvenanceInList() bool { return v.AtLeast(10, 4, 0) }

// RuleMismatchIs409: a delete with another provenance is 409 alerting.provenanceMismatch (#127699 says that it stays so).
// Unconfirmed: the release between 10.0 (500, recorded) and current ones that began with it.
func (v Version) RuleMismatchIs409() bool { return v.AtLeast(11, 0, 0) }

// RulePutMismatchIs409: so is one that updates a single rule, which was a 500 with a text for longer (#74558;
// provisioning/alert_rules.go of 12.0).
// Unconfirmed: the release between 12.1 and 13.0 that began with it.
func (v Version) RulePutMismatchIs409() bool { return v.AtLeast(13, 0, 0) }

// OldGroupOrder: a group PUT inserts and updates before it deletes, so a title can't be passed on in one PUT (#67868 ended it).
func (v Version) OldGroupOrder() bool { return !v.AtLeast(10, 1, 0) }

// NamespaceByUID: the ruler's paths name a folder by its uid, not by its title (#74600).
func (v Version) NamespaceByUID() bool { return v.AtLeast(10, 4, 0) }

// PathsInRuler: the ruler's list names a folder by its whole path (10.0: by its title, recorded).
func (v Version) PathsInRuler() bool { return v.AtLeast(10, 4, 0) }

// RuleByUID: the ruler reads one rule by its uid.
func (v Version) RuleByUID() bool { return v.AtLeast(11, 0, 0) }

// GUIDs: the ruler shows a rule's guid (definitions of 11.6 and 12).
// Unconfirmed: whether it was 11.6 or 12.0.
func (v Version) GUIDs() bool { return v.AtLeast(11, 6, 0) }

// EditorMetadata: the ruler shows metadata{editor_settings} (definitions of 11.4).
func (v Version) EditorMetadata() bool { return v.AtLeast(11, 4, 0) }

// NamespaceID: the ruler shows the numeric namespace_id of a folder; gone with 11.
func (v Version) NamespaceID() bool { return !v.AtLeast(11, 0, 0) }

// States of rules.

// StateFilters: states can be asked for by folder, group and name (api_prometheus.go, March 2025).
// Unconfirmed: the minor release of 11 that began with each.
func (v Version) StateFilters() bool { return v.AtLeast(11, 0, 0) }

// StatePages: states can be asked for page by page (#95959, November 2024).
// Unconfirmed: whether it was 11.4 or 11.5.
func (v Version) StatePages() bool { return v.AtLeast(11, 4, 0) }

// StatePagesByStore: pages are made by the store, in the order of the folders' uids (#108633, taken back by #109422, again by #109558).
// Unconfirmed: the release between 12.2 and 13.0 whose list of states uses it; played: from 12.4.
func (v Version) StatePagesByStore() bool { return v.AtLeast(12, 4, 0) }

// StateRuleLimit: a page ends with the group that brings it to so many rules (#114055, November 2025).
func (v Version) StateRuleLimit() bool { return v.AtLeast(12, 4, 0) }

// RuleUIDFilter: states can be asked for by uid (#114182).
func (v Version) RuleUIDFilter() bool { return v.AtLeast(12, 4, 0) }

// UIDsInStates: rules and groups of the list of states have uids; in 10.0 they don't (recorded).
// Unconfirmed: the minor release of 11.
func (v Version) UIDsInStates() bool { return v.AtLeast(11, 0, 0) }

// PathsInStates: the label grafana_folder and the file of a group are the whole path of the folder.
func (v Version) PathsInStates() bool { return v.AtLeast(11, 0, 0) }

// PausedInStates: isPaused, notificationSettings and the data sources stand in the list of states (api_prometheus.go of 12).
func (v Version) PausedInStates() bool { return v.AtLeast(12, 0, 0) }

// Evaluation.

// Jitter: the groups of an interval are spread over it.
// Unconfirmed: the release; 10.0 evaluates all rules of an interval in one tick (recorded).
func (v Version) Jitter() bool { return v.AtLeast(10, 4, 0) }

// MoreThresholds: thresholds eq, ne, gte, lte and the ranges with their ends (#99516: 11.6), and the reducer median.
// Unconfirmed: the release of median.
func (v Version) MoreThresholds() bool { return v.AtLeast(11, 6, 0) }

// ThresholdPredicates: a threshold compares by itself, so NaN is above and below nothing; before it was a math expression, in which a
// comparison with NaN is NaN, which fires (#86062, merged in April 2024).
// Unconfirmed: whether 11.0 has it already; played: from 11.1.
func (v Version) ThresholdPredicates() bool { return v.AtLeast(11, 1, 0) }

// ReduceModesOnNumbers: a reduce node's mode counts for numbers too, so dropNN takes NaN and infinities of an instant query
// away; before it counted for series only (#74859, #75594: 10.2).
func (v Version) ReduceModesOnNumbers() bool { return v.AtLeast(10, 2, 0) }

// SpreadsNoData: what a rule makes of no data or errors, where that is another state, is the state of all its alerts (#68142 by the toggle
// alertingNoDataErrorExecution, which #77242 switched on after 10.2).
// Unconfirmed: that 10.3 is the first release that has it switched on.
func (v Version) SpreadsNoData() bool { return v.AtLeast(10, 3, 0) }

// ResolvesNoDataAtOnce: the alerts of no data and of errors go with the first evaluation that doesn't say it again (#106421, June 2025).
// Unconfirmed: whether a patch release of 12.0 has it too.
func (v Version) ResolvesNoDataAtOnce() bool { return v.AtLeast(12, 1, 0) }

// NoDataWaits: no data and errors wait as long as the rule's for, pending before, and go on with the time that the condition has waited (#117024, in the
// notes of 12.4.0; #117931 has a toggle that takes it back).
// Unconfirmed: what an alert becomes that fires already; played: NoData or Error at once.
func (v Version) NoDataWaits() bool { return v.AtLeast(12, 4, 0) }

// TestsWholeRules: a rule can be tested whole, with what its alerts would be (#69755: 10.1).
func (v Version) TestsWholeRules() bool { return v.AtLeast(10, 1, 0) }

// Hysteresis: a threshold may have an evaluator of its own for alerts that fire (#70998: 10.3, by the toggle recoveryThreshold at first).
// Unconfirmed: the release that needs no toggle; played: without one from 10.3.
func (v Version) Hysteresis() bool { return v.AtLeast(10, 3, 0) }
