package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"alertwright.testbed/grafana/rights"
)

// Fingerprint is a short hash of anything.
func Fingerprint(of any) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// SourceRecord is the key of a data source in the journal.
func SourceRecord(d *DataSource) string { return fmt.Sprintf("source/%d/%s", d.Org, d.UID) }

// FolderRecord is the key of a folder in the journal.
func FolderRecord(f *Folder) string { return fmt.Sprintf("folder/%d/%s", f.Org, f.UID) }

// Slug makes a title fit for an address.
func Slug(title string) string {
	text := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(title))
	return strings.Trim(text, "-")
}

// Link is a folder's address in the frontend.
func (f *Folder) Link() string { return "/dashboards/f/" + f.UID + "/" + Slug(f.Title) }

// Atoi reads a number, 0 where there is none.
func Atoi(text string) int {
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return 0
	}
	return n
}

// SortedKeys lists the keys of a map; never nil.
func SortedKeys[V any](of map[string]V) []string {
	all := make([]string, 0, len(of))
	for name := range of {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// Names lists the members of a set, sorted.
func Names(of map[string]bool) []string {
	var all []string
	for name := range of {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// Folder is a folder.
type Folder struct {
	ID          int64
	Org         int64
	UID         string
	Title       string
	Description string
	Parent      string
	Version     int64
	Created     time.Time
	Updated     time.Time
	By          string
}

// DataSource is a data source.
type DataSource struct {
	ID         int64
	Org        int64
	UID        string
	Name       string
	Type       string
	Access     string
	URL        string
	User       string
	Database   string
	BasicAuth  bool
	BasicUser  string
	WithCreds  bool
	IsDefault  bool
	JSON       map[string]any
	Secure     map[string]string
	Version    int64
	ReadOnly   bool
	IsDeleting bool `json:"-"`
}

// User is a person.
type User struct {
	ID       int64
	Login    string
	Name     string
	Email    string
	Password string
	IsAdmin  bool
	Org      int64
	Roles    map[int64]string
}

// ServiceAccount is a robot of one organisation.
type ServiceAccount struct {
	ID       int64
	Org      int64
	Name     string
	Role     string
	Disabled bool
	// Rights that it has besides those of its role.
	Rights rights.Held `json:",omitempty"`
}

// Token is one of a service account's.
type Token struct {
	ID      int64
	Account int64
	Name    string
	Key     string
	Created time.Time
	Expires time.Time
}

// NewUID makes a uid as Grafana makes them: 14 letters and digits.
func NewUID() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return "s" + hex.EncodeToString(b[:])[:13]
}

// NewSecret makes what a token ends with.
func NewSecret() string {
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}
