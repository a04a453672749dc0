package store

import (
	"strings"
	"time"

	"alertwright.testbed/grafana/refusal"
)

// sentinel is what the name of a group begins with that stands for none: a rule that /apis has made is shown at the older addresses
// in a group of its own, whose name ends with its uid.
//
// Source: pkg/services/ngalert/models, NoGroupRuleGroup; public/app/features/alerting/unified/utils/rules.ts, NO_GROUP_PREFIX.
const sentinel = "no_group_for_rule_"

// Sentinel is the group that stands for none of a rule.
func Sentinel(uid string) string { return sentinel + uid }

// IsSentinel says whether a group stands for none.
func IsSentinel(group string) bool { return strings.HasPrefix(group, sentinel) }

// CheckSentinel refuses what the older addresses can't do with groups that stand for none: make one, join one, leave one, rename one.
//
// Source: pkg/tests/apis/alerting/rules/compat/alertrule_test.go; pull request #106859. Unconfirmed: the texts but that of leaving.
func (s *Store) CheckSentinel(org int64, uid, group string) *refusal.Refused {
	s.Mu.RLock()
	defer s.Mu.RUnlock()
	stored := s.Orgs[org].Rules[uid]
	bad := func(why string) *refusal.Refused {
		return refusal.New(400, "alerting.alert-rule.invalid", "invalid alert rule: %s", why)
	}
	switch {
	case stored != nil && IsSentinel(stored.Group) && stored.Group != group:
		return bad("cannot move rule out of this group")
	case IsSentinel(group) && (stored == nil || stored.Group != group):
		return bad("cannot create or move a rule into a group whose name is reserved")
	}
	return nil
}

// GroupOf is a rule's group. To be called with the lock.
func (o *Org) GroupOf(r *Rule) *Group { return o.Groups[GroupKey{r.Folder, r.Group}] }

// PutObject stores a rule as /apis does, with the interval of its group, in one step: in place of the one with its uid, or as a new
// one. First it asks whether that may be, with what is stored.
func (s *Store) PutObject(r *Rule, seconds int64, may func(old *Rule, g *Group) error) error {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[r.Org]
	old := o.Rules[r.UID]
	var from *Group
	if old != nil {
		from = o.GroupOf(old)
	}
	if err := may(old, from); err != nil {
		return err
	}
	if refused := s.checkFolder(o, r); refused != nil {
		return refused
	}
	if s.takenTitle(o, r) {
		return conflict(s.cfg.Version, r)
	}
	now := time.Now().UTC()
	var change Change
	if old == nil {
		if refused := s.checkQuota(o, 1); refused != nil {
			return refused
		}
	}
	s.store(&change, o, r, old, r.Provenance, now)
	if g := o.GroupOf(r); g.Interval != seconds {
		g.Interval = seconds
		change.Put(GroupRecord(g), g)
		if len(g.Rules) > 1 {
			s.bump(&change, g, now)
		}
	}
	s.Journal.Commit(&change)
	return nil
}
