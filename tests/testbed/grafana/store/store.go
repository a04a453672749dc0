// Package store keeps everything that outlives a restart: one model behind the provisioning API, the ruler and /apis.
package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"alertwright.testbed/grafana/setup"
)

// JournalFile is the name of the journal in the data folder.
const JournalFile = "state.jsonl"

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

// Open reads what is kept in the data folder; where there is nothing it makes the first organisation and its administrator.
func Open(cfg *setup.Config) (*Store, error) {
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg}
	journal, lines, err := openJournal(s.path())
	if err != nil {
		return nil, err
	}
	s.Journal = journal
	return s, s.take(lines)
}

func (s *Store) path() string { return filepath.Join(s.cfg.Data, JournalFile) }

// take puts what the lines say in place of everything.
func (s *Store) take(lines []journalLine) error {
	s.Orgs, s.Users, s.Accounts, s.Tokens = map[int64]*Org{}, map[int64]*User{}, map[int64]*ServiceAccount{}, map[string]*Token{}
	for _, line := range lines {
		if err := s.load(line); err != nil {
			return fmt.Errorf("%s: %w", line.Key, err)
		}
	}
	var c Change
	if len(s.Users) == 0 {
		admin := &User{
			ID: 1, Login: s.cfg.Setting("security.admin_user", "admin"), Name: "", Email: "admin@localhost",
			Password: s.cfg.Setting("security.admin_password", "admin"), IsAdmin: true, Org: 1, Roles: map[int64]string{1: "Admin"},
		}
		s.Users[1] = admin
		c.Put("user/1", admin)
	}
	if len(s.Orgs) == 0 {
		s.NewOrg(&c, 1, "Main Org.")
	}
	s.ensureAlerting(&c)
	s.Journal.Commit(&c)
	s.noteID(1)
	return nil
}

// EnsureAlerting gives an alerting configuration to the organisations that have none.
func (s *Store) EnsureAlerting() {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	var c Change
	s.ensureAlerting(&c)
	s.Journal.Commit(&c)
}

func (s *Store) ensureAlerting(c *Change) {
	for _, o := range s.Orgs {
		if o.Alerting.Route == nil {
			o.Alerting.SetDefaults(c, o.ID, s.cfg.Version, s.NextID)
		}
	}
}

// Replace puts what another journal says in place of everything, and keeps of the present the lines of some kinds ("account", "user",
// "token", "source"). An empty path stands for an empty database.
func (s *Store) Replace(path string, keep map[string]bool) error {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	var lines []journalLine
	if path != "" {
		var err error
		if lines, err = readJournal(path); err != nil {
			return err
		}
	}
	present, err := readJournal(s.path())
	if err != nil {
		return err
	}
	isKept := func(line journalLine) bool {
		kind, _, _ := strings.Cut(line.Key, "/")
		return keep[kind]
	}
	lines = slices.DeleteFunc(lines, isKept)
	for _, line := range present {
		if isKept(line) {
			lines = append(lines, line)
		}
	}
	if err := s.Journal.replace(s.path(), lines); err != nil {
		return err
	}
	return s.take(lines)
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

// NewOrg makes an organisation. It has no alerting configuration before the next poll makes one (EnsureAlerting; recorded on 10.0).
func (s *Store) NewOrg(c *Change, id int64, name string) *Org {
	o := s.org(id)
	o.Name = name
	c.Put(fmt.Sprintf("org/%d", id), struct {
		ID   int64
		Name string
	}{id, name})
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

// NextID is a number that nothing else has.
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
