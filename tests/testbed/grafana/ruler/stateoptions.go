package ruler

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// stateOptions are the parameters of the list of states.
type stateOptions struct {
	internal    bool
	limitAlerts int
	limitRules  int
	states      map[string]bool
	health      map[string]bool
	names       map[string]bool
	folder      string
	groups      []string
	uids        []string
	dashboard   string
	panel       string
	matchers    []*labels.Matcher
}

// ruleStates are the words that a question may have for the state of a rule (api_prometheus.go).
var ruleStates = map[string]string{
	"normal": "inactive", "inactive": "inactive", "alerting": "firing", "firing": "firing", "pending": "pending", "nodata": "nodata",
	"error": "error", "recovering": "recovering",
}

// stateOptions reads the parameters; what is wrong with them is said in the second value.
func (s *api) stateOptions(c *server.Call) (o stateOptions, mistake string) {
	query := c.R.URL.Query()
	set := func(name string) map[string]bool {
		found := map[string]bool{}
		for _, each := range query[name] {
			found[each] = true
		}
		return found
	}
	o = stateOptions{
		internal: c.Flag("includeInternalLabels", false), limitAlerts: c.Number("limit_alerts", -1), limitRules: c.Number("limit_rules", -1),
		states: map[string]bool{}, health: set("health"), dashboard: c.Query("dashboard_uid"), panel: c.Query("panel_id"),
	}
	if c.Flag("exclude_alerts", false) {
		o.limitAlerts = 0
	}
	for _, state := range query["state"] {
		known := ruleStates[strings.ToLower(state)]
		if known == "" || known == "recovering" && !s.Cfg.Version.KeepFiringFor() {
			return o, "unknown state '" + state + "'"
		}
		o.states[known] = true
	}
	if o.panel != "" {
		if _, err := strconv.ParseInt(o.panel, 10, 64); err != nil {
			return o, "invalid panel_id: " + err.Error()
		}
		if o.dashboard == "" {
			return o, "panel_id must be set with dashboard_uid"
		}
	}
	for _, text := range query["matcher"] {
		var sent struct {
			Name, Value      string
			IsEqual, IsRegex bool
		}
		sent.IsEqual = true
		if json.Unmarshal([]byte(text), &sent) != nil {
			continue
		}
		kind := map[[2]bool]labels.MatchType{{true, false}: labels.MatchEqual, {false, false}: labels.MatchNotEqual, {true, true}: labels.MatchRegexp, {false, true}: labels.MatchNotRegexp}[[2]bool{sent.IsEqual, sent.IsRegex}]
		if m, err := labels.NewMatcher(kind, sent.Name, sent.Value); err == nil {
			o.matchers = append(o.matchers, m)
		}
	}
	if s.Cfg.Version.StateFilters() {
		o.folder, o.groups, o.names = c.Query("folder_uid"), query["rule_group"], set("rule_name")
	}
	if s.Cfg.Version.RuleUIDFilter() {
		o.uids = query["rule_uid"]
	}
	return o, ""
}

// badQuestion refuses parameters; older releases say it as they say everything else.
func (s *api) badQuestion(c *server.Call, mistake string) {
	if !s.Cfg.Version.StateFilters() {
		c.Message(400, mistake)
		return
	}
	c.JSON(400, map[string]any{"status": "error", "errorType": "bad_data", "error": mistake, "data": map[string]any{"groups": []any{}}})
}

func (o *stateOptions) wants(r *store.Rule) bool {
	return (o.folder == "" || r.Folder == o.folder) && (len(o.groups) == 0 || slices.Contains(o.groups, r.Group)) &&
		(len(o.names) == 0 || o.names[r.Title]) && (len(o.uids) == 0 || slices.Contains(o.uids, r.UID)) &&
		(o.dashboard == "" || r.Annotations["__dashboardUid__"] == o.dashboard) && (o.panel == "" || r.Annotations["__panelId__"] == o.panel)
}
