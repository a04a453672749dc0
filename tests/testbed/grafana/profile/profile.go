// Package profile knows the releases of Grafana: each difference that is played is one named switch, with where it is told.
//
// The sources are named shortly: a number with # is an issue or pull request of grafana/grafana; "client" is the generated
// API client grafana-openapi-client-go at the snapshot of a date; "provider" is terraform-provider-grafana, whose tests say
// from which release on a thing works; "recorded" was seen on a running 10.0.0; a path is a file of Grafana's source.
package profile

import (
	"fmt"
	"strconv"
	"strings"
)

// Released are the releases that the tests run on; between them the thresholds below decide.
var Released = []string{"10.0.0", "10.4.0", "11.6.0", "12.4.0", "13.0.0", "13.3.0"}

// Version is the release that is played.
type Version struct {
	Text                string
	Major, Minor, Patch int
}

// Parse reads MAJOR.MINOR.PATCH; what follows it is kept in Text only.
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

// AtLeast says whether the release is this one or a later one.
func (v Version) AtLeast(major, minor, patch int) bool {
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// patched says whether a change is in that came with a release and, by backports, with patches of earlier lines.
func (v Version) patched(since [2]int, backports ...[3]int) bool {
	if v.AtLeast(since[0], since[1], 0) {
		return true
	}
	for _, b := range backports {
		if v.Major == b[0] && v.Minor == b[1] {
			return v.Patch >= b[2]
		}
	}
	return false
}

// ClientErrors: most mistakes of the client are 400 or 409 with a message id; 10.0 answers 500 without one (recorded).
// Unconfirmed: that 10.4 is the first release that does, for each of them; only 10.0.0 and current sources were read.
func (v Version) ClientErrors() bool { return v.AtLeast(10, 4, 0) }

// IDIn401: answers with 401 have a message id (pkg/services/authn/error.go of 11).
// Unconfirmed: the release that began with it.
func (v Version) IDIn401() bool { return v.AtLeast(11, 0, 0) }
