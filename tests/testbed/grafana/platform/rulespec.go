package platform

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/store"
)

// ruleSpec is that of an alert rule or, with a metric, of a recording rule.
type ruleSpec struct {
	Title         string                `json:"title"`
	Paused        bool                  `json:"paused,omitempty"`
	Trigger       trigger               `json:"trigger"`
	Metric        string                `json:"metric,omitempty"`
	Target        string                `json:"targetDatasourceUID,omitempty"`
	Labels        map[string]string     `json:"labels"`
	Annotations   *map[string]string    `json:"annotations,omitempty"`
	For           *string               `json:"for,omitempty"`
	KeepFiringFor *string               `json:"keepFiringFor,omitempty"`
	MissingSeries *int64                `json:"missingSeriesEvalsToResolve,omitempty"`
	NoDataState   string                `json:"noDataState,omitempty"`
	ExecErrState  string                `json:"execErrState,omitempty"`
	Notification  *ruleNotification     `json:"notificationSettings,omitempty"`
	PanelRef      *panelRef             `json:"panelRef,omitempty"`
	Expressions   map[string]expression `json:"expressions"`
}

type trigger struct {
	Interval string `json:"interval"`
}

type panelRef struct {
	DashboardUID string `json:"dashboardUID"`
	PanelID      int64  `json:"panelID"`
}

type expression struct {
	QueryType     string         `json:"queryType,omitempty"`
	Range         *timeRange     `json:"relativeTimeRange,omitempty"`
	DatasourceUID string         `json:"datasourceUID,omitempty"`
	Model         map[string]any `json:"model"`
	Source        bool           `json:"source,omitempty"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// ruleNotification is one of two: with a receiver of its own, or with a tree.
type ruleNotification struct {
	Type            string   `json:"type,omitempty"`
	Receiver        string   `json:"receiver,omitempty"`
	RoutingTree     string   `json:"routingTree,omitempty"`
	GroupBy         []string `json:"groupBy,omitempty"`
	GroupWait       *string  `json:"groupWait,omitempty"`
	GroupInterval   *string  `json:"groupInterval,omitempty"`
	RepeatInterval  *string  `json:"repeatInterval,omitempty"`
	MuteIntervals   []string `json:"muteTimeIntervals,omitempty"`
	ActiveIntervals []string `json:"activeTimeIntervals,omitempty"`
}

const (
	simplified = "SimplifiedRouting"
	namedTree  = "NamedRoutingTree"

	dashboardNote = "__dashboardUid__"
	panelNote     = "__panelId__"
)

// prometheusStyle prints 1m; goStyle prints 1m0s. Intervals and the timings of notifications are printed as the first, all else as the
// second.
//
// Source: pkg/registry/apps/alerting/rules/alertrule/compat.go, convertToK8sResource.
func prometheusStyle(seconds int64) string {
	return model.Duration(time.Duration(seconds) * time.Second).String()
}

func goStyle(d time.Duration) *string {
	if d == 0 {
		return nil
	}
	text := d.String()
	return &text
}

// shownRule is a rule's spec: what is empty, unset or nothing is left out, but for the labels and annotations.
func (a *api) shownRule(g *store.Group, r *store.Rule, version string) ruleSpec {
	spec := ruleSpec{
		Title: r.Title, Paused: r.Paused, Trigger: trigger{prometheusStyle(g.Interval)}, Labels: copied(r.Labels), Expressions: map[string]expression{},
	}
	source := r.Condition
	if r.Record != nil {
		spec.Metric, spec.Target, source = r.Record.Metric, r.Record.Target, r.Record.From
	} else {
		annotations := copied(r.Annotations)
		spec.Annotations = &annotations
		spec.For, spec.KeepFiringFor = goStyle(time.Duration(r.For)), goStyle(time.Duration(r.KeepFiringFor))
		spec.MissingSeries, spec.NoDataState, spec.ExecErrState = r.MissingSeries, shownState(r.NoDataState), shownState(r.ExecErrState)
		spec.Notification = a.shownNotification(r.Notification)
		if panel, err := strconv.ParseInt(r.Annotations[panelNote], 10, 64); err == nil && panel > 0 && r.Annotations[dashboardNote] != "" {
			spec.PanelRef = &panelRef{r.Annotations[dashboardNote], panel}
		}
	}
	for _, q := range r.Data {
		one := expression{QueryType: q.QueryType, Model: q.Model, Source: q.RefID == source}
		if !store.IsExpression(q.DatasourceUID) {
			one.DatasourceUID = q.DatasourceUID
		}
		if q.Range.From > 0 || q.Range.To > 0 {
			seconds := func(n int64) string { return (time.Duration(n) * time.Second).String() }
			one.Range = &timeRange{seconds(q.Range.From), seconds(q.Range.To)}
		}
		spec.Expressions[q.RefID] = one
	}
	return spec
}

// copied is a map that is there, even if it is empty.
func copied(of map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range of {
		all[name] = value
	}
	return all
}

// shownNotification says the type since named trees are known. Unconfirmed: that 12 leaves it out.
func (a *api) shownNotification(n *store.NotificationSettings) *ruleNotification {
	switch {
	case n == nil:
		return nil
	case n.Policy != "":
		return &ruleNotification{Type: namedTree, RoutingTree: n.Policy}
	}
	shown := &ruleNotification{
		Receiver: n.Receiver, GroupBy: n.GroupBy, GroupWait: shownDuration(n.GroupWait), GroupInterval: shownDuration(n.GroupInterval),
		RepeatInterval: shownDuration(n.RepeatInterval), MuteIntervals: n.MuteIntervals, ActiveIntervals: n.ActiveIntervals,
	}
	if a.release.since(13, 0) {
		shown.Type = simplified
	}
	return shown
}

// shownState is a state of /apis: "Ok" where the older addresses say "OK".
func shownState(state string) string {
	if state == "OK" {
		return "Ok"
	}
	return state
}

func storedState(state, otherwise string) string {
	switch state {
	case "":
		return otherwise
	case "Ok":
		return "OK"
	}
	return state
}

// storedRule makes of a spec what the older address would be sent. The nodes come in any order, because /apis carries them as a map
// and the server fills its list by ranging over it.
//
// Source: compat.go, convertToBaseDomainModel.
func storedRule(spec *ruleSpec, isRecording bool) (*store.ProvisionedRule, error) {
	p := &store.ProvisionedRule{
		Title: spec.Title, NoDataState: storedState(spec.NoDataState, "NoData"), ExecErrState: storedState(spec.ExecErrState, "Error"),
		MissingSeries: spec.MissingSeries, Labels: spec.Labels, IsPaused: spec.Paused,
	}
	if spec.Annotations != nil {
		p.Annotations = copied(*spec.Annotations)
	}
	if spec.PanelRef != nil {
		if p.Annotations == nil {
			p.Annotations = map[string]string{}
		}
		p.Annotations[dashboardNote], p.Annotations[panelNote] = spec.PanelRef.DashboardUID, strconv.FormatInt(spec.PanelRef.PanelID, 10)
	}
	source := ""
	for id, one := range spec.Expressions {
		q := store.Query{RefID: id, QueryType: one.QueryType, DatasourceUID: one.DatasourceUID, Model: one.Model}
		if q.DatasourceUID == "" {
			q.DatasourceUID = store.ExpressionUID
		}
		if one.Range != nil {
			from, to := parsed(&one.Range.From), parsed(&one.Range.To)
			q.Range = store.RelativeRange{From: int64(time.Duration(from) / time.Second), To: int64(time.Duration(to) / time.Second)}
		}
		if one.Source {
			if source != "" {
				return nil, fmt.Errorf("failed to convert to domain model: multiple queries marked as source: %s and %s", source, id)
			}
			source = id
		}
		p.Data = append(p.Data, q)
	}
	rand.Shuffle(len(p.Data), func(i, j int) { p.Data[i], p.Data[j] = p.Data[j], p.Data[i] })
	if isRecording {
		p.Record = &store.Record{Metric: spec.Metric, From: source, Target: spec.Target}
		return p, nil
	}
	p.Condition, p.For = source, parsed(spec.For)
	keep := parsed(spec.KeepFiringFor)
	p.KeepFiringFor = &keep
	if n := spec.Notification; n != nil {
		p.Notification = &store.NotificationSettings{
			Receiver: n.Receiver, Policy: n.RoutingTree, GroupBy: n.GroupBy, GroupWait: optional(n.GroupWait), GroupInterval: optional(n.GroupInterval),
			RepeatInterval: optional(n.RepeatInterval), MuteIntervals: n.MuteIntervals, ActiveIntervals: n.ActiveIntervals,
		}
	}
	return p, nil
}

// parsed reads a duration that the schema has let through.
func parsed(text *string) model.Duration {
	if text == nil {
		return 0
	}
	d, _ := model.ParseDuration(*text)
	return d
}

func optional(text *string) *model.Duration {
	if text == nil {
		return nil
	}
	d := parsed(text)
	return &d
}
