package store

import (
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/profile"
)

// Rule is a stored alert rule.
type Rule struct {
	ID            int64
	Org           int64
	UID           string
	GUID          string
	Folder        string
	Group         string
	Index         int
	Title         string
	Condition     string
	Data          []Query
	NoDataState   string
	ExecErrState  string
	For           model.Duration
	KeepFiringFor model.Duration
	MissingSeries *int64
	Annotations   map[string]string
	Labels        map[string]string
	Paused        bool
	Notification  *NotificationSettings
	Record        *Record
	Provenance    string
	Manager       Manager
	Updated       time.Time
	// Its version is this plus its group's bumps.
	Ver int64

	// What the ruler says of it but for what changes with its group; made when first asked for.
	Ruler atomic.Pointer[[]byte] `json:"-"`
	// The evaluation's view of it, made when first evaluated.
	Compiled atomic.Value `json:"-"`
}

// Query is one node of a rule.
type Query struct {
	RefID         string         `json:"refId"`
	QueryType     string         `json:"queryType"`
	Range         RelativeRange  `json:"relativeTimeRange"`
	DatasourceUID string         `json:"datasourceUid"`
	Model         map[string]any `json:"model"`
}

// RelativeRange is a time range before now, in seconds.
type RelativeRange struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// NotificationSettings send a rule's alerts past the policy tree.
type NotificationSettings struct {
	Receiver        string          `json:"receiver,omitempty"`
	Policy          string          `json:"policy,omitempty"`
	GroupBy         []string        `json:"group_by,omitempty"`
	GroupWait       *model.Duration `json:"group_wait,omitempty"`
	GroupInterval   *model.Duration `json:"group_interval,omitempty"`
	RepeatInterval  *model.Duration `json:"repeat_interval,omitempty"`
	MuteIntervals   []string        `json:"mute_time_intervals,omitempty"`
	ActiveIntervals []string        `json:"active_time_intervals,omitempty"`
}

// Record makes a rule a recording rule.
type Record struct {
	Metric string `json:"metric"`
	From   string `json:"from"`
	Target string `json:"target_datasource_uid,omitempty"`
}

// ProvisionedRule is a rule in the provisioning API.
type ProvisionedRule struct {
	ID            int64                 `json:"id"`
	UID           string                `json:"uid"`
	OrgID         int64                 `json:"orgID"`
	FolderUID     string                `json:"folderUID"`
	RuleGroup     string                `json:"ruleGroup"`
	Title         string                `json:"title"`
	Condition     string                `json:"condition"`
	Data          []Query               `json:"data"`
	Updated       *time.Time            `json:"updated,omitempty"`
	NoDataState   string                `json:"noDataState"`
	ExecErrState  string                `json:"execErrState"`
	For           model.Duration        `json:"for"`
	KeepFiringFor *model.Duration       `json:"keep_firing_for,omitempty"`
	MissingSeries *int64                `json:"missingSeriesEvalsToResolve,omitempty"`
	Annotations   map[string]string     `json:"annotations,omitempty"`
	Labels        map[string]string     `json:"labels,omitempty"`
	Provenance    string                `json:"provenance,omitempty"`
	IsPaused      bool                  `json:"isPaused"`
	Notification  *NotificationSettings `json:"notification_settings,omitempty"`
	Record        *Record               `json:"record,omitempty"`
}

// ProvisionedGroup is a group in the provisioning API.
type ProvisionedGroup struct {
	Title     string            `json:"title"`
	FolderUID string            `json:"folderUid"`
	Interval  int64             `json:"interval"`
	Rules     []ProvisionedRule `json:"rules"`
}

const (
	defaultInterval = 60
	ExpressionUID   = "__expr__"
)

// IsExpression says whether a node is an expression; -100 is what it was called once.
func IsExpression(uid string) bool { return uid == ExpressionUID || uid == "-100" }

// Provisioned is a rule as the provisioning API shows it.
func Provisioned(v profile.Version, r *Rule, g *Group, withProvenance bool) ProvisionedRule {
	updated := r.Updated
	if g != nil && g.Updated.After(updated) {
		updated = g.Updated
	}
	p := ProvisionedRule{
		ID: r.ID, UID: r.UID, OrgID: r.Org, FolderUID: r.Folder, RuleGroup: r.Group, Title: r.Title, Condition: r.Condition,
		Data: r.Data, Updated: &updated, NoDataState: r.NoDataState, ExecErrState: r.ExecErrState, For: r.For,
		Annotations: r.Annotations, Labels: r.Labels, IsPaused: r.Paused, Notification: r.Notification, Record: r.Record,
	}
	if v.KeepFiringFor() {
		keep := r.KeepFiringFor
		p.KeepFiringFor, p.MissingSeries = &keep, r.MissingSeries
	}
	if withProvenance {
		p.Provenance = r.Provenance
	}
	return p
}

// sameContent says whether nothing of a rule that a write may set differs.
func sameContent(a, b *Rule) bool {
	return string(a.Content()) == string(b.Content())
}

// Content is what of a rule counts as a change.
func (r *Rule) Content() []byte {
	text, err := json.Marshal(struct {
		Folder, Group, Title, Condition, NoData, Err string
		Index                                        int
		Data                                         []Query
		For, Keep                                    model.Duration
		Missing                                      *int64
		Annotations, Labels                          map[string]string
		Paused                                       bool
		Notification                                 *NotificationSettings
		Record                                       *Record
	}{
		r.Folder, r.Group, r.Title, r.Condition, r.NoDataState, r.ExecErrState, r.Index, r.Data, r.For, r.KeepFiringFor,
		r.MissingSeries, r.Annotations, r.Labels, r.Paused, r.Notification, r.Record,
	})
	if err != nil {
		panic(err)
	}
	return text
}

// copy is a rule of the same content.
func (r *Rule) copy() *Rule {
	return &Rule{
		ID: r.ID, Org: r.Org, UID: r.UID, GUID: r.GUID, Folder: r.Folder, Group: r.Group, Index: r.Index, Title: r.Title, Condition: r.Condition,
		Data: r.Data, NoDataState: r.NoDataState, ExecErrState: r.ExecErrState, For: r.For, KeepFiringFor: r.KeepFiringFor,
		MissingSeries: r.MissingSeries, Annotations: r.Annotations, Labels: r.Labels, Paused: r.Paused, Notification: r.Notification,
		Record: r.Record, Provenance: r.Provenance, Manager: r.Manager, Updated: r.Updated, Ver: r.Ver,
	}
}
