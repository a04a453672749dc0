package platform

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Alert rules.

type ruleSpec struct {
	Title         string                    `json:"title"`
	Paused        bool                      `json:"paused,omitempty"`
	Trigger       ruleTrigger               `json:"trigger"`
	Labels        map[string]string         `json:"labels,omitempty"`
	Annotations   map[string]string         `json:"annotations,omitempty"`
	For           *model.Duration           `json:"for,omitempty"`
	KeepFiringFor *model.Duration           `json:"keepFiringFor,omitempty"`
	MissingSeries *int64                    `json:"missingSeriesEvalsToResolve,omitempty"`
	NoDataState   string                    `json:"noDataState"`
	ExecErrState  string                    `json:"execErrState"`
	Notification  *ruleNotification         `json:"notificationSettings,omitempty"`
	PanelRef      *rulePanel                `json:"panelRef,omitempty"`
	Expressions   map[string]ruleExpression `json:"expressions"`
}

type ruleTrigger struct {
	Interval model.Duration `json:"interval"`
}

type rulePanel struct {
	DashboardUID string `json:"dashboardUID"`
	PanelID      int64  `json:"panelID"`
}

type ruleExpression struct {
	QueryType     string         `json:"queryType,omitempty"`
	Range         *ruleRange     `json:"relativeTimeRange,omitempty"`
	DatasourceUID string         `json:"datasourceUID,omitempty"`
	Model         map[string]any `json:"model"`
	Source        bool           `json:"source,omitempty"`
}

type ruleRange struct {
	From model.Duration `json:"from"`
	To   model.Duration `json:"to"`
}

type ruleNotification struct {
	Type            string          `json:"type,omitempty"`
	Receiver        string          `json:"receiver,omitempty"`
	RoutingTree     string          `json:"routingTree,omitempty"`
	GroupBy         []string        `json:"groupBy,omitempty"`
	GroupWait       *model.Duration `json:"groupWait,omitempty"`
	GroupInterval   *model.Duration `json:"groupInterval,omitempty"`
	RepeatInterval  *model.Duration `json:"repeatInterval,omitempty"`
	MuteIntervals   []string        `json:"muteTimeIntervals,omitempty"`
	ActiveIntervals []string        `json:"activeTimeIntervals,omitempty"`
}

func (s *api) ruleObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[c.Who.Org]
	list := []object{}
	for _, r := range o.Rules {
		if r.Record == nil {
			list = append(list, s.ruleObject(o.Groups[store.GroupKey{Folder: r.Folder, Name: r.Group}], r))
		}
	}
	return list
}

func stateToSpec(state string) string {
	if state == "OK" {
		return "Ok"
	}
	return state
}

func stateFromSpec(state, otherwise string) string {
	switch state {
	case "":
		return otherwise
	case "Ok":
		return "OK"
	}
	return state
}

func (s *api) ruleObject(g *store.Group, r *store.Rule) object {
	keep := r.KeepFiringFor
	length := r.For
	spec := ruleSpec{
		Title: r.Title, Paused: r.Paused, Trigger: ruleTrigger{model.Duration(time.Duration(g.Interval) * time.Second)}, Labels: r.Labels,
		Annotations: r.Annotations, For: &length, KeepFiringFor: &keep, MissingSeries: r.MissingSeries, NoDataState: stateToSpec(r.NoDataState),
		ExecErrState: stateToSpec(r.ExecErrState), Expressions: map[string]ruleExpression{},
	}
	for _, q := range r.Data {
		one := ruleExpression{QueryType: q.QueryType, Model: q.Model, Source: q.RefID == r.Condition}
		if !store.IsExpression(q.DatasourceUID) {
			one.DatasourceUID = q.DatasourceUID
			seconds := func(n int64) model.Duration { return model.Duration(time.Duration(n) * time.Second) }
			one.Range = &ruleRange{seconds(q.Range.From), seconds(q.Range.To)}
		}
		spec.Expressions[q.RefID] = one
	}
	if n := r.Notification; n != nil {
		spec.Notification = &ruleNotification{"SimplifiedRouting", n.Receiver, "", n.GroupBy, n.GroupWait, n.GroupInterval, n.RepeatInterval, n.MuteIntervals, n.ActiveIntervals}
		if n.Policy != "" {
			spec.Notification = &ruleNotification{Type: "NamedRoutingTree", RoutingTree: n.Policy}
		}
	}
	meta := metadata{
		Name: r.UID, UID: r.GUID, ResourceVersion: strconv.FormatInt(r.Version(g), 10), Generation: r.Version(g), Annotations: notes(r.Provenance), Labels: map[string]string{},
	}
	meta.Annotations[folderNote] = r.Folder
	if r.Group != lonelyGroup+r.UID {
		meta.Labels["grafana.com/group"], meta.Labels["grafana.com/group-index"] = r.Group, strconv.Itoa(r.Index)
	}
	return object{Metadata: meta, Spec: mustJSON(spec)}
}

func (s *api) putRuleObject(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec ruleSpec
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("", err)
	}
	p := store.ProvisionedRule{
		UID: sent.Metadata.Name, FolderUID: sent.Metadata.Annotations[folderNote], Title: spec.Title, NoDataState: stateFromSpec(spec.NoDataState, "NoData"),
		ExecErrState: stateFromSpec(spec.ExecErrState, "Error"), KeepFiringFor: spec.KeepFiringFor, MissingSeries: spec.MissingSeries,
		Annotations: spec.Annotations, Labels: spec.Labels, IsPaused: spec.Paused,
	}
	if p.FolderUID == "" {
		return "", refusal.New(400, "", "annotation %s is required", folderNote)
	}
	if p.UID == "" {
		p.UID = store.NewUID()
	}
	if spec.For != nil {
		p.For = *spec.For
	}
	var group string
	s.Store.Mu.RLock()
	if stored := s.Store.Orgs[c.Who.Org].Rules[p.UID]; stored != nil {
		group = stored.Group
	}
	s.Store.Mu.RUnlock()
	if old == nil && group != "" {
		return "", refusal.New(409, "alreadyExists", "alertrules.%s %q already exists", rulesGroup, p.UID)
	}
	if old == nil {
		group = lonelyGroup + p.UID
	}
	p.RuleGroup = group
	for _, id := range store.SortedKeys(spec.Expressions) {
		one := spec.Expressions[id]
		q := store.Query{RefID: id, QueryType: one.QueryType, DatasourceUID: one.DatasourceUID, Model: one.Model}
		if q.DatasourceUID == "" {
			q.DatasourceUID = store.ExpressionUID
		}
		if one.Range != nil {
			q.Range = store.RelativeRange{
				From: int64(time.Duration(one.Range.From).Seconds()), To: int64(time.Duration(one.Range.To).Seconds()),
			}
		}
		if one.Source {
			if p.Condition != "" {
				return "", refusal.New(400, "", "exactly one expression must be the source")
			}
			p.Condition = id
		}
		p.Data = append(p.Data, q)
	}
	if n := spec.Notification; n != nil {
		p.Notification = &store.NotificationSettings{
			Receiver: n.Receiver, Policy: n.RoutingTree, GroupBy: n.GroupBy, GroupWait: n.GroupWait, GroupInterval: n.GroupInterval,
			RepeatInterval: n.RepeatInterval, MuteIntervals: n.MuteIntervals, ActiveIntervals: n.ActiveIntervals,
		}
	}
	if spec.PanelRef != nil {
		if p.Annotations == nil {
			p.Annotations = map[string]string{}
		}
		p.Annotations["__dashboardUid__"], p.Annotations["__panelId__"] = spec.PanelRef.DashboardUID, strconv.FormatInt(spec.PanelRef.PanelID, 10)
	}
	seconds := int64(time.Duration(spec.Trigger.Interval) / time.Second)
	base := max(int64(s.Cfg.Interval/time.Second), 1)
	if seconds <= 0 || seconds%base != 0 {
		return "", refusal.New(400, "", "interval (%ds) should be non-zero and divided exactly by scheduler interval: %v", seconds, s.Cfg.Interval)
	}
	r, refused := s.Store.ToRule(&p, c.Who.Org)
	if refused != nil {
		return "", refused
	}
	if old == nil {
		_, refused = s.Store.CreateRule(r, provenanceOf(sent))
	} else {
		_, refused = s.Store.UpdateRule(r, provenanceOf(sent))
	}
	if refused != nil {
		return "", refused
	}
	s.Store.SetInterval(c.Who.Org, store.GroupKey{Folder: p.FolderUID, Name: group}, seconds)
	return p.UID, nil
}

func (s *api) removeRuleObject(c *server.Call, old *object) *refusal.Refused {
	return s.Store.DeleteRule(c.Who.Org, old.Metadata.Name, provenanceOf(old))
}
