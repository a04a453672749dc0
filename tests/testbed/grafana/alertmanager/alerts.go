package alertmanager

import (
	"github.com/prometheus/alertmanager/dispatch"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/server"
)

func alertBody(a *alert.Alert, status alert.AlertStatus, receivers []string) map[string]any {
	state := "active"
	silenced, inhibited := status.SilencedBy, status.InhibitedBy
	if silenced == nil {
		silenced = []string{}
	}
	if inhibited == nil {
		inhibited = []string{}
	}
	if len(silenced)+len(inhibited) > 0 {
		state = "suppressed"
	}
	named := []map[string]string{}
	for _, receiver := range receivers {
		named = append(named, map[string]string{"name": receiver})
	}
	return map[string]any{
		"annotations": a.Annotations, "endsAt": a.EndsAt.UTC().Format(timeFormat), "fingerprint": a.Fingerprint().String(), "receivers": named,
		"startsAt": a.StartsAt.UTC().Format(timeFormat), "updatedAt": a.UpdatedAt.UTC().Format(timeFormat), "generatorURL": a.GeneratorURL,
		"labels": a.Labels, "status": map[string]any{"state": state, "silencedBy": silenced, "inhibitedBy": inhibited},
	}
}

// alertFilter reads the parameters of lists of alerts.
func (s *api) alertFilter(c *server.Call) (func(a *alert.Alert, status alert.AlertStatus) bool, error) {
	var matchers []*labels.Matcher
	for _, text := range c.R.URL.Query()["filter"] {
		parsed, err := labels.ParseMatchers(text)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, parsed...)
	}
	active, silenced, inhibited := c.Flag("active", true), c.Flag("silenced", true), c.Flag("inhibited", true)
	return func(a *alert.Alert, status alert.AlertStatus) bool {
		for _, m := range matchers {
			if !m.Matches(string(a.Labels[model.LabelName(m.Name)])) {
				return false
			}
		}
		isSilenced, isInhibited := len(status.SilencedBy) > 0, len(status.InhibitedBy) > 0
		return (silenced || !isSilenced) && (inhibited || !isInhibited) && (active || isSilenced || isInhibited)
	}, nil
}

func (s *api) listAlerts(c *server.Call, am *routing.Alertmanager) {
	wanted, err := s.alertFilter(c)
	if err != nil {
		c.Message(400, "bad matcher format: "+err.Error())
		return
	}
	list := []map[string]any{}
	for _, a := range am.Firing() {
		receivers := am.ReceiversOf(a)
		if only := c.Query("receiver"); only != "" && !slices.Contains(receivers, only) {
			continue
		}
		if status := am.Status(a); wanted(a, status) {
			list = append(list, alertBody(a, status, receivers))
		}
	}
	c.JSON(200, list)
}

func (s *api) listAlertGroups(c *server.Call, am *routing.Alertmanager) {
	wanted, err := s.alertFilter(c)
	if err != nil {
		c.Message(400, "bad matcher format: "+err.Error())
		return
	}
	am.Mu.RLock()
	dispatcher := am.Dispatcher
	am.Mu.RUnlock()
	list := []map[string]any{}
	if dispatcher != nil {
		every := func(*dispatch.Route) bool { return true }
		groups, receivers, err := dispatcher.Groups(c.R.Context(), every, func(a *alert.Alert, now time.Time) (alert.AlertStatus, bool) {
			status := am.Status(a)
			return status, (a.EndsAt.IsZero() || !a.EndsAt.Before(now)) && wanted(a, status)
		})
		if err != nil {
			c.Message(500, err.Error())
			return
		}
		for _, g := range groups {
			alerts := []map[string]any{}
			for _, a := range g.Alerts {
				alerts = append(alerts, alertBody(a, g.AlertStatuses[a.Fingerprint()], receivers[a.Fingerprint()]))
			}
			list = append(list, map[string]any{"alerts": alerts, "labels": g.Labels, "receiver": map[string]string{"name": g.Receiver}})
		}
	}
	c.JSON(200, list)
}
