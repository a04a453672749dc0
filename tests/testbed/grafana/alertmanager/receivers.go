package alertmanager

import (
	"context"
	"strconv"
	"time"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/server"
)

func (s *api) testReceivers(c *server.Call, am *routing.Alertmanager) {
	var sent struct {
		Alert     *server.TestedAlert `json:"alert"`
		Receivers []struct {
			Name         string                     `json:"name"`
			Integrations []server.TestedIntegration `json:"grafana_managed_receiver_configs"`
		} `json:"receivers"`
	}
	if !c.Read(&sent) {
		return
	}
	seconds := 15
	if text := c.R.Header.Get("Request-Timeout"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 30 {
			c.Message(400, "invalid Request-Timeout")
			return
		}
		seconds = n
	}
	ctx, cancel := context.WithTimeout(c.R.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	a := server.NewTest(sent.Alert)
	var total, failed, invalid, late int
	receivers := []map[string]any{}
	for _, r := range sent.Receivers {
		results := []map[string]any{}
		for at := range r.Integrations {
			one := s.Tested(c.Who.Org, r.Name, &r.Integrations[at])
			result := map[string]any{"name": one.Name, "uid": one.UID, "status": "ok"}
			total++
			err := contact.Check(s.Cfg.Version, one)
			if err != nil {
				invalid++
			} else if err = s.Try(ctx, am, r.Name, one, a); err != nil && ctx.Err() != nil {
				late++
			}
			if err != nil {
				failed++
				result["status"], result["error"] = "failed", err.Error()
			}
			results = append(results, result)
		}
		receivers = append(receivers, map[string]any{"name": r.Name, "grafana_managed_receiver_configs": results})
	}
	if total == 0 {
		c.Message(400, "no receivers")
		return
	}
	status := 200
	switch {
	case failed == 0:
	case invalid == total:
		status = 400
	case late == total:
		status = 408
	default:
		status = 207
	}
	c.JSON(status, map[string]any{
		"alert": map[string]any{"labels": a.Labels, "annotations": a.Annotations}, "receivers": receivers, "notified_at": time.Now().UTC(),
	})
}
