package profile

import (
	"slices"
	"testing"
)

// The matrix of releases, row by row: what each of those that the tests run on does.
func TestEachReleaseHasItsRow(t *testing.T) {
	yes := func(f func(Version) bool) func(Version) any { return func(v Version) any { return f(v) } }
	rows := []struct {
		name string
		is   func(Version) any
		want [6]any // 10.0.0, 10.4.0, 11.6.0, 12.4.0, 13.0.0, 13.3.0
	}{
		{"the default receiver is empty", yes(Version.EmptyDefault), [6]any{false, false, false, true, true, true}},
		{"titles are unique in a folder", yes(Version.UniqueTitles), [6]any{true, true, true, false, false, false}},
		{"a taken uid is 409", yes(Version.ConflictIs409), [6]any{false, false, false, true, true, true}},
		{"a missing folder is refused", yes(Version.ChecksFolder), [6]any{false, false, true, true, true, true}},
		{"a group PUT takes new uids", yes(Version.NewUIDsInGroupPut), [6]any{false, false, true, true, true, true}},
		{"a group can be deleted", yes(Version.DeleteGroup), [6]any{false, false, true, true, true, true}},
		{"keep_firing_for", yes(Version.KeepFiringFor), [6]any{false, false, false, true, true, true}},
		{"notification_settings", func(v Version) any { return v.NotificationSettings(false) }, [6]any{false, false, true, true, true, true}},
		{"notification_settings by toggle", func(v Version) any { return v.NotificationSettings(true) }, [6]any{false, true, true, true, true, true}},
		{"active_time_intervals of rules", yes(Version.ActiveIntervalsOfRules), [6]any{false, false, false, true, true, true}},
		{"policy of rules", yes(Version.PolicyOfRules), [6]any{false, false, false, false, true, true}},
		{"record", yes(Version.RecordingRules), [6]any{false, false, true, true, true, true}},
		{"record.target_datasource_uid", yes(Version.RecordTarget), [6]any{false, false, false, true, true, true}},
		{"active_time_intervals on routes", yes(Version.ActiveIntervals), [6]any{false, false, true, true, true, true}},
		{"a tree keeps its provenance", yes(Version.PolicyMismatchIs403), [6]any{false, false, true, true, true, true}},
		{"another provenance of a contact point is 403", yes(Version.ContactPointMismatchIs403), [6]any{false, false, false, false, false, true}},
		{"a contact point's taken uid is 409", yes(Version.TakenContactPointIs409), [6]any{false, false, true, true, true, true}},
		{"a contact point in use is 409", yes(Version.UsedContactPointIs409), [6]any{false, false, true, true, true, true}},
		{"a lost race is 409", yes(Version.LostRaceIs409), [6]any{false, false, false, false, false, true}},
		{"a bad route has a text of its own", yes(Version.RoutesInvalidFormat), [6]any{false, false, true, true, true, true}},
		{"templates and timings have a version", yes(Version.ResourceVersions), [6]any{false, false, true, true, true, true}},
		{"counts are named by plurals", yes(Version.CountsByPlural), [6]any{false, false, false, true, true, true}},
		{"titles of folders are unique in the organisation", yes(Version.TitlesUniqueInOrg), [6]any{true, true, false, false, false, false}},
		{"rules are deprecated", yes(Version.RuleDeprecation), [6]any{false, false, false, false, true, true}},
		{"notifications are deprecated", yes(Version.NotificationDeprecation), [6]any{false, false, false, false, false, true}},
		{"receivers/test", yes(Version.ReceiversTest), [6]any{true, true, true, true, false, false}},
		{"/apis of notifications", func(v Version) any { return len(v.NotificationKinds(false)) }, [6]any{0, 0, 1, 1, 2, 2}},
		{"/apis of rules", func(v Version) any { return len(v.RuleKinds(false)) }, [6]any{0, 0, 0, 0, 1, 2}},
		{"/apis of rules by toggle", func(v Version) any { return len(v.RuleKinds(true)) }, [6]any{0, 0, 0, 1, 1, 2}},
		{"several trees", func(v Version) any { return v.NamedTrees(false) }, [6]any{false, false, false, false, false, true}},
		{"several trees by toggle", func(v Version) any { return v.NamedTrees(true) }, [6]any{false, false, false, true, true, true}},
		{"a hit has a description", yes(Version.HitDescription), [6]any{false, false, false, true, true, true}},
		{"states page by page", yes(Version.StatePages), [6]any{false, false, true, true, true, true}},
		{"pages of states by the store", yes(Version.StatePagesByStore), [6]any{false, false, false, true, true, true}},
		{"rules of a page are counted", yes(Version.StateRuleLimit), [6]any{false, false, false, true, true, true}},
		{"the health has an API server", yes(Version.HealthAPIServer), [6]any{false, false, false, false, true, true}},
	}
	for _, row := range rows {
		var got [6]any
		for i, text := range Released {
			v, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = row.is(v)
		}
		if got != row.want {
			t.Errorf("%s: %v, want %v (%v)", row.name, got, row.want, Released)
		}
	}
}

// Some changes came to earlier lines with a patch.
func TestABackportCountsFromItsPatchOn(t *testing.T) {
	var got []string
	for _, text := range []string{"11.6.16", "11.6.17", "12.0.9", "12.3.8", "12.3.9", "12.4.5", "12.4.6", "13.0.3", "13.0.4", "13.1.0"} {
		v, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if v.ContactPointMismatchIs403() {
			got = append(got, text)
		}
	}
	if want := []string{"11.6.17", "12.3.9", "12.4.6", "13.0.4", "13.1.0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
