// Package datasources answers for data sources, and passes queries on to them.
package datasources

import (
	"io"
	"net/http"
	"sort"
	"strings"

	"alertwright.testbed/grafana/engine/datasource"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Data sources, and the proxy to them.

// routeByID adds what reaches a data source by its number.
func (s *api) routeByID() {
	s.Handle("GET /api/datasources/{id}", server.ReadSources, s.withSource(s.showSource))
	s.Handle("PUT /api/datasources/{id}", server.WriteSources, s.withSource(s.updateSource))
	s.Handle("DELETE /api/datasources/{id}", server.DeleteSources, s.withSource(s.deleteSource))
	s.Handle("/api/datasources/proxy/{id}/{path...}", server.AskSources, s.withSource(s.proxySource))
}

func (s *api) routeDataSources() {
	s.Handle("GET /api/datasources", server.ReadSources, s.listSources)
	s.Handle("POST /api/datasources", server.MakeSources, s.createSource)
	s.Handle("POST /api/ds/query", server.SignedIn, s.query)
	s.Handle("POST /api/v1/eval", server.TestRules, s.eval)
	s.Handle("POST /api/v1/rule/test/grafana", server.TestRules, s.testRule)
	if s.Cfg.Version.SourcesByID() {
		s.routeByID()
	}
	s.Handle("GET /api/datasources/uid/{uid}", server.ReadSources, s.withSource(s.showSource))
	s.Handle("PUT /api/datasources/uid/{uid}", server.WriteSources, s.withSource(s.updateSource))
	s.Handle("DELETE /api/datasources/uid/{uid}", server.DeleteSources, s.withSource(s.deleteSource))
	s.Handle("GET /api/datasources/name/{name}", server.ReadSources, s.withSource(s.showSource))
	s.Handle("DELETE /api/datasources/name/{name}", server.DeleteSources, s.withSource(s.deleteSource))
	s.Handle("GET /api/datasources/id/{name}", server.ReadSources, s.withSource(func(c *server.Call, d *store.DataSource) { c.JSON(200, map[string]any{"id": d.ID}) }))
	s.Handle("/api/datasources/proxy/uid/{uid}/{path...}", server.AskSources, s.withSource(s.proxySource))
	s.Handle("GET /api/datasources/uid/{uid}/health", server.AskSources, s.withSource(func(c *server.Call, d *store.DataSource) {
		c.JSON(200, map[string]any{"message": "OK", "status": "OK"})
	}))
}

// withSource finds the data source of a path.
func (s *api) withSource(handler func(c *server.Call, d *store.DataSource)) server.Handler {
	return func(c *server.Call) {
		s.Store.Mu.RLock()
		var found *store.DataSource
		o := s.Store.Orgs[c.Who.Org]
		if uid := c.R.PathValue("uid"); uid != "" {
			found = o.Sources[uid]
		} else {
			for _, d := range o.Sources {
				if d.Name == c.R.PathValue("name") || d.ID == c.ID("id") {
					found = d
				}
			}
		}
		s.Store.Mu.RUnlock()
		if found == nil {
			c.Message(404, "Data source not found")
			return
		}
		handler(c, found)
	}
}

func sourceBody(d *store.DataSource) map[string]any {
	secure := map[string]bool{}
	for name := range d.Secure {
		secure[name] = true
	}
	data := d.JSON
	if data == nil {
		data = map[string]any{}
	}
	return map[string]any{
		"id": d.ID, "uid": d.UID, "orgId": d.Org, "name": d.Name, "type": d.Type, "typeName": d.Type, "typeLogoUrl": "", "access": d.Access,
		"url": d.URL, "user": d.User, "database": d.Database, "basicAuth": d.BasicAuth, "basicAuthUser": d.BasicUser,
		"withCredentials": d.WithCreds, "isDefault": d.IsDefault, "jsonData": data, "secureJsonFields": secure, "version": d.Version,
		"readOnly": d.ReadOnly,
	}
}

func (s *api) listSources(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, d := range s.Store.Orgs[c.Who.Org].Sources {
		if !c.Who.Has("datasources:read", "datasources:uid:"+d.UID) {
			continue
		}
		body := sourceBody(d)
		delete(body, "secureJsonFields")
		delete(body, "version")
		delete(body, "withCredentials")
		list = append(list, body)
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["name"].(string) < list[j]["name"].(string) })
	c.JSON(200, list)
}

func (s *api) showSource(c *server.Call, d *store.DataSource) { c.JSON(200, sourceBody(d)) }

type sentSource struct {
	UID            string            `json:"uid"`
	Name           string            `json:"name"`
	Type           string            `json:"type"`
	Access         string            `json:"access"`
	URL            string            `json:"url"`
	User           string            `json:"user"`
	Database       string            `json:"database"`
	BasicAuth      bool              `json:"basicAuth"`
	BasicUser      string            `json:"basicAuthUser"`
	WithCreds      bool              `json:"withCredentials"`
	IsDefault      bool              `json:"isDefault"`
	JSONData       map[string]any    `json:"jsonData"`
	SecureJSONData map[string]string `json:"secureJsonData"`
}

func (s *api) createSource(c *server.Call) {
	var sent sentSource
	if !c.Read(&sent) {
		return
	}
	s.saveSource(c, &sent, nil)
}

func (s *api) updateSource(c *server.Call, d *store.DataSource) {
	var sent sentSource
	if !c.Read(&sent) {
		return
	}
	s.saveSource(c, &sent, d)
}

func (s *api) saveSource(c *server.Call, sent *sentSource, old *store.DataSource) {
	if sent.Name == "" || sent.Type == "" || sent.Access == "" && old == nil {
		c.Message(400, "bad request data")
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	d := &store.DataSource{
		Org: c.Who.Org, UID: sent.UID, Name: sent.Name, Type: sent.Type, Access: sent.Access, URL: sent.URL, User: sent.User,
		Database: sent.Database, BasicAuth: sent.BasicAuth, BasicUser: sent.BasicUser, WithCreds: sent.WithCreds,
		IsDefault: sent.IsDefault, JSON: sent.JSONData, Secure: map[string]string{}, Version: 1,
	}
	if old != nil {
		d.ID, d.Version = old.ID, old.Version+1
		if d.UID == "" {
			d.UID = old.UID
		}
		for name, value := range old.Secure {
			d.Secure[name] = value
		}
	}
	for name, value := range sent.SecureJSONData {
		d.Secure[name] = value
	}
	if d.UID == "" {
		d.UID = store.NewUID()
	}
	if err := store.ValidUID(d.UID); err != nil {
		c.Message(400, "invalid uid: "+err.Error())
		return
	}
	for _, other := range o.Sources {
		if old != nil && other.UID == old.UID {
			continue
		}
		if other.Name == d.Name {
			c.Message(409, "data source with the same name already exists")
			return
		}
		if other.UID == d.UID {
			c.Message(409, "data source with the same uid already exists")
			return
		}
	}
	var change store.Change
	if d.IsDefault {
		for uid, other := range o.Sources {
			if other.IsDefault && (old == nil || other.UID != old.UID) {
				next := *other
				next.IsDefault = false
				o.Sources[uid] = &next
				change.Put(store.SourceRecord(&next), &next)
			}
		}
	}
	if old != nil && old.UID != d.UID {
		delete(o.Sources, old.UID)
		change.Remove(store.SourceRecord(old))
	}
	if d.ID == 0 {
		d.ID = s.Store.NextID()
	}
	o.Sources[d.UID] = d
	change.Put(store.SourceRecord(d), d)
	s.Store.Journal.Commit(&change)
	message := "Datasource added"
	if old != nil {
		message = "Datasource updated"
	}
	c.JSON(200, map[string]any{"datasource": sourceBody(d), "id": d.ID, "message": message, "name": d.Name})
}

func (s *api) deleteSource(c *server.Call, d *store.DataSource) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	delete(s.Store.Orgs[c.Who.Org].Sources, d.UID)
	var change store.Change
	change.Remove(store.SourceRecord(d))
	s.Store.Journal.Commit(&change)
	c.JSON(200, map[string]any{"message": "Data source deleted", "id": d.ID})
}

func (s *api) proxySource(c *server.Call, d *store.DataSource) {
	target := strings.TrimSuffix(d.URL, "/") + "/" + c.R.PathValue("path")
	if c.R.URL.RawQuery != "" {
		target += "?" + c.R.URL.RawQuery
	}
	request, err := http.NewRequestWithContext(c.R.Context(), c.R.Method, target, c.R.Body)
	if err != nil {
		c.Message(400, err.Error())
		return
	}
	for _, name := range []string{"Content-Type", "Accept", "X-Scope-Orgid"} {
		if value := c.R.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	d.Authenticate(request)
	answer, err := datasource.QueryClient.Do(request)
	if err != nil {
		c.Message(502, "Bad Gateway")
		return
	}
	defer answer.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := answer.Header.Get(name); value != "" {
			c.W.Header().Set(name, value)
		}
	}
	c.W.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(c.W, answer.Body)
}
