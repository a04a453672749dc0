package platform

import (
	"encoding/json"
	"fmt"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Inhibition rules.

type inhibitionSpec struct {
	Source []treeMatcher `json:"source_matchers"`
	Target []treeMatcher `json:"target_matchers"`
	Equal  []string      `json:"equal,omitempty"`
}

func (s *api) inhibitionObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []object{}
	for _, i := range s.Store.Orgs[c.Who.Org].Alerting.Inhibitions {
		spec := inhibitionSpec{matchersToTree(i.Source), matchersToTree(i.Target), i.Equal}
		list = append(list, object{Metadata: metadata{Name: i.Name, UID: i.Name, Annotations: notes(i.Provenance), ResourceVersion: store.Fingerprint(spec)}, Spec: mustJSON(spec)})
	}
	return list
}

func (s *api) putInhibition(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec inhibitionSpec
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("", err)
	}
	name := sent.Metadata.Name
	if old != nil {
		name = old.Metadata.Name
	}
	if name == "" {
		name = store.NewUID()
	}
	i := &store.Inhibition{Org: c.Who.Org, Name: name, Source: matchersFromTree(spec.Source), Target: matchersFromTree(spec.Target), Equal: spec.Equal, Provenance: provenanceOf(sent)}
	for _, m := range append(append([]store.ObjectMatcher{}, i.Source...), i.Target...) {
		if _, err := m.Matcher(); err != nil {
			return "", refusal.New(400, "", "invalid matcher: %v", err)
		}
	}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if old == nil && a.Inhibitions[name] != nil {
			return refusal.New(409, "alreadyExists", "inhibition rule %q already exists", name)
		}
		a.Inhibitions[name] = i
		a.Version++
		change.Put(fmt.Sprintf("inhibition/%d/%s", i.Org, name), i)
		return nil
	})
	return name, refused
}

func (s *api) removeInhibition(c *server.Call, old *object) *refusal.Refused {
	return s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		delete(a.Inhibitions, old.Metadata.Name)
		a.Version++
		change.Remove(fmt.Sprintf("inhibition/%d/%s", c.Who.Org, old.Metadata.Name))
		return nil
	})
}
