package alertmanager

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
)

type silenceMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"`
}

type silenceBody struct {
	ID        string            `json:"id,omitempty"`
	Status    map[string]string `json:"status,omitempty"`
	UpdatedAt string            `json:"updatedAt,omitempty"`
	Comment   string            `json:"comment"`
	CreatedBy string            `json:"createdBy"`
	EndsAt    string            `json:"endsAt"`
	Matchers  []silenceMatcher  `json:"matchers"`
	StartsAt  string            `json:"startsAt"`
	Access    map[string]bool   `json:"accessControl,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func apiTime(t *timestamppb.Timestamp) string { return t.AsTime().UTC().Format(timeFormat) }

var matcherKinds = map[silencepb.Matcher_Type][2]bool{
	silencepb.Matcher_EQUAL: {true, false}, silencepb.Matcher_NOT_EQUAL: {false, false},
	silencepb.Matcher_REGEXP: {true, true}, silencepb.Matcher_NOT_REGEXP: {false, true},
}

func matchersOfSilence(sil *silencepb.Silence) []*silencepb.Matcher {
	if len(sil.MatcherSets) > 0 {
		return sil.MatcherSets[0].Matchers
	}
	return sil.Matchers
}

func (s *api) silenceBody(c *server.Call, sil *silencepb.Silence) silenceBody {
	body := silenceBody{
		ID: sil.Id, UpdatedAt: apiTime(sil.UpdatedAt), Comment: sil.Comment, CreatedBy: sil.CreatedBy, StartsAt: apiTime(sil.StartsAt),
		EndsAt: apiTime(sil.EndsAt), Status: map[string]string{"state": string(silence.CurrentState(sil.StartsAt.AsTime(), sil.EndsAt.AsTime()))},
		Matchers: []silenceMatcher{},
	}
	for _, m := range matchersOfSilence(sil) {
		kind := matcherKinds[m.Type]
		isEqual := kind[0]
		body.Matchers = append(body.Matchers, silenceMatcher{m.Name, m.Pattern, kind[1], &isEqual})
	}
	if s.Cfg.Version.RuleScopedSilences() {
		if c.Flag("accesscontrol", false) {
			body.Access = map[string]bool{
				"create": s.maySilence(c, "create", sil), "read": s.maySilence(c, "read", sil), "write": s.maySilence(c, "write", sil),
			}
		}
		if c.Flag("ruleMetadata", false) {
			s.Store.Mu.RLock()
			if r := s.Store.Orgs[c.Who.Org].Rules[scopeOf(sil)]; r != nil {
				body.Metadata = map[string]string{"rule_uid": r.UID, "rule_title": r.Title, "folder_uid": r.Folder}
			}
			s.Store.Mu.RUnlock()
		}
	}
	return body
}

// scopeOf is the uid of the rule that a silence is for.
func scopeOf(sil *silencepb.Silence) string {
	for _, m := range matchersOfSilence(sil) {
		if m.Name == "__alert_rule_uid__" && m.Type == silencepb.Matcher_EQUAL {
			return m.Pattern
		}
	}
	return ""
}

func (s *api) listSilences(c *server.Call, am *routing.Alertmanager) {
	var filter []*labels.Matcher
	for _, text := range c.R.URL.Query()["filter"] {
		parsed, err := labels.ParseMatchers(text)
		if err != nil {
			c.Message(400, "bad matcher format: "+err.Error())
			return
		}
		filter = append(filter, parsed...)
	}
	all, err := s.SilencesOf(am)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	found, _, err := all.Query(context.Background())
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	rank := map[silence.SilenceState]int{silence.SilenceStateActive: 0, silence.SilenceStatePending: 1, silence.SilenceStateExpired: 2}
	state := func(sil *silencepb.Silence) silence.SilenceState {
		return silence.CurrentState(sil.StartsAt.AsTime(), sil.EndsAt.AsTime())
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if x, y := rank[state(a)], rank[state(b)]; x != y {
			return x < y
		}
		switch state(a) {
		case silence.SilenceStateActive:
			return a.EndsAt.AsTime().Before(b.EndsAt.AsTime())
		case silence.SilenceStatePending:
			return a.StartsAt.AsTime().Before(b.StartsAt.AsTime())
		default:
			return a.EndsAt.AsTime().After(b.EndsAt.AsTime())
		}
	})
	list := make([]silenceBody, 0, len(found))
	for _, sil := range found {
		if (len(filter) == 0 || silence.HasLabelMatchers(sil, filter)) && s.maySilence(c, "read", sil) {
			list = append(list, s.silenceBody(c, sil))
		}
	}
	c.JSON(200, list)
}

func (s *api) getSilence(c *server.Call, am *routing.Alertmanager) {
	all, err := s.SilencesOf(am)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	sil, err := routing.SilenceIn(all, c.R.PathValue("id"))
	if err != nil {
		c.Message(404, "silence not found")
		return
	}
	if !s.maySilence(c, "read", sil) {
		c.Refuse(s.unauthorized("read"))
		return
	}
	c.JSON(200, s.silenceBody(c, sil))
}

func (s *api) putSilence(c *server.Call, am *routing.Alertmanager) {
	var sent silenceBody
	if !c.Read(&sent) {
		return
	}
	bad := func(format string, args ...any) { c.Refuse(refusal.New(400, "", format, args...)) }
	starts, err := time.Parse(time.RFC3339, sent.StartsAt)
	if err != nil {
		bad("failed to parse startsAt: %v", err)
		return
	}
	ends, err := time.Parse(time.RFC3339, sent.EndsAt)
	if err != nil {
		bad("failed to parse endsAt: %v", err)
		return
	}
	if !starts.Before(ends) {
		bad("failed to create silence: start time must be before end time")
		return
	}
	if ends.Before(time.Now()) {
		bad("failed to create silence: end time can't be in the past")
		return
	}
	var matchers []*silencepb.Matcher
	for _, m := range sent.Matchers {
		isEqual := m.IsEqual == nil || *m.IsEqual
		for kind, is := range matcherKinds {
			if is == [2]bool{isEqual, m.IsRegex} {
				matchers = append(matchers, &silencepb.Matcher{Type: kind, Name: m.Name, Pattern: m.Value})
			}
		}
	}
	sil := &silencepb.Silence{
		Id: sent.ID, Matchers: matchers, StartsAt: timestamppb.New(starts), EndsAt: timestamppb.New(ends), CreatedBy: sent.CreatedBy, Comment: sent.Comment,
	}
	what := "create"
	if sent.ID != "" {
		what = "write"
	}
	if !s.maySilence(c, what, sil) {
		c.Refuse(s.unauthorized(what))
		return
	}
	am.SilenceMu.Lock()
	defer am.SilenceMu.Unlock()
	if s.Cfg.Version.RuleScopedSilences() && sent.ID != "" {
		if old, err := am.Silence(sent.ID); err == nil && scopeOf(old) != scopeOf(sil) {
			c.Refuse(refusal.New(400, "alerting.notifications.silences.invalidScope", "changing the rule of an existing silence is not allowed"))
			return
		}
	}
	if err := am.Silences.Set(context.Background(), sil); err != nil {
		if errors.Is(err, silence.ErrNotFound) {
			c.Refuse(refusal.New(404, "", "silence not found"))
			return
		}
		bad("failed to create silence: %v", err)
		return
	}
	body := map[string]any{"silenceID": sil.Id}
	if s.Cfg.Version.SilenceEcho() {
		body["id"], body["message"] = sil.Id, "silence created"
	}
	c.JSON(202, body)
}

func (s *api) expireSilence(c *server.Call, am *routing.Alertmanager) {
	if sil, err := am.Silence(c.R.PathValue("id")); err == nil && !s.maySilence(c, "write", sil) {
		c.Refuse(s.unauthorized("write"))
		return
	}
	am.SilenceMu.Lock()
	err := am.Silences.Expire(context.Background(), c.R.PathValue("id"))
	am.SilenceMu.Unlock()
	if err != nil {
		if errors.Is(err, silence.ErrNotFound) {
			c.Message(404, "silence not found")
			return
		}
		c.Message(500, err.Error())
		return
	}
	c.Message(200, "silence deleted")
}
