package ruler

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"

	"alertwright.testbed/grafana/server"
)

// place is where a group stands in the list of states.
type place struct {
	folder string // its uid
	path   string
	group  string
}

// pages cuts the list of states. A group counts if any of its rules are shown.
//
// Until the store pages by itself (PrepareRuleGroupStatuses in api_prometheus.go), groups are in the order of their folders' paths and of their
// names, and a token is path and name of the group that the next page begins with: the first whose joined path and name aren't less. That is another
// order where one path is the beginning of another and goes on with less than a slash, as in "Team" and "Team-EU": such pages lead back.
//
// Where it does (PrepareRuleGroupStatusesV2, ListAlertRulesByGroup), groups are in the order of their folders' uids and of their names, a token is the group
// that the page before ended with, and a page is ordered by paths in itself.
//
// A token that can't be read counts for nothing.
type pages struct {
	byStore bool
	groups  int
	rules   int
	from    place
	joined  string
}

type cursor struct {
	Folder string `json:"n"`
	Group  string `json:"g"`
}

// pages reads how the list is to be cut.
func (s *api) pages(c *server.Call) pages {
	v := s.Cfg.Version
	p := pages{byStore: v.StatePagesByStore(), groups: -1, rules: -1}
	if !v.StatePages() {
		return p
	}
	p.groups = c.Number("group_limit", -1)
	if v.StateRuleLimit() {
		p.rules = c.Number("rule_limit", -1)
	}
	token, err := base64.URLEncoding.DecodeString(c.Query("group_next_token"))
	if err != nil {
		return p
	}
	if !p.byStore {
		p.joined = string(token)
		return p
	}
	var from cursor
	if json.Unmarshal(token, &from) == nil {
		p.from = place{folder: from.Folder, group: from.Group}
	}
	return p
}

// areCut says whether there is any limit: then there are no totals.
func (p *pages) areCut() bool { return p.groups != -1 || p.rules != -1 }

// begin gives the index of the group that the page begins with.
func (p *pages) begin(all []place) int {
	at := 0
	switch {
	case p.byStore && p.from.folder != "":
		at = slices.IndexFunc(all, func(one place) bool { return byUID(one, p.from) > 0 })
	case !p.byStore && p.joined != "":
		at = slices.IndexFunc(all, func(one place) bool { return one.path+"/"+one.group >= p.joined })
	}
	if at < 0 {
		return len(all)
	}
	return at
}

// isFull says whether a page ends that has so many.
func (p *pages) isFull(groups, rules int) bool {
	return p.groups > -1 && groups >= p.groups || p.rules > -1 && rules >= p.rules
}

// token says where the page ends that begins at one index and ends before another.
func (p *pages) token(all []place, end int) string {
	if !p.byStore {
		return base64.URLEncoding.EncodeToString([]byte(all[end].path + "/" + all[end].group))
	}
	if end == 0 {
		return ""
	}
	text, err := json.Marshal(cursor{Folder: all[end-1].folder, Group: all[end-1].group})
	if err != nil {
		return ""
	}
	return base64.URLEncoding.EncodeToString(text)
}

// compare is the order in which groups are gone through.
func (p *pages) compare(a, b place) int {
	if p.byStore {
		return byUID(a, b)
	}
	return byPath(a, b)
}

func byUID(a, b place) int {
	return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.group, b.group))
}

func byPath(a, b place) int {
	return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.group, b.group))
}
