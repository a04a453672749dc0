// Package profile knows the releases of Grafana: each difference that is played is one named switch.
package profile

import (
	"fmt"
	"strconv"
	"strings"
)

// Released are the releases that the tests run on; between them the thresholds below decide.
var Released = []string{"10.0.0", "10.4.0", "11.6.0", "12.4.0", "13.0.0", "13.3.0"}

// Version is the Grafana release whose behaviour is played.
type Version struct {
	Text                string
	Major, Minor, Patch int
}

// Parse reads MAJOR.MINOR.PATCH, what follows is kept in Text only.
func Parse(text string) (Version, error) {
	v := Version{Text: strings.TrimPrefix(text, "v")}
	core, _, _ := strings.Cut(v.Text, "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	for i, to := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if i >= len(parts) {
			break
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return v, fmt.Errorf("not a version: %q", text)
		}
		*to = n
	}
	if v.Major < 10 {
		return v, fmt.Errorf("only 10.0 and later are played, not %q", text)
	}
	return v, nil
}

func (v Version) AtLeast(major, minor, patch int) bool {
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// The rows of the fact sheet's version matrix, and what its text says beyond it. Each names the release that brought it.

func (v Version) KeepLast() bool { return v.AtLeast(10, 4, 0) }

func (v Version) NotificationSettings() bool { return v.AtLeast(10, 4, 0) }

func (v Version) ProvenanceInList() bool { return v.AtLeast(10, 4, 0) }

func (v Version) ErrorsAreClientErrors() bool {
	// 10.0 answers 500 to most mistakes of the client.
	return v.AtLeast(10, 4, 0)
}

func (v Version) UsedContactPointIs409() bool { return v.AtLeast(10, 4, 0) }

func (v Version) Jitter() bool { return v.AtLeast(10, 4, 0) }

func (v Version) NamedReceiverNeeded() bool { return !v.AtLeast(10, 1, 0) }

func (v Version) DeleteGroup() bool { return v.AtLeast(11, 0, 0) }

func (v Version) NestedFolders() bool { return v.AtLeast(11, 0, 0) }

func (v Version) ChecksFolder() bool { return v.AtLeast(11, 0, 0) }

func (v Version) UidInStates() bool { return v.AtLeast(11, 0, 0) }

func (v Version) ProvenanceGuarded() bool { return v.AtLeast(11, 0, 0) }

func (v Version) MismatchIs409() bool { return v.AtLeast(11, 0, 0) }

func (v Version) RuleScopedSilences() bool { return v.AtLeast(11, 1, 0) }

func (v Version) OptimisticVersions() bool { return v.AtLeast(11, 2, 0) }

func (v Version) RecordingRules() bool { return v.AtLeast(11, 2, 0) }

func (v Version) NewUIDsInGroupPut() bool { return v.AtLeast(11, 5, 2) }

func (v Version) TakenContactPointIs409() bool {
	return v.AtLeast(11, 5, 0)
}

func (v Version) MoreThresholds() bool { return v.AtLeast(11, 6, 0) }

func (v Version) ReadsForViewers() bool { return v.AtLeast(11, 6, 0) }

func (v Version) KeepFiringFor() bool { return v.AtLeast(12, 0, 0) }

func (v Version) SameTitles() bool { return v.AtLeast(12, 0, 0) }

func (v Version) PathsInStates() bool { return v.AtLeast(12, 0, 0) }

func (v Version) PausedInStates() bool { return v.AtLeast(12, 0, 0) }

func (v Version) NestedSecrets() bool { return v.AtLeast(12, 0, 0) }

func (v Version) RuleConflictIs409() bool { return v.AtLeast(12, 1, 0) }

func (v Version) ActiveIntervals() bool { return v.AtLeast(12, 1, 0) }

func (v Version) NameNeeded() bool { return v.AtLeast(12, 3, 0) }

func (v Version) RuleUIDFilter() bool { return v.AtLeast(12, 4, 0) }

func (v Version) Deprecated() bool { return v.AtLeast(13, 0, 0) }

func (v Version) NoReceiversTest() bool { return v.AtLeast(13, 0, 0) }

func (v Version) NotificationKinds() bool { return v.AtLeast(13, 0, 0) }

func (v Version) NamedTrees() bool { return v.AtLeast(13, 1, 0) }

func (v Version) LostRaceIs409() bool { return v.AtLeast(13, 3, 0) }

func (v Version) RuleKinds() bool { return v.AtLeast(13, 3, 0) }

func (v Version) NotificationKindsAlpha() bool {
	return v.AtLeast(11, 6, 0)
}
