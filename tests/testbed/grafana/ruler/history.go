package ruler

import (
	"fmt"
	"strings"
	"time"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/server"
)

// The history of states, from the back end that the setting unified_alerting.state_history.backend names.

func (s *api) inLoki() bool {
	return s.Cfg.Setting("unified_alerting.state_history.backend", "annotations") == "loki"
}

func (s *api) changes(c *server.Call, from, to time.Time, limit int, uid string) ([]engine.Change, bool) {
	found, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.Message(500, err.Error())
		return nil, false
	}
	return found.History.Between(from, to, limit, uid), true
}

// shown is the labels without those that begin and end in underscores.
func shown(labels expression.Labels) expression.Labels {
	kept := expression.Labels{}
	for name, value := range labels {
		if !strings.HasPrefix(name, "__") {
			kept[name] = value
		}
	}
	return kept
}

// listAnnotations answers with what was written into the database; nothing where a Loki keeps it.
//
// Source: documentation, "Annotations HTTP API"; buildAnnotations of pkg/services/ngalert/state/historian/annotation.go.
func (s *api) listAnnotations(c *server.Call) {
	all := []map[string]any{}
	if s.inLoki() || c.Query("type") == "annotation" {
		c.JSON(200, all)
		return
	}
	from, to := time.UnixMilli(int64(c.Number("from", 0))), time.Now().Add(time.Hour)
	if end := c.Number("to", 0); end > 0 {
		to = time.UnixMilli(int64(end))
	}
	changes, ok := s.changes(c, from, to, c.Number("limit", 100), c.Query("alertUID"))
	if !ok {
		return
	}
	for _, change := range changes {
		at := change.At.UnixMilli()
		all = append(all, map[string]any{
			"id": change.ID, "alertId": change.Rule.ID, "alertName": change.Rule.Title, "dashboardId": 0, "dashboardUID": "", "panelId": 0, "userId": 0,
			"newState": change.After, "prevState": change.Before, "created": at, "updated": at, "time": at, "timeEnd": at, "tags": []string{},
			"text": fmt.Sprintf("%s {%s} - %s", change.Rule.Title, shown(change.Labels), change.After), "data": map[string]any{},
		})
	}
	c.JSON(200, all)
}

// listHistory answers with a frame: of a Loki a line for each change of any rule, of annotations those of one rule, which must be named.
//
// Source: merge of pkg/services/ngalert/state/historian/loki.go; Query of annotation.go.
func (s *api) listHistory(c *server.Call) {
	uid := c.Query("ruleUID")
	if !s.inLoki() && uid == "" {
		c.Message(500, "ruleUID is required to query annotations")
		return
	}
	from, to := time.Unix(int64(c.Number("from", 0)), 0), time.Now()
	if end := c.Number("to", 0); end > 0 {
		to = time.Unix(int64(end), 0)
	}
	changes, ok := s.changes(c, from, to, c.Number("limit", 1000), uid)
	if !ok {
		return
	}
	times, lines, labels, before, after := []int64{}, []any{}, []any{}, []string{}, []string{}
	for at := len(changes) - 1; at >= 0; at-- {
		change := changes[at]
		times = append(times, change.At.UnixMilli())
		before, after = append(before, change.Before), append(after, change.After)
		lines = append(lines, map[string]any{
			"schemaVersion": 1, "previous": change.Before, "current": change.After, "values": map[string]any{}, "condition": change.Rule.Condition,
			"dashboardUID": "", "panelID": 0, "ruleTitle": change.Rule.Title, "ruleID": change.Rule.ID, "ruleUID": change.Rule.UID, "labels": shown(change.Labels),
		})
		labels = append(labels, map[string]string{"from": "state-history", "folderUID": change.Rule.Folder})
	}
	field := func(name, kind string) map[string]any { return map[string]any{"name": name, "type": kind} }
	fields, values := []any{field("time", "time"), field("line", "other"), field("labels", "other")}, []any{times, lines, labels}
	if !s.inLoki() {
		fields, values = []any{field("time", "time"), field("prev", "string"), field("next", "string")}, []any{times, before, after}
	}
	c.JSON(200, map[string]any{"schema": map[string]any{"name": "states", "fields": fields}, "data": map[string]any{"values": values}})
}
