package server

import (
	"strings"

	"alertwright.testbed/grafana/rights"
	"alertwright.testbed/grafana/store"
)

// Has says whether the caller holds a right, for one of the scopes if there are any.
func (i Identity) Has(action string, scopes ...string) bool { return i.Held.Has(action, scopes...) }

// HasAny says whether the caller holds any of these rights, wherever it counts.
func (i Identity) HasAny(actions ...string) bool {
	for _, action := range actions {
		if i.Held.Has(action) {
			return true
		}
	}
	return false
}

// HasIn says whether the caller holds a right in a folder, by the folder itself or by one above it. To be called with the store's lock.
func (i Identity) HasIn(o *store.Org, folder, action string) bool {
	return i.Held.Has(action, folderScopes(o, folder)...)
}

// MayReadRules says whether the caller sees the rules of a folder. To be called with the store's lock.
func (i Identity) MayReadRules(o *store.Org, folder string) bool {
	return i.HasIn(o, folder, "alert.rules:read") && i.HasIn(o, folder, "folders:read")
}

func folderScopes(o *store.Org, uid string) []string {
	scopes := []string{"folders:uid:" + uid}
	for f := o.Folders[uid]; f != nil && f.Parent != "" && len(scopes) < 20; f = o.Folders[f.Parent] {
		scopes = append(scopes, "folders:uid:"+f.Parent)
	}
	return scopes
}

// may says whether the caller has what a call needs.
func (c *Call) may(p Permission, who Identity) bool {
	switch p.kind {
	case "signedIn":
		return true
	case "super":
		return who.IsAdmin
	}
	c.S.Store.Mu.RLock()
	defer c.S.Store.Mu.RUnlock()
	o := c.S.Store.Orgs[who.Org]
	return c.needs(p).Met(who.Held, func(scope string) []string {
		prefix, name, _ := strings.Cut(scope, "{")
		value := c.R.PathValue(strings.TrimSuffix(name, "}"))
		if prefix == "folders:uid:" {
			return folderScopes(o, value)
		}
		return []string{prefix + value}
	})
}

func (c *Call) needs(p Permission) rights.Need {
	if p.before != nil && !c.S.Cfg.Version.FineReads() {
		return *p.before
	}
	return p.need
}

// heldBy is what somebody holds: by its role, by itself, and in the folders that it has made. To be called with the store's lock.
func (s *Server) heldBy(role string, own rights.Held, o *store.Org, login string) rights.Held {
	held := append(rights.OfRole(role, s.Cfg.Version), own...)
	if role == "Admin" || role == "Editor" {
		return held
	}
	for _, f := range o.Folders {
		if f.By == login {
			held = append(held, rights.OfFolder(f.UID)...)
		}
	}
	return held
}
