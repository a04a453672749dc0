package datasources

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/engine/datasource"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// asked is what /api/ds/query is sent (pkg/api/dtos/models.go, MetricRequest): queries as panels have them, and the time that they are for.
type asked struct {
	From    string           `json:"from"`
	To      string           `json:"to"`
	Queries []map[string]any `json:"queries"`
}

// query asks data sources (pkg/api/ds_query.go, pkg/services/query). Each query's answer stands under its refId; where one failed the whole answer is 400.
// Unconfirmed: that no release that is played answers 207 to a query that failed, as the toggle datasourceQueryMultiStatus would have it; played: 400.
func (s *api) query(c *server.Call) {
	var sent asked
	if !c.Read(&sent) {
		return
	}
	if len(sent.Queries) == 0 {
		c.JSON(400, map[string]any{"message": "Query data error", "error": "no queries found"})
		return
	}
	from, to := moment(sent.From), moment(sent.To)
	if from.IsZero() || to.IsZero() {
		c.JSON(400, map[string]any{"message": "Query data error", "error": "the time range is not understood"})
		return
	}
	e, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	results := map[string]any{}
	status := 200
	for _, model := range sent.Queries {
		uid := ""
		switch source := model["datasource"].(type) {
		case map[string]any:
			uid, _ = source["uid"].(string)
		case string:
			uid = source
		}
		s.Store.Mu.RLock()
		known := s.Store.Orgs[c.Who.Org].Sources[uid] != nil
		s.Store.Mu.RUnlock()
		if !known {
			c.Message(404, "Data source not found")
			return
		}
		if !c.Who.Has("datasources:query", "datasources:uid:"+uid) {
			c.Forbidden("datasources:query")
			return
		}
		refID, _ := model["refId"].(string)
		if refID == "" {
			refID = "A"
		}
		frames, err := e.Query(c.R.Context(), store.Query{RefID: refID, DatasourceUID: uid, Model: model}, from, to)
		if err != nil {
			status = 400
			results[refID] = engine.Node{Status: 400, Error: err.Error(), Frames: []datasource.Frame{}}
			continue
		}
		results[refID] = engine.Node{Status: 200, Frames: frames}
	}
	c.JSON(status, map[string]any{"results": results})
}

// moment reads milliseconds since 1970, or a time before now such as now-1h.
func moment(text string) time.Time {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(number)
	}
	back, relative := strings.CutPrefix(text, "now")
	if !relative {
		return time.Time{}
	}
	if back == "" {
		return time.Now()
	}
	length, err := model.ParseDuration(strings.TrimPrefix(back, "-"))
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(length))
}

// eval evaluates queries and expressions once.
func (s *api) eval(c *server.Call) {
	var sent struct {
		Data []store.Query `json:"data"`
		Now  *time.Time    `json:"now"`
	}
	if !c.Read(&sent) {
		return
	}
	if !s.mayAsk(c, sent.Data) {
		return
	}
	now := time.Now()
	if sent.Now != nil && !sent.Now.IsZero() {
		now = *sent.Now
	}
	e, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	nodes, err := e.Try(c.R.Context(), sent.Data, now)
	if err != nil {
		c.JSON(400, map[string]any{"message": "Failed to build evaluator for queries and expressions", "error": err.Error()})
		return
	}
	c.JSON(200, map[string]any{"results": nodes})
}

// mayAsk refuses who may not ask all data sources of a rule.
func (s *api) mayAsk(c *server.Call, data []store.Query) bool {
	for _, q := range data {
		if !store.IsExpression(q.DatasourceUID) && !c.Who.Has("datasources:query", "datasources:uid:"+q.DatasourceUID) {
			c.Message(401, "user is not authorized to query one or many data sources used by the rule")
			return false
		}
	}
	return true
}

// sentRule is a rule as the frontend sends it for a trial.
type sentRule struct {
	Rule struct {
		For           model.Duration    `json:"for"`
		KeepFiringFor model.Duration    `json:"keep_firing_for"`
		Labels        map[string]string `json:"labels"`
		Annotations   map[string]string `json:"annotations"`
		Alert         *struct {
			Title        string        `json:"title"`
			Condition    string        `json:"condition"`
			Data         []store.Query `json:"data"`
			UID          string        `json:"uid"`
			NoDataState  string        `json:"no_data_state"`
			ExecErrState string        `json:"exec_err_state"`
		} `json:"grafana_alert"`
	} `json:"rule"`
	FolderUID   string `json:"folderUid"`
	FolderTitle string `json:"folderTitle"`
}

// testRule evaluates a rule once and gives its alerts, as Alertmanager would get them (pkg/services/ngalert/api/api_testing.go, RouteTestGrafanaRuleConfig).
// There is no word for another time than now. Before 10.1 another body is wanted, and no alerts come of it (#69755).
func (s *api) testRule(c *server.Call) {
	var sent sentRule
	if !c.Read(&sent) {
		return
	}
	alert := sent.Rule.Alert
	if !s.Cfg.Version.TestsWholeRules() || alert == nil {
		c.Message(400, "unexpected backend type (grafana) for the payload")
		return
	}
	if !s.mayAsk(c, alert.Data) {
		return
	}
	s.Store.Mu.RLock()
	folder := s.Store.Orgs[c.Who.Org].Folders[sent.FolderUID]
	s.Store.Mu.RUnlock()
	if folder == nil {
		c.Message(404, "folder not found")
		return
	}
	e, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	r := &store.Rule{
		UID: alert.UID, Folder: sent.FolderUID, Title: alert.Title, Condition: alert.Condition, Data: alert.Data, NoDataState: alert.NoDataState,
		ExecErrState: alert.ExecErrState, For: sent.Rule.For, KeepFiringFor: sent.Rule.KeepFiringFor, Labels: sent.Rule.Labels,
		Annotations: sent.Rule.Annotations,
	}
	alerts := []json.RawMessage{}
	for _, each := range e.TryRule(c.R.Context(), r, folder.Title, s.Cfg.MinInterval(), time.Now()) {
		text, err := json.Marshal(map[string]any{
			"labels": each.Labels, "annotations": each.Annotations, "startsAt": each.StartsAt, "endsAt": each.EndsAt, "generatorURL": each.GeneratorURL,
		})
		if err != nil {
			c.Message(500, err.Error())
			return
		}
		alerts = append(alerts, text)
	}
	c.JSON(200, alerts)
}
