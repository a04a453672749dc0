package store

import (
	"sort"
	"strings"
	"sync/atomic"
	"time"
)

// UsedByRules lists the rules that name a receiver of their own.
func (o *Org) UsedByRules(uses func(n *NotificationSettings) bool) []string {
	uids := []string{}
	for _, r := range o.Rules {
		if r.Notification != nil && uses(r.Notification) {
			uids = append(uids, r.UID)
		}
	}
	sort.Strings(uids)
	return uids
}

// Below lists a folder and all folders in it.
func (o *Org) Below(uid string) map[string]bool {
	found := map[string]bool{uid: true}
	for grown := true; grown; {
		grown = false
		for _, f := range o.Folders {
			if f.Parent != "" && found[f.Parent] && !found[f.UID] {
				found[f.UID], grown = true, true
			}
		}
	}
	return found
}

// Depth counts a folder and those above it; there is none above the root.
func (o *Org) Depth(uid string) int {
	depth := 0
	for f := o.Folders[uid]; f != nil && depth < 20; f = o.Folders[f.Parent] {
		depth++
	}
	return depth
}

// Height counts a folder and the longest line of folders below it.
func (o *Org) Height(uid string) int {
	most := 1
	for below := range o.Below(uid) {
		most = max(most, o.Depth(below)-o.Depth(uid)+1)
	}
	return most
}

// TitleTaken says whether a folder's title is another's, within the parent or in the whole organisation. To be called with the lock.
func (o *Org) TitleTaken(title, parent, except string, everywhere bool) bool {
	for _, f := range o.Folders {
		if f.UID != except && (everywhere || f.Parent == parent) && strings.EqualFold(f.Title, title) {
			return true
		}
	}
	return false
}

// Org is one organisation.
type Org struct {
	ID        int64
	Name      string
	Folders   map[string]*Folder
	Sources   map[string]*DataSource
	Rules     map[string]*Rule
	Groups    map[GroupKey]*Group
	titles    map[titleKey]string
	Silences  map[string]string
	Sequences map[string]*Sequence
	Alerting  *AlertingConfig
	RuleGen   uint64
	RulerBody atomic.Pointer[CachedBody]
}

// CachedBody is an answer that holds as long as the generation is the same.
type CachedBody struct {
	Gen  uint64
	Body []byte
}

// GroupKey is what identifies a group.
type GroupKey struct{ Folder, Name string }

type titleKey struct{ folder, title string }

// Group is a rule group; it exists as long as it has rules.
type Group struct {
	Org      int64
	Folder   string
	Name     string
	Interval int64
	// How often another rule of the group was written, and when last: all rules of a group get a new version then.
	Bumps   int64
	Updated time.Time
	Rules   map[string]*Rule `json:"-"`
}

// insertRule puts a rule into the indexes.
func (o *Org) insertRule(r *Rule) {
	o.Rules[r.UID] = r
	key := GroupKey{r.Folder, r.Group}
	g := o.Groups[key]
	if g == nil {
		g = &Group{Org: o.ID, Folder: r.Folder, Name: r.Group, Interval: 60, Rules: map[string]*Rule{}}
		o.Groups[key] = g
	}
	g.Rules[r.UID] = r
	o.titles[titleKey{r.Folder, r.Title}] = r.UID
}

// RemoveRule takes a rule out of the indexes.
func (o *Org) RemoveRule(r *Rule) {
	delete(o.Rules, r.UID)
	if g := o.Groups[GroupKey{r.Folder, r.Group}]; g != nil {
		delete(g.Rules, r.UID)
	}
	if o.titles[titleKey{r.Folder, r.Title}] == r.UID {
		delete(o.titles, titleKey{r.Folder, r.Title})
	}
}

// Sorted lists a group's rules in their order.
func (g *Group) Sorted(byIndex bool) []*Rule {
	rules := make([]*Rule, 0, len(g.Rules))
	for _, r := range g.Rules {
		rules = append(rules, r)
	}
	sort.Slice(rules, func(i, j int) bool {
		if byIndex && rules[i].Index != rules[j].Index {
			return rules[i].Index < rules[j].Index
		}
		return rules[i].ID < rules[j].ID
	})
	return rules
}

// Path is a folder's title with those of the folders above it.
func (o *Org) Path(f *Folder) string {
	titles := []string{}
	for f != nil && len(titles) < 20 {
		titles = append([]string{strings.ReplaceAll(f.Title, "/", "\\/")}, titles...)
		f = o.Folders[f.Parent]
	}
	return strings.Join(titles, "/")
}
