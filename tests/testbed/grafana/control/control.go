// Package control is a door that no Grafana has: by it a test makes happen what otherwise only happens to a server. It is at
// /-/testbed on the same address, and asks for no account.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/setup"
	"alertwright.testbed/grafana/store"
)

// Prefix is where the door is.
const Prefix = "/-/testbed/"

// Door answers for the control door, and hands everything else to what is behind it.
type Door struct {
	cfg     *setup.Config
	kept    *store.Store
	engines *engine.Engines
	faults  *server.Faults
	log     *slog.Logger
	// build makes the endpoints over a store.
	build func(*store.Store) http.Handler

	mux  *http.ServeMux
	live http.Handler
	// Held for reading by every call, for writing while the database is replaced.
	gate  sync.RWMutex
	views *views
}

// New makes the door; build makes the endpoints over the store, or over a view of it.
func New(cfg *setup.Config, kept *store.Store, engines *engine.Engines, faults *server.Faults, log *slog.Logger, build func(*store.Store) http.Handler) *Door {
	d := &Door{
		cfg: cfg, kept: kept, engines: engines, faults: faults, log: log, build: build, live: build(kept), mux: http.NewServeMux(),
		views: &views{kept: kept, build: build},
	}
	d.mux.HandleFunc("GET "+Prefix+"faults", d.getFaults)
	d.mux.HandleFunc("DELETE "+Prefix+"faults", d.clearFaults)
	d.mux.HandleFunc("PUT "+Prefix+"index", d.putIndex)
	d.mux.HandleFunc("PUT "+Prefix+"replica", d.putReplica)
	d.mux.HandleFunc("PUT "+Prefix+"alertmanager", d.putAlertmanager)
	d.mux.HandleFunc("PUT "+Prefix+"database", d.putDatabase)
	d.mux.HandleFunc("PUT "+Prefix+"database/snapshots/{name}", d.takeSnapshot)
	d.mux.HandleFunc("POST "+Prefix+"database/restore", d.restore)
	d.mux.HandleFunc("POST "+Prefix+"database/empty", d.empty)
	return d
}

func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, Prefix) {
		d.mux.ServeHTTP(w, r)
		return
	}
	// A watch goes on while a database is replaced, and tells that it was.
	if !d.cfg.Watches() || !r.URL.Query().Has("watch") {
		d.gate.RLock()
		defer d.gate.RUnlock()
	}
	if lag := d.lag(r); lag > 0 {
		d.views.at(time.Now().Add(-lag)).ServeHTTP(w, r)
		return
	}
	d.live.ServeHTTP(w, r)
}

// lag is how much older than the present a call sees the state.
func (d *Door) lag(r *http.Request) time.Duration {
	index, replica := d.views.lags()
	if index+replica == 0 || r.Method != http.MethodGet || r.URL.Path == "/api/health" {
		return 0
	}
	if r.URL.Path == "/api/search" {
		return max(index, replica)
	}
	return replica
}

type faults struct {
	Index        string `json:"index"`
	Replica      string `json:"replica"`
	Alertmanager string `json:"alertmanager"`
	Database     string `json:"database"`
}

func (d *Door) getFaults(w http.ResponseWriter, _ *http.Request) {
	index, replica := d.views.lags()
	state := databaseOK
	if d.faults.DatabaseFails() {
		state = databaseFailing
	}
	answer(w, faults{index.String(), replica.String(), d.faults.Alertmanager(), state})
}

func (d *Door) clearFaults(w http.ResponseWriter, r *http.Request) {
	d.views.set(0, 0)
	d.faults.SetAlertmanager(server.AlertmanagerReady)
	d.faults.SetDatabase(false)
	d.getFaults(w, r)
}

func (d *Door) putIndex(w http.ResponseWriter, r *http.Request) {
	if lag, err := readLag(r); err != nil {
		refuse(w, err)
	} else {
		_, replica := d.views.lags()
		d.views.set(lag, replica)
		d.getFaults(w, r)
	}
}

func (d *Door) putReplica(w http.ResponseWriter, r *http.Request) {
	if lag, err := readLag(r); err != nil {
		refuse(w, err)
	} else {
		index, _ := d.views.lags()
		d.views.set(index, lag)
		d.getFaults(w, r)
	}
}

func readLag(r *http.Request) (time.Duration, error) {
	var sent struct {
		Lag string `json:"lag"`
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return 0, err
	}
	lag, err := time.ParseDuration(sent.Lag)
	if err == nil && lag < 0 {
		err = errors.New("lag is negative")
	}
	return lag, err
}

func (d *Door) putAlertmanager(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		State string `json:"state"`
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		refuse(w, err)
		return
	}
	switch sent.State {
	case server.AlertmanagerReady, server.AlertmanagerNotReady, server.AlertmanagerMissing, server.AlertmanagerFailing, server.AlertmanagerUnavailable:
		d.faults.SetAlertmanager(sent.State)
		d.getFaults(w, r)
	default:
		refuse(w, fmt.Errorf("state is %q, not one of ready, notReady, missing, failing, unavailable", sent.State))
	}
}

const databaseOK, databaseFailing = "ok", "failing"

func (d *Door) putDatabase(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		State string `json:"state"`
	}
	err := json.NewDecoder(r.Body).Decode(&sent)
	if err == nil && sent.State != databaseOK && sent.State != databaseFailing {
		err = fmt.Errorf("state is %q, not ok or failing", sent.State)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	d.faults.SetDatabase(sent.State == databaseFailing)
	d.getFaults(w, r)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": err.Error()})
}
