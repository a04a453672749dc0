package store

import (
	"time"

	"github.com/google/uuid"

	"alertwright.testbed/grafana/refusal"
)

// SetInterval changes how often a group is evaluated.
func (s *Store) SetInterval(org int64, key GroupKey, seconds int64) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[org]
	g := o.Groups[key]
	if g == nil || g.Interval == seconds {
		return
	}
	g.Interval = seconds
	var change Change
	s.bump(&change, g, time.Now().UTC())
	o.RuleGen++
	s.Journal.Commit(&change)
}

// bump gives all other rules of a group a new version.
func (s *Store) bump(change *Change, g *Group, now time.Time) {
	next := *g
	next.Bumps++
	next.Updated = now
	*g = next
	change.Put(GroupRecord(g), g)
}

// DropGroup forgets a group without rules.
func (s *Store) DropGroup(change *Change, o *Org, g *Group) {
	if len(g.Rules) == 0 {
		delete(o.Groups, GroupKey{g.Folder, g.Name})
		change.Remove(GroupRecord(g))
	}
}

// Version is a rule's version.
func (r *Rule) Version(g *Group) int64 {
	if g == nil {
		return r.Ver
	}
	return r.Ver + g.Bumps
}

// CreateRule adds a rule. It takes its group's interval, or makes the group with 60 s.
func (s *Store) CreateRule(r *Rule, provenance string) (*Rule, *refusal.Refused) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[r.Org]
	if refused := s.checkFolder(o, r); refused != nil {
		return nil, refused
	}
	if r.UID == "" {
		r.UID = NewUID()
	}
	if o.Rules[r.UID] != nil || s.takenTitle(o, r) {
		return nil, conflict(s.cfg.Version, r)
	}
	if refused := s.checkQuota(o, 1); refused != nil {
		return nil, refused
	}
	var change Change
	s.store(&change, o, r, nil, provenance, time.Now().UTC())
	s.Journal.Commit(&change)
	return r, nil
}

// store puts a rule in place of an old one or of none. To be called with the lock.
func (s *Store) store(change *Change, o *Org, r, old *Rule, provenance string, now time.Time) {
	r.Provenance, r.Updated = provenance, now
	if old != nil {
		r.ID, r.GUID = old.ID, old.GUID
		from := o.Groups[GroupKey{old.Folder, old.Group}]
		version := old.Version(from) + 1
		o.RemoveRule(old)
		if old.Folder != r.Folder || old.Group != r.Group {
			s.DropGroup(change, o, from)
			if len(from.Rules) > 0 {
				s.bump(change, from, now)
			}
		}
		s.place(change, o, r, version, now)
		return
	}
	r.ID, r.GUID = s.NextID(), uuid.NewString()
	s.place(change, o, r, 1, now)
}

func (s *Store) place(change *Change, o *Org, r *Rule, version int64, now time.Time) {
	g := o.Groups[GroupKey{r.Folder, r.Group}]
	isNew := g == nil
	o.insertRule(r)
	if isNew {
		g = o.Groups[GroupKey{r.Folder, r.Group}]
		change.Put(GroupRecord(g), g)
	} else if len(g.Rules) > 1 {
		s.bump(change, g, now)
	}
	r.Ver = version - g.Bumps
	change.Put(RuleRecord(r), r)
	o.RuleGen++
}

// UpdateRule replaces a rule, and moves it where its folder or group is another one.
func (s *Store) UpdateRule(r *Rule, provenance string) (*Rule, *refusal.Refused) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[r.Org]
	old := o.Rules[r.UID]
	if old == nil {
		return nil, refusal.New(404, "", "rule not found")
	}
	if refused := mayUpdate(s.cfg.Version, old.Provenance, provenance); refused != nil {
		return nil, refused
	}
	if refused := s.checkFolder(o, r); refused != nil {
		return nil, refused
	}
	if s.takenTitle(o, r) {
		return nil, conflict(s.cfg.Version, r)
	}
	if r.Folder == old.Folder && r.Group == old.Group {
		r.Index = old.Index
	}
	if provenance == old.Provenance {
		// Source: models/provisioning.go, ProvenanceMatchesManager: a coarser view of the same manager changes nothing.
		r.Manager = old.Manager
	}
	var change Change
	s.store(&change, o, r, old, provenance, time.Now().UTC())
	s.Journal.Commit(&change)
	return r, nil
}

// DeleteRule deletes a rule; that there is none is no mistake (recorded on 10.0).
func (s *Store) DeleteRule(org int64, uid, provenance string) *refusal.Refused {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	o := s.Orgs[org]
	r := o.Rules[uid]
	if r == nil {
		return nil
	}
	if refused := MayDelete(s.cfg.Version, r, provenance); refused != nil {
		return refused
	}
	var change Change
	g := o.Groups[GroupKey{r.Folder, r.Group}]
	o.RemoveRule(r)
	change.Remove(RuleRecord(r))
	s.DropGroup(&change, o, g)
	o.RuleGen++
	s.Journal.Commit(&change)
	return nil
}
