package store

import (
	"time"

	"alertwright.testbed/grafana/refusal"
)

// PutGroup replaces a group: rules that aren't sent are deleted, one that is another group's is moved here, and all that stay get a new
// version if anything has changed. Without rules only the interval is set (provisioning/alert_rules.go, store/deltas.go; recorded on 10.0).
func (s *Store) PutGroup(org int64, sent *ProvisionedGroup, provenance string) *refusal.Refused {
	v := s.cfg.Version
	var rules []*Rule
	seen := map[string]bool{}
	s.Mu.RLock()
	known := map[string]*Rule{}
	for _, p := range sent.Rules {
		if r := s.Orgs[org].Rules[p.UID]; r != nil && p.UID != "" {
			known[p.UID] = r
		}
	}
	s.Mu.RUnlock()
	for i := range sent.Rules {
		p := sent.Rules[i]
		if old := known[p.UID]; old != nil {
			patch(&p, old)
		}
		r, refused := s.ToRule(&p, org)
		if refused != nil {
			return refused
		}
		if r.UID != "" && seen[r.UID] {
			return refusal.Mistake(v, "alerting.alert-rule.invalid", "invalid alert rule: rule UID '%s' is used twice", r.UID)
		}
		seen[r.UID] = true
		if v.NewUIDsInGroupPut() {
			r.Index = i + 1
		}
		rules = append(rules, r)
	}

	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[org]
	key := GroupKey{sent.FolderUID, sent.Title}
	g := o.Groups[key]
	now := time.Now().UTC()
	var change Change
	if len(rules) == 0 {
		if g == nil || len(g.Rules) == 0 {
			if v.ClientErrors() {
				return refusal.New(404, "alerting.alert-rule.notFound", "rule group not found")
			}
			return nil
		}
		if g.Interval != sent.Interval {
			g.Interval = sent.Interval
			// Who sets the interval alone takes the rules over (recorded on 10.0).
			for _, r := range g.Sorted(v.NewUIDsInGroupPut()) {
				if r.Provenance != provenance {
					s.store(&change, o, r.copy(), r, provenance, now)
				}
			}
			g = o.Groups[key]
			s.bump(&change, g, now)
			o.RuleGen++
			s.Journal.Commit(&change)
		}
		return nil
	}
	// First see whether all of it can be done.
	wanted := map[string]*Rule{}
	added := 0
	for _, r := range rules {
		if r.UID != "" {
			if o.Rules[r.UID] == nil {
				if !v.NewUIDsInGroupPut() {
					return refusal.New(500, "", "failed to update rule with UID %s because could not find alert rule", r.UID)
				}
				added++
			}
			wanted[r.UID] = r
			continue
		}
		r.UID = NewUID()
		wanted[r.UID] = r
		added++
	}
	if refused := s.checkQuota(o, added); refused != nil {
		if !v.ClientErrors() {
			// A group's quota was an error of the server at first, unlike a single rule's (api_provisioning.go of 10.0).
			return refusal.New(500, "", "%s", refused.Message)
		}
		return refused
	}
	if g != nil {
		for uid, r := range g.Rules {
			if wanted[uid] == nil && r.Provenance != "" && r.Provenance != "api" {
				return MayDelete(v, r, provenance)
			}
		}
	}
	if refused := s.titlesFit(o, g, rules, wanted); refused != nil {
		return refused
	}
	// Then do it.
	changed := false
	if g != nil {
		for uid, r := range g.Rules {
			if wanted[uid] == nil {
				o.RemoveRule(r)
				change.Remove(RuleRecord(r))
				changed = true
			}
		}
	}
	for _, r := range rules {
		old := o.Rules[r.UID]
		if old != nil && sameContent(old, r) && old.Provenance == provenance {
			continue
		}
		// All titles fit in the end, whatever is in the index in between.
		s.store(&change, o, r, old, provenance, now)
		changed = true
	}
	g = o.Groups[key]
	for _, r := range g.Rules {
		o.titles[titleKey{r.Folder, r.Title}] = r.UID
	}
	if g.Interval != sent.Interval {
		g.Interval = sent.Interval
		changed = true
	}
	if changed {
		s.bump(&change, g, now)
		o.RuleGen++
		s.Journal.Commit(&change)
	}
	return nil
}

// patch keeps of a stored rule what an update in a group may leave out.
func patch(p *ProvisionedRule, old *Rule) {
	if p.Title == "" {
		p.Title = old.Title
	}
	if p.Condition == "" || len(p.Data) == 0 {
		p.Condition, p.Data = old.Condition, old.Data
	}
	if p.NoDataState == "" {
		p.NoDataState = old.NoDataState
	}
	if p.ExecErrState == "" {
		p.ExecErrState = old.ExecErrState
	}
}
