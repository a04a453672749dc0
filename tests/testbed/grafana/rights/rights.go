// Package rights has Grafana's access control: what a role or a service account holds, and what an endpoint needs.
package rights

import (
	"slices"
	"strings"
)

// Grant is a right that somebody holds: an action, and where it counts. A scope may end in *; without one the action counts
// for the whole organisation.
type Grant struct {
	Action string `json:"action"`
	Scope  string `json:"scope,omitempty"`
}

// Held is everything that somebody holds.
type Held []Grant

// Has says whether an action is held for one of the scopes; without scopes, whether it is held at all.
func (h Held) Has(action string, scopes ...string) bool {
	for _, g := range h {
		if g.Action != action {
			continue
		}
		if len(scopes) == 0 || slices.ContainsFunc(scopes, g.covers) {
			return true
		}
	}
	return false
}

func (g Grant) covers(scope string) bool {
	if prefix, ok := strings.CutSuffix(g.Scope, "*"); ok {
		return strings.HasPrefix(scope, prefix)
	}
	return g.Scope == scope
}

// Need is what an endpoint needs: one right, all of several, or any of several. The zero value needs nothing.
type Need struct {
	action string
	scope  string
	all    []Need
	any    []Need
}

// One needs an action, for a scope if one is named. In a scope, {name} is that part of the path.
func One(action string, scope ...string) Need {
	return Need{action: action, scope: strings.Join(scope, "")}
}

// All needs all of these.
func All(of ...Need) Need { return Need{all: of} }

// Any needs any of these.
func Any(of ...Need) Need { return Need{any: of} }

// Ones needs any of these actions.
func Ones(actions ...string) Need {
	var of []Need
	for _, action := range actions {
		of = append(of, One(action))
	}
	return Any(of...)
}

// Met says whether somebody holds what is needed; scopes gives the scopes that stand for one, the folders above a folder too.
func (n Need) Met(held Held, scopes func(scope string) []string) bool {
	switch {
	case len(n.all) > 0:
		return !slices.ContainsFunc(n.all, func(each Need) bool { return !each.Met(held, scopes) })
	case len(n.any) > 0:
		return slices.ContainsFunc(n.any, func(each Need) bool { return each.Met(held, scopes) })
	case n.action == "":
		return true
	case n.scope == "":
		return held.Has(n.action)
	}
	return held.Has(n.action, scopes(n.scope)...)
}

// String names what is needed, as a refusal does.
func (n Need) String() string {
	list := func(of []Need) string {
		texts := make([]string, 0, len(of))
		for _, each := range of {
			texts = append(texts, each.String())
		}
		return strings.Join(texts, ", ")
	}
	switch {
	case len(n.all) > 0:
		return "all of " + list(n.all)
	case len(n.any) > 0:
		return "any of " + list(n.any)
	}
	return n.action
}
