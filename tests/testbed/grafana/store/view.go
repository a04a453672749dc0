package store

import (
	"maps"
	"slices"
)

// IsView says whether this is such a copy.
func (s *Store) IsView() bool { return s.Journal == nil }

// View is a copy of everything as it is now, for reading; what is written to the store later doesn't show in it.
func (s *Store) View() *Store {
	s.Mu.RLock()
	defer s.Mu.RUnlock()
	v := &Store{
		cfg: s.cfg, Orgs: make(map[int64]*Org, len(s.Orgs)), Users: maps.Clone(s.Users), Accounts: maps.Clone(s.Accounts), Tokens: maps.Clone(s.Tokens),
	}
	for id, o := range s.Orgs {
		v.Orgs[id] = o.view()
	}
	return v
}

func (o *Org) view() *Org {
	v := &Org{
		ID: o.ID, Name: o.Name, Folders: maps.Clone(o.Folders), Sources: maps.Clone(o.Sources), Rules: maps.Clone(o.Rules),
		Groups: make(map[GroupKey]*Group, len(o.Groups)), titles: maps.Clone(o.titles), Silences: maps.Clone(o.Silences),
		Alerting: o.Alerting.view(), RuleGen: o.RuleGen,
	}
	for key, g := range o.Groups {
		copied := *g
		copied.Rules = maps.Clone(g.Rules)
		v.Groups[key] = &copied
	}
	return v
}

func (a *AlertingConfig) view() *AlertingConfig {
	v := *a
	v.Integrations = slices.Clone(a.Integrations)
	v.Trees, v.Templates, v.Timings = maps.Clone(a.Trees), maps.Clone(a.Templates), maps.Clone(a.Timings)
	v.Inhibitions, v.Bare = maps.Clone(a.Inhibitions), maps.Clone(a.Bare)
	return &v
}
