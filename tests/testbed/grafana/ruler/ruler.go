// Package ruler lists rules as the frontend reads them, and their states in the words of Prometheus.
package ruler

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The ruler's lists of rules, and their states in the words of Prometheus.

func (s *api) routeRuler() {
	const ruler = "/api/ruler/grafana/api/v1"
	s.Handle("GET "+ruler+"/rules", server.ReadStates, s.listRulerRules)
	s.Handle("GET "+ruler+"/rules/{folder}", server.ReadFolderRules, s.listFolderRules)
	s.Handle("GET "+ruler+"/rules/{folder}/{group}", server.ReadFolderRules, s.getRulerGroup)
	if s.Cfg.Version.RuleByUID() {
		s.Handle("GET "+ruler+"/rule/{uid}", server.ReadStates, s.getRulerRule)
	}
	s.Handle("GET /api/prometheus/grafana/api/v1/rules", server.ReadStates, s.listStates)
	s.Handle("GET /api/prometheus/grafana/api/v1/alerts", server.ReadInstances, s.listInstances)
	s.Handle("GET /api/annotations", server.ReadStates, s.listAnnotations)
	s.Handle("GET /api/v1/rules/history", server.ReadStates, s.listHistory)
}

type rulerRule struct {
	Expr          string            `json:"expr"`
	For           *model.Duration   `json:"for,omitempty"`
	KeepFiringFor *model.Duration   `json:"keep_firing_for,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
	Alert         json.RawMessage   `json:"grafana_alert"`
}

type rulerAlert struct {
	ID            int64                       `json:"id"`
	OrgID         int64                       `json:"orgId"`
	Title         string                      `json:"title"`
	Condition     string                      `json:"condition"`
	Data          []store.Query               `json:"data"`
	UID           string                      `json:"uid"`
	GUID          string                      `json:"guid,omitempty"`
	NamespaceUID  string                      `json:"namespace_uid"`
	NamespaceID   int64                       `json:"namespace_id,omitempty"`
	RuleGroup     string                      `json:"rule_group"`
	NoDataState   string                      `json:"no_data_state"`
	ExecErrState  string                      `json:"exec_err_state"`
	Provenance    string                      `json:"provenance,omitempty"`
	IsPaused      bool                        `json:"is_paused"`
	Notification  *store.NotificationSettings `json:"notification_settings,omitempty"`
	Record        *store.Record               `json:"record,omitempty"`
	MissingSeries *int64                      `json:"missing_series_evals_to_resolve,omitempty"`
	Metadata      map[string]any              `json:"metadata,omitempty"`
}

// rulerFragment is the part of a rule's text that does not change with its group: without the closing braces of the rule.
// To be called with the lock.
func (s *api) rulerFragment(r *store.Rule) []byte {
	if made := r.Ruler.Load(); made != nil {
		return *made
	}
	v := s.Cfg.Version
	inner := rulerAlert{
		ID: r.ID, OrgID: r.Org, Title: r.Title, Condition: r.Condition, Data: r.Data, UID: r.UID, NamespaceUID: r.Folder, RuleGroup: r.Group,
		NoDataState: r.NoDataState, ExecErrState: r.ExecErrState, Provenance: r.Provenance, IsPaused: r.Paused, Notification: r.Notification,
		Record: r.Record, MissingSeries: r.MissingSeries,
	}
	if v.GUIDs() {
		inner.GUID = r.GUID
	}
	if f := s.Store.Orgs[r.Org].Folders[r.Folder]; f != nil && v.NamespaceID() {
		inner.NamespaceID = f.ID
	}
	if v.EditorMetadata() {
		inner.Metadata = map[string]any{"editor_settings": map[string]any{"simplified_query_and_expressions_section": false, "simplified_notifications_section": false}}
	}
	outer := rulerRule{Labels: r.Labels, Annotations: r.Annotations}
	if r.Record == nil {
		outer.For = &r.For
	}
	if v.KeepFiringFor() && r.KeepFiringFor > 0 {
		outer.KeepFiringFor = &r.KeepFiringFor
	}
	alert, err := json.Marshal(inner)
	if err != nil {
		panic(err)
	}
	outer.Alert = alert
	text, err := json.Marshal(outer)
	if err != nil {
		panic(err)
	}
	text = bytes.TrimSuffix(text, []byte("}}"))
	r.Ruler.Store(&text)
	return text
}

func (s *api) writeRule(to *bytes.Buffer, r *store.Rule, g *store.Group) {
	to.Write(s.rulerFragment(r))
	updated := r.Updated
	if g.Updated.After(updated) {
		updated = g.Updated
	}
	to.WriteString(`,"updated":"`)
	to.WriteString(updated.Format(time.RFC3339))
	to.WriteString(`","intervalSeconds":`)
	to.WriteString(strconv.FormatInt(g.Interval, 10))
	to.WriteString(`,"version":`)
	to.WriteString(strconv.FormatInt(r.Version(g), 10))
	to.WriteString("}}")
}

func (s *api) writeGroup(to *bytes.Buffer, g *store.Group) {
	name, err := json.Marshal(g.Name)
	if err != nil {
		panic(err)
	}
	to.WriteString(`{"name":`)
	to.Write(name)
	to.WriteString(`,"interval":"`)
	to.WriteString(model.Duration(time.Duration(g.Interval) * time.Second).String())
	to.WriteString(`","rules":[`)
	for i, r := range g.Sorted(s.Cfg.Version.NewUIDsInGroupPut()) {
		if i > 0 {
			to.WriteByte(',')
		}
		s.writeRule(to, r, g)
	}
	to.WriteString("]}")
}

// key is the name of a folder in the ruler's list.
func (s *api) rulerKey(o *store.Org, f *store.Folder) string {
	if s.Cfg.Version.PathsInRuler() {
		return o.Path(f)
	}
	return f.Title
}

// groupsByFolder sorts the groups that a folder holds, under the folder's name. To be called with the lock.
func (s *api) groupsByFolder(o *store.Org, who *server.Identity, only string) (map[string][]*store.Group, []string) {
	found := map[string][]*store.Group{}
	for key, g := range o.Groups {
		f := o.Folders[key.Folder]
		if f == nil || len(g.Rules) == 0 || only != "" && f.UID != only && f.Title != only ||
			who != nil && !who.MayReadRules(o, f.UID) {
			continue
		}
		name := s.rulerKey(o, f)
		found[name] = append(found[name], g)
	}
	for _, groups := range found {
		sort.Slice(groups, func(i, j int) bool {
			if groups[i].Name != groups[j].Name {
				return groups[i].Name < groups[j].Name
			}
			return groups[i].Folder < groups[j].Folder
		})
	}
	return found, store.SortedKeys(found)
}

func (s *api) writeFolders(to *bytes.Buffer, o *store.Org, who *server.Identity, only string) {
	folders, names := s.groupsByFolder(o, who, only)
	to.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			to.WriteByte(',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			panic(err)
		}
		to.Write(quoted)
		to.WriteString(":[")
		for j, g := range folders[name] {
			if j > 0 {
				to.WriteByte(',')
			}
			s.writeGroup(to, g)
		}
		to.WriteByte(']')
	}
	to.WriteByte('}')
}

func (s *api) listRulerRules(c *server.Call) {
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	if !c.Who.Has("alert.rules:read", "folders:*") || !c.Who.Has("folders:read", "folders:*") {
		var text bytes.Buffer
		s.writeFolders(&text, o, &c.Who, "")
		s.Store.Mu.RUnlock()
		c.Raw(200, text.Bytes())
		return
	}
	made := o.RulerBody.Load()
	if made == nil || made.Gen != o.RuleGen {
		var text bytes.Buffer
		s.writeFolders(&text, o, nil, "")
		made = &store.CachedBody{Gen: o.RuleGen, Body: text.Bytes()}
		o.RulerBody.Store(made)
	}
	s.Store.Mu.RUnlock()
	c.Raw(200, made.Body)
}

func (s *api) listFolderRules(c *server.Call) {
	var text bytes.Buffer
	s.Store.Mu.RLock()
	s.writeFolders(&text, s.Store.Orgs[c.Who.Org], &c.Who, c.R.PathValue("folder"))
	s.Store.Mu.RUnlock()
	c.Raw(202, text.Bytes())
}

func (s *api) getRulerGroup(c *server.Call) {
	var text bytes.Buffer
	s.Store.Mu.RLock()
	folders, names := s.groupsByFolder(s.Store.Orgs[c.Who.Org], &c.Who, c.R.PathValue("folder"))
	for _, name := range names {
		for _, g := range folders[name] {
			if g.Name == c.R.PathValue("group") && text.Len() == 0 {
				s.writeGroup(&text, g)
			}
		}
	}
	s.Store.Mu.RUnlock()
	if text.Len() == 0 {
		c.Message(404, "rule group does not exist")
		return
	}
	c.Raw(202, text.Bytes())
}

func (s *api) getRulerRule(c *server.Call) {
	var text bytes.Buffer
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	if r := o.Rules[c.R.PathValue("uid")]; r != nil && c.Who.MayReadRules(o, r.Folder) {
		s.writeRule(&text, r, o.Groups[store.GroupKey{Folder: r.Folder, Name: r.Group}])
	}
	s.Store.Mu.RUnlock()
	if text.Len() == 0 {
		c.Empty(404)
		return
	}
	c.Raw(200, text.Bytes())
}
