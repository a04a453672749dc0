// Package folders answers for folders and the search for them.
package folders

import (
	"slices"
	"sort"
	"strings"
	"time"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Folders, and the search that lists them at every depth.

func (s *api) routeFolders() {
	s.Handle("GET /api/folders", server.ReadFolders, s.listFolders)
	s.Handle("POST /api/folders", server.MakeFolders, s.createFolder)
	s.Handle("GET /api/folders/{uid}", server.ReadFolder, s.withFolder(func(c *server.Call, o *store.Org, f *store.Folder) { c.JSON(200, s.folderBody(o, f)) }))
	s.Handle("GET /api/folders/{uid}/counts", server.ReadFolder, s.withFolder(s.folderCounts))
	s.Handle("PUT /api/folders/{uid}", server.WriteFolder, s.updateFolder)
	s.Handle("POST /api/folders/{uid}/move", server.WriteFolder, s.moveFolder)
	s.Handle("DELETE /api/folders/{uid}", server.DeleteFolder, s.deleteFolder)
	s.Handle("GET /api/search", server.ReadFolders, s.search)
}

func (s *api) folderMissing(c *server.Call) {
	c.JSON(404, map[string]any{"message": "folder not found", "status": "not-found"})
}

func (s *api) withFolder(handler func(c *server.Call, o *store.Org, f *store.Folder)) server.Handler {
	return func(c *server.Call) {
		s.Store.Mu.RLock()
		defer s.Store.Mu.RUnlock()
		o := s.Store.Orgs[c.Who.Org]
		f := o.Folders[c.R.PathValue("uid")]
		if f == nil {
			s.folderMissing(c)
			return
		}
		handler(c, o, f)
	}
}

func (s *api) folderBody(o *store.Org, f *store.Folder) map[string]any {
	body := map[string]any{
		"id": f.ID, "uid": f.UID, "title": f.Title, "url": f.Link(), "hasAcl": false, "canSave": true, "canEdit": true, "canAdmin": true,
		"canDelete": true, "createdBy": f.By, "created": f.Created, "updatedBy": f.By, "updated": f.Updated, "version": f.Version,
	}
	if s.Cfg.Version.OrgInFolders() {
		body["orgId"] = f.Org
	}
	if f.Description != "" {
		body["description"] = f.Description
	}
	if f.Parent != "" {
		body["parentUid"] = f.Parent
		parents := []map[string]any{}
		for p := o.Folders[f.Parent]; p != nil && len(parents) < 20; p = o.Folders[p.Parent] {
			parents = append([]map[string]any{{"uid": p.UID, "title": p.Title, "url": p.Link()}}, parents...)
		}
		body["parents"] = parents
	}
	return body
}

func (s *api) listFolders(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[c.Who.Org]
	parent := c.Query("parentUid")
	if parent != "" && o.Folders[parent] == nil {
		s.folderMissing(c)
		return
	}
	list := []map[string]any{}
	for _, f := range o.Folders {
		if f.Parent != parent || !c.Who.HasIn(o, f.UID, "folders:read") {
			continue
		}
		body := map[string]any{"id": f.ID, "uid": f.UID, "title": f.Title}
		if f.Parent != "" {
			body["parentUid"] = f.Parent
		}
		list = append(list, body)
	}
	c.JSON(200, page(c, sortTitles(list), 1000))
}

func sortTitles(list []map[string]any) []map[string]any {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i]["title"].(string), list[j]["title"].(string)
		if a != b {
			return a < b
		}
		return list[i]["uid"].(string) < list[j]["uid"].(string)
	})
	return list
}

func page(c *server.Call, list []map[string]any, limit int) []map[string]any {
	limit = min(max(c.Number("limit", limit), 1), len(list))
	before := min(max(c.Number("page", 1), 1)-1, len(list))
	from := min(before*limit, len(list))
	return list[from:min(from+limit, len(list))]
}

func (s *api) search(c *server.Call) {
	// In every release (pkg/api/search.go).
	if c.Number("limit", 0) > 5000 {
		c.Message(422, "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit")
		return
	}
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[c.Who.Org]
	list := []map[string]any{}
	kind := c.Query("type")
	if kind == "" || kind == "dash-folder" {
		needle := strings.ToLower(c.Query("query"))
		within := c.R.URL.Query()["folderUIDs"]
		for _, f := range o.Folders {
			if !strings.Contains(strings.ToLower(f.Title), needle) || len(within) > 0 && !slices.Contains(within, f.Parent) ||
				!c.Who.HasIn(o, f.UID, "folders:read") {
				continue
			}
			body := map[string]any{
				"id": f.ID, "uid": f.UID, "title": f.Title, "uri": "db/" + store.Slug(f.Title), "url": f.Link(), "slug": "", "type": "dash-folder",
				"tags": []string{}, "isStarred": false, "sortMeta": 0,
			}
			if f.Description != "" && s.Cfg.Version.HitDescription() {
				body["description"] = f.Description
			}
			if p := o.Folders[f.Parent]; p != nil {
				body["folderId"], body["folderUid"], body["folderTitle"], body["folderUrl"] = p.ID, p.UID, p.Title, p.Link()
			}
			list = append(list, body)
		}
	}
	c.JSON(200, page(c, sortTitles(list), 1000))
}

func (s *api) folderCounts(c *server.Call, o *store.Org, f *store.Folder) {
	all := o.Below(f.UID)
	rules := 0
	for key, g := range o.Groups {
		if all[key.Folder] {
			rules += len(g.Rules)
		}
	}
	if s.Cfg.Version.CountsByPlural() {
		c.JSON(200, map[string]int{"alertrules": rules, "dashboards": 0, "folders": len(all) - 1, "library_elements": 0})
		return
	}
	counts := map[string]int{"alertrule": rules, "dashboard": 0}
	if s.Cfg.Version.CountsLibrary() {
		counts["librarypanel"] = 0
	}
	if s.Cfg.NestedFolders() {
		counts["folder"] = len(all) - 1
	}
	c.JSON(200, counts)
}

// isTitleTaken says whether a title clashes with another folder's. To be called with the lock.
func (s *api) isTitleTaken(o *store.Org, title, parent, except string) bool {
	return o.TitleTaken(title, parent, except, s.Cfg.Version.TitlesUniqueInOrg())
}

// tooDeep refuses a folder that has too many above it (pkg/services/folder/model.go).
func (s *api) tooDeep(c *server.Call) {
	c.JSON(400, map[string]any{"message": "Maximum nested folder depth reached", "messageId": "folder.maximum-depth-reached"})
}

func (s *api) titleTaken(c *server.Call) {
	if s.Cfg.Version.FolderPathInNames() {
		c.Message(409, "a folder with the same name already exists in the current location")
		return
	}
	c.Message(409, "a folder or dashboard in the general folder with the same name already exists")
}

type sentFolder struct {
	UID         string `json:"uid"`
	Title       string `json:"title"`
	Description string `json:"description"`
	ParentUID   string `json:"parentUid"`
	Version     int64  `json:"version"`
	Overwrite   bool   `json:"overwrite"`
}

func (s *api) createFolder(c *server.Call) {
	var sent sentFolder
	if !c.Read(&sent) {
		return
	}
	title := strings.TrimSpace(sent.Title)
	if title == "" {
		c.Message(400, "folder title cannot be empty")
		return
	}
	if err := store.ValidUID(sent.UID); err != nil {
		c.Message(400, strings.ReplaceAll(err.Error(), "40 symbols", "40 characters"))
		return
	}
	if strings.EqualFold(title, "general") && s.Cfg.Version.GeneralFolderName() {
		c.Message(400, "folder name cannot be the same as the root folder's")
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	if !s.Cfg.NestedFolders() {
		sent.ParentUID = ""
	}
	if sent.ParentUID != "" && o.Folders[sent.ParentUID] == nil {
		c.JSON(404, map[string]any{"message": "parent folder not found", "messageId": "folder.parent-not-found", "statusCode": 404, "traceID": ""})
		return
	}
	parent := sent.ParentUID
	if parent == "" {
		parent = "general"
	}
	if !c.Who.HasIn(o, parent, "folders:create") {
		c.Forbidden("folders:create")
		return
	}
	if o.Depth(sent.ParentUID) >= s.Cfg.Version.FolderDepth() {
		s.tooDeep(c)
		return
	}
	if sent.UID == "" {
		sent.UID = store.NewUID()
	}
	if o.Folders[sent.UID] != nil {
		if s.Cfg.Version.TakenFolderIs412() {
			c.JSON(412, map[string]any{"message": "the folder has been changed by someone else", "status": "version-mismatch"})
			return
		}
		c.Message(409, "a folder/dashboard with the same uid already exists")
		return
	}
	if s.isTitleTaken(o, title, sent.ParentUID, "") {
		s.titleTaken(c)
		return
	}
	now := time.Now().UTC().Truncate(time.Second)
	f := &store.Folder{
		ID: s.Store.NextID(), Org: o.ID, UID: sent.UID, Title: title, Description: sent.Description, Parent: sent.ParentUID, Version: 1,
		Created: now, Updated: now, By: c.Who.Login,
	}
	s.Store.SaveFolder(o, f)
	c.JSON(200, s.folderBody(o, f))
}

func (s *api) updateFolder(c *server.Call) {
	var sent sentFolder
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	f := o.Folders[c.R.PathValue("uid")]
	switch {
	case f == nil:
		s.folderMissing(c)
	case strings.TrimSpace(sent.Title) == "":
		c.Message(400, "folder title cannot be empty")
	case !sent.Overwrite && sent.Version != f.Version:
		c.JSON(412, map[string]any{"message": "the folder has been changed by someone else", "status": "version-mismatch"})
	case s.isTitleTaken(o, sent.Title, f.Parent, f.UID):
		s.titleTaken(c)
	default:
		next := *f
		next.Title, next.Version, next.Updated = strings.TrimSpace(sent.Title), f.Version+1, time.Now().UTC().Truncate(time.Second)
		if sent.Description != "" {
			next.Description = sent.Description
		}
		s.Store.SaveFolder(o, &next)
		c.JSON(200, s.folderBody(o, &next))
	}
}

func (s *api) moveFolder(c *server.Call) {
	var sent sentFolder
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	f := o.Folders[c.R.PathValue("uid")]
	switch {
	case f == nil || !s.Cfg.NestedFolders():
		s.folderMissing(c)
	case sent.ParentUID != "" && o.Folders[sent.ParentUID] == nil:
		c.Message(404, "parent folder not found")
	case o.Below(f.UID)[sent.ParentUID]:
		c.Message(400, "failed to move folder: circular reference")
	case o.Depth(sent.ParentUID)+o.Height(f.UID) > s.Cfg.Version.FolderDepth():
		s.tooDeep(c)
	case s.isTitleTaken(o, f.Title, sent.ParentUID, f.UID):
		c.Message(409, "a folder with the same name already exists in the current location")
	default:
		next := *f
		next.Parent, next.Version = sent.ParentUID, f.Version+1
		s.Store.SaveFolder(o, &next)
		c.JSON(200, s.folderBody(o, &next))
	}
}

func (s *api) deleteFolder(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	f := o.Folders[c.R.PathValue("uid")]
	if f == nil {
		s.folderMissing(c)
		return
	}
	all := o.Below(f.UID)
	var groups []*store.Group
	for key, g := range o.Groups {
		if all[key.Folder] && len(g.Rules) > 0 {
			groups = append(groups, g)
		}
	}
	if len(groups) > 0 && !c.Flag("forceDeleteRules", false) {
		if s.Cfg.Version.FolderMessageIDs() {
			c.JSON(400, map[string]any{
				"message": "folder cannot be deleted: folder contains alert rules", "messageId": "folder.contains-alert-rules",
				"statusCode": 400, "traceID": "",
			})
			return
		}
		c.Message(400, "folder cannot be deleted: folder contains alert rules")
		return
	}
	s.Store.RemoveFolder(o, f.UID)
	c.JSON(200, map[string]any{"message": "Folder " + f.Title + " deleted", "title": f.Title, "id": f.ID})
}
