// Package store keeps everything that outlives a restart: one model behind the provisioning API, the ruler and /apis.
package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"alertwright.testbed/grafana/setup"
)

// Store is everything that outlives a restart. Objects in it are replaced, never changed, so that readers may keep them.
type Store struct {
	Mu       sync.RWMutex
	cfg      *setup.Config
	Journal  *Journal
	Orgs     map[int64]*Org
	Users    map[int64]*User
	Accounts map[int64]*ServiceAccount
	Tokens   map[string]*Token
	lastID   atomic.Int64
}

func Open(cfg *setup.Config) (*Store, error) {
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return nil, err
	}
	journal, lines, err := openJournal(filepath.Join(cfg.Data, "state.jsonl"))
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, Journal: journal, Orgs: map[int64]*Org{}, Users: map[int64]*User{},
		Accounts: map[int64]*ServiceAccount{}, Tokens: map[string]*Token{},
	}
	for _, line := range lines {
		if err := s.load(line); err != nil {
			return nil, fmt.Errorf("%s: %w", line.Key, err)
		}
	}
	if len(s.Orgs) == 0 {
		var c Change
		s.NewOrg(&c, 1, "Main Org.")
		admin := &User{
			ID: 1, Login: cfg.Setting("security.admin_user", "admin"), Name: "", Email: "admin@localhost",
			Password: cfg.Setting("security.admin_password", "admin"), IsAdmin: true, Org: 1, Roles: map[int64]string{1: "Admin"},
		}
		s.Users[1] = admin
		c.Put("user/1", admin)
		s.Journal.Commit(&c)
	}
	s.noteID(1)
	return s, nil
}

// org gives an organisation; while loading, its parts may come before it.
func (s *Store) org(id int64) *Org {
	o := s.Orgs[id]
	if o == nil {
		o = &Org{
			ID: id, Folders: map[string]*Folder{}, Sources: map[string]*DataSource{}, Rules: map[string]*Rule{},
			Groups: map[GroupKey]*Group{}, titles: map[titleKey]string{}, Silences: map[string]string{},
			Sequences: map[string]*Sequence{}, Alerting: NewAlertingConfig(),
		}
		s.Orgs[id] = o
	}
	return o
}

func (s *Store) NewOrg(c *Change, id int64, name string) *Org {
	o := s.org(id)
	o.Name = name
	c.Put(fmt.Sprintf("org/%d", id), struct {
		ID   int64
		Name string
	}{id, name})
	o.Alerting.SetDefaults(c, id, s.cfg.Version, s.NextID)
	return o
}

func (s *Store) noteID(id int64) {
	for {
		last := s.lastID.Load()
		if id <= last || s.lastID.CompareAndSwap(last, id) {
			return
		}
	}
}

func (s *Store) NextID() int64 { return s.lastID.Add(1) }

func (s *Store) load(line journalLine) error {
	kind, _, _ := strings.Cut(line.Key, "/")
	read := func(into any) error { return json.Unmarshal(line.Value, into) }
	switch kind {
	case "org":
		var v struct {
			ID   int64
			Name string
		}
		if err := read(&v); err != nil {
			return err
		}
		s.org(v.ID).Name = v.Name
		s.noteID(v.ID)
	case "user":
		v := &User{}
		if err := read(v); err != nil {
			return err
		}
		s.Users[v.ID] = v
		s.noteID(v.ID)
	case "account":
		v := &ServiceAccount{}
		if err := read(v); err != nil {
			return err
		}
		s.Accounts[v.ID] = v
		s.noteID(v.ID)
	case "token":
		v := &Token{}
		if err := read(v); err != nil {
			return err
		}
		s.Tokens[v.Key] = v
		s.noteID(v.ID)
	case "folder":
		v := &Folder{}
		if err := read(v); err != nil {
			return err
		}
		s.org(v.Org).Folders[v.UID] = v
		s.noteID(v.ID)
	case "source":
		v := &DataSource{}
		if err := read(v); err != nil {
			return err
		}
		s.org(v.Org).Sources[v.UID] = v
		s.noteID(v.ID)
	case "group":
		v := &Group{}
		if err := read(v); err != nil {
			return err
		}
		v.Rules = map[string]*Rule{}
		o := s.org(v.Org)
		if old := o.Groups[GroupKey{v.Folder, v.Name}]; old != nil {
			v.Rules = old.Rules
		}
		o.Groups[GroupKey{v.Folder, v.Name}] = v
	case "rule":
		v := &Rule{}
		if err := read(v); err != nil {
			return err
		}
		s.org(v.Org).insertRule(v)
		s.noteID(v.ID)
	case "sequence":
		v := &Sequence{}
		if err := read(v); err != nil {
			return err
		}
		s.org(v.Org).Sequences[v.Name] = v
	case "silence":
		var v struct {
			Org   int64
			ID    string
			Proto string
		}
		if err := read(&v); err != nil {
			return err
		}
		s.org(v.Org).Silences[v.ID] = v.Proto
	default:
		var o struct{ Org int64 }
		if err := read(&o); err != nil {
			return err
		}
		id, err := s.org(o.Org).Alerting.load(kind, read)
		s.noteID(id)
		return err
	}
	return nil
}
