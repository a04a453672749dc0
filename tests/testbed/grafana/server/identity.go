package server

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/rights"
	"alertwright.testbed/grafana/store"
)

// Identity is who calls.
type Identity struct {
	ID    int64
	Org   int64
	Login string
	Name  string
	Role  string
	// What it holds, by its role and by itself.
	Held rights.Held
	// Whether it is an administrator of the server.
	IsAdmin bool
	IsRobot bool
}

func (s *Server) unauthorized(message, id string) *refusal.Refused {
	if !s.Cfg.Version.IDIn401() {
		id = ""
	}
	return &refusal.Refused{Status: 401, Message: message, MessageID: id}
}

// identify finds out who calls.
func (s *Server) identify(r *http.Request) (Identity, *refusal.Refused) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	var user *store.User
	switch {
	case strings.EqualFold(kind, "Bearer"):
		return s.identifyToken(strings.TrimSpace(value), r)
	case strings.EqualFold(kind, "Basic"):
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return Identity{}, s.unauthorized("Invalid username or password", "password-auth.failed")
		}
		login, password, _ := strings.Cut(string(raw), ":")
		if login == "api_key" {
			return s.identifyToken(password, r)
		}
		for _, u := range s.Store.Users {
			if (u.Login == login || u.Email == login && login != "") && u.Password == password {
				user = u
			}
		}
		if user == nil {
			return Identity{}, s.unauthorized("Invalid username or password", "password-auth.failed")
		}
	default:
		return Identity{}, s.unauthorized("Unauthorized", "auth.unauthorized")
	}
	org, ok := wantedOrg(r)
	if !ok {
		org = user.Org
	}
	if s.Store.Orgs[org] == nil {
		return Identity{}, &refusal.Refused{Status: 404, Message: "organization not found"}
	}
	role, member := user.Roles[org]
	if !member {
		return Identity{}, s.unauthorized("Unauthorized", "auth.unauthorized")
	}
	return Identity{ID: user.ID, Org: org, Login: user.Login, Name: user.Name, Role: role, IsAdmin: user.IsAdmin,
		Held: s.heldBy(role, nil, s.Store.Orgs[org], user.Login)}, nil
}

func wantedOrg(r *http.Request) (int64, bool) {
	text := r.Header.Get("X-Grafana-Org-Id")
	if text == "" {
		text = r.URL.Query().Get("targetOrgId")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

func (s *Server) identifyToken(key string, r *http.Request) (Identity, *refusal.Refused) {
	invalid := s.unauthorized("Invalid API key", "api-key.invalid")
	token := s.Store.Tokens[key]
	if token == nil {
		return Identity{}, invalid
	}
	if !token.Expires.IsZero() && time.Now().After(token.Expires) {
		return Identity{}, s.unauthorized("Expired API key", "api-key.expired")
	}
	account := s.Store.Accounts[token.Account]
	if account == nil || account.Disabled || s.Store.Orgs[account.Org] == nil {
		return Identity{}, invalid
	}
	if org, ok := wantedOrg(r); ok && org != account.Org {
		return Identity{}, s.unauthorized("Unauthorized", "auth.unauthorized")
	}
	return Identity{
		ID: account.ID, Org: account.Org, Login: "sa-" + account.Name, Name: account.Name, Role: account.Role, IsRobot: true,
		Held: s.heldBy(account.Role, account.Rights, s.Store.Orgs[account.Org], "sa-"+account.Name),
	}, nil
}
