// Package server is what all endpoints stand on: who calls, what they may, how an answer is written.
package server

import (
	"log/slog"
	"net/http"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/setup"
	"alertwright.testbed/grafana/store"
)

// Server answers.
type Server struct {
	Cfg   *setup.Config
	Store *store.Store
	Orgs  *engine.Engines
	Mux   *http.ServeMux
	Log   *slog.Logger
	// Faults are those that the control door has made.
	Faults *Faults
	// IsView says that the store is an older state, for reading.
	IsView bool
}

// New makes a server that answers nothing yet; each package of endpoints registers its own.
func New(cfg *setup.Config, kept *store.Store, orgs *engine.Engines, faults *Faults, log *slog.Logger) *Server {
	s := &Server{Cfg: cfg, Store: kept, Orgs: orgs, Mux: http.NewServeMux(), Log: log, Faults: faults, IsView: kept.IsView()}
	s.Mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c := &Call{S: s, W: w, R: r}
		c.JSON(404, map[string]any{"message": "Not found"})
	})
	return s
}

const healthPath = "/api/health"

// Handle registers an endpoint.
func (s *Server) Handle(pattern string, needs Permission, handler Handler) {
	s.Mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &Call{S: s, W: w, R: r}
		if s.Faults.DatabaseFails() && r.URL.Path != healthPath {
			// Without a database nobody can log in (pkg/services/authn of 10 and later answers so to any error that it doesn't know).
			c.JSON(500, map[string]any{"message": "Internal Server Error", "traceID": ""})
			return
		}
		if needs.kind != Anyone.kind {
			who, refused := s.identify(r)
			if refused != nil {
				c.Refuse(refused)
				return
			}
			if !c.may(needs, who) {
				c.Forbidden(c.needs(needs).String())
				return
			}
			c.Who = who
		}
		handler(c)
	})
}
