// Package engine evaluates the rules of each organisation at their interval and keeps the states of their alerts.
package engine

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/setup"
	"alertwright.testbed/grafana/store"
)

// Engines are the schedulers and Alertmanagers of all organisations.
type Engines struct {
	cfg   *setup.Config
	store *store.Store
	log   *slog.Logger
	mu    sync.RWMutex
	orgs  map[int64]*Engine
	// How many rules are evaluated at once.
	slots chan struct{}
	// Held for reading by everything that runs by the clock, for writing while the database is replaced.
	clock sync.RWMutex
}

// Engine evaluates the rules of one organisation, and notifies.
type Engine struct {
	cfg   *setup.Config
	store *store.Store
	org   int64
	log   *slog.Logger
	Am    *routing.Alertmanager
	// What became of alerts.
	History History
	// ask answers for data sources; nil has them asked themselves.
	ask   func(ctx context.Context, q store.Query, run *expression.Run) (expression.Values, error)
	slots chan struct{}

	Mu     sync.RWMutex
	States map[string]*RuleState
	// What was saved of states before this start; each is taken up once.
	saved map[string]savedState
	ticks sync.WaitGroup
	// Whether states have changed since they were last written down.
	changed atomic.Bool
}

// New makes the engines; none runs before Start.
func New(cfg *setup.Config, store *store.Store, log *slog.Logger) *Engines {
	return &Engines{cfg: cfg, store: store, log: log, orgs: map[int64]*Engine{}, slots: make(chan struct{}, 64)}
}

// Of gives the engine of an organisation, and starts it with the first call.
func (e *Engines) Of(org int64) (*Engine, error) {
	e.mu.RLock()
	found := e.orgs[org]
	e.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if found := e.orgs[org]; found != nil {
		return found, nil
	}
	log := e.log.With("org", org)
	am, err := routing.New(e.cfg, e.store, org, log)
	if err != nil {
		return nil, err
	}
	started := &Engine{cfg: e.cfg, store: e.store, org: org, log: log, Am: am, slots: e.slots, States: map[string]*RuleState{}}
	started.loadStates()
	e.orgs[org] = started
	return started, nil
}

// Start starts the engines of all organisations that there are, and stops those of the ones that are gone.
func (e *Engines) Start() error {
	e.store.Mu.RLock()
	var ids []int64
	known := map[int64]bool{}
	for id := range e.store.Orgs {
		ids = append(ids, id)
		known[id] = true
	}
	e.store.Mu.RUnlock()
	e.mu.RLock()
	var gone []*Engine
	for id, engine := range e.orgs {
		if !known[id] {
			gone = append(gone, engine)
		}
	}
	e.mu.RUnlock()
	for _, engine := range gone {
		e.mu.Lock()
		delete(e.orgs, engine.org)
		e.mu.Unlock()
		engine.Am.Stop()
	}
	for _, id := range ids {
		if _, err := e.Of(id); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engines) all() []*Engine {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make([]*Engine, 0, len(e.orgs))
	for _, each := range e.orgs {
		all = append(all, each)
	}
	return all
}

// Run evaluates and takes up configurations until the context ends.
func (e *Engines) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Add(3)
	go func() {
		defer running.Done()
		ticker := time.NewTicker(saveEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			e.clock.RLock()
			for _, engine := range e.all() {
				engine.saveStates()
			}
			e.clock.RUnlock()
		}
	}()
	go func() {
		defer running.Done()
		e.schedule(ctx)
	}()
	go func() {
		defer running.Done()
		ticker := time.NewTicker(e.cfg.Poll)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			e.poll()
		}
	}()
	running.Wait()
	for _, engine := range e.all() {
		engine.ticks.Wait()
		engine.saveStates()
		engine.Am.Stop()
	}
}

// poll takes up what has changed of organisations and configurations.
func (e *Engines) poll() {
	e.clock.RLock()
	defer e.clock.RUnlock()
	e.store.EnsureAlerting()
	if err := e.Start(); err != nil {
		e.log.Error("an organisation cannot be started", "err", err)
	}
	for _, engine := range e.all() {
		if err := engine.Am.Sync(); err != nil {
			e.log.Error("a configuration cannot be taken up", "org", engine.org, "err", err)
		}
	}
}

// Flush writes down what is otherwise written now and then: states, and what has been notified.
func (e *Engines) Flush() error {
	e.clock.RLock()
	defer e.clock.RUnlock()
	for _, engine := range e.all() {
		engine.saveStates()
		if err := engine.Am.SaveLog(); err != nil {
			return err
		}
	}
	return nil
}

// Replace stops everything that runs, lets the database be replaced, and starts anew on it.
func (e *Engines) Replace(change func() error) error {
	e.clock.Lock()
	defer e.clock.Unlock()
	for _, engine := range e.all() {
		engine.ticks.Wait()
		engine.Am.Stop()
	}
	e.mu.Lock()
	clear(e.orgs)
	e.mu.Unlock()
	if err := change(); err != nil {
		return err
	}
	return e.Start()
}

// schedule ticks at whole multiples of the base interval.
func (e *Engines) schedule(ctx context.Context) {
	base := max(e.cfg.Interval, 10*time.Millisecond)
	for {
		now := time.Now()
		next := now.Truncate(base).Add(base)
		select {
		case <-ctx.Done():
			return
		case <-time.After(next.Sub(now)):
		}
		e.clock.RLock()
		for _, engine := range e.all() {
			engine.tick(ctx, next, base)
		}
		e.clock.RUnlock()
	}
}

// due is a rule that shall be evaluated now.
type due struct {
	state    *RuleState
	rule     *store.Rule
	folder   string
	interval time.Duration
}

// tick looks which rules have changed and which are due.
func (e *Engine) tick(ctx context.Context, now time.Time, base time.Duration) {
	number := now.UnixNano() / int64(base)
	var all []due
	e.store.Mu.RLock()
	o := e.store.Orgs[e.org]
	if o == nil {
		e.store.Mu.RUnlock()
		return
	}
	e.Mu.Lock()
	var gone []*RuleState
	for uid, state := range e.States {
		if r := o.Rules[uid]; r == nil || o.Folders[r.Folder] == nil && e.cfg.Version.ChecksFolder() {
			gone = append(gone, state)
			delete(e.States, uid)
		}
	}
	var changed []due
	for uid, r := range o.Rules {
		folder := o.Folders[r.Folder]
		if folder == nil && e.cfg.Version.ChecksFolder() {
			continue
		}
		state := e.States[uid]
		if state == nil {
			state = &RuleState{engine: e, instances: map[string]*Instance{}}
			e.States[uid] = state
		}
		// A rule in a folder that isn't there is evaluated, and its folder has no name (recorded on 10.0).
		title := ""
		switch {
		case folder == nil:
		case e.cfg.Version.PathsInStates():
			title = o.Path(folder)
		default:
			title = folder.Title
		}
		g := o.Groups[store.GroupKey{Folder: r.Folder, Name: r.Group}]
		interval := max(time.Duration(g.Interval)*time.Second, e.cfg.MinInterval())
		each := due{state, r, title, interval}
		if state.Seen.Load() != r {
			changed = append(changed, each)
		}
		if r.Paused {
			continue
		}
		every := max(int64(interval/base), 1)
		offset := int64(0)
		if e.cfg.Version.Jitter() && every > 1 {
			offset = int64(hashOf(r.Folder+"/"+r.Group) % uint64(every))
		}
		if number%every == offset {
			all = append(all, each)
		}
	}
	e.Mu.Unlock()
	e.store.Mu.RUnlock()
	for _, state := range gone {
		state.end("RuleDeleted", now)
	}
	for _, each := range changed {
		each.state.take(each.rule, now)
	}
	for _, each := range all {
		if !each.state.running.CompareAndSwap(false, true) {
			continue // The last evaluation still runs.
		}
		e.ticks.Add(1)
		go func() {
			defer e.ticks.Done()
			defer each.state.running.Store(false)
			e.slots <- struct{}{}
			defer func() { <-e.slots }()
			if ctx.Err() != nil {
				return
			}
			e.run(ctx, each, now)
		}()
	}
}

func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// run evaluates a rule.
func (e *Engine) run(ctx context.Context, d due, at time.Time) {
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if d.rule.Record != nil {
		d.state.recorded(d.rule, e.record(ctx, d.rule, at), at, time.Since(started))
		return
	}
	results := func() (out []Result) {
		defer func() {
			if broken := recover(); broken != nil {
				e.log.Error("an evaluation panicked", "rule", d.rule.UID, "err", broken)
				out = []Result{{State: evalError, Err: fmt.Errorf("panic: %v", broken)}}
			}
		}()
		return e.evaluate(ctx, d.rule, &expression.Run{At: at, Active: d.state.active()})
	}()
	if ctx.Err() != nil && len(results) == 1 && results[0].State == evalError && ctx.Err() == context.Canceled {
		return
	}
	d.state.process(d, results, at, time.Since(started))
}

// State is what is known of a rule, nil before its first tick.
func (e *Engine) State(uid string) *RuleState {
	e.Mu.RLock()
	defer e.Mu.RUnlock()
	return e.States[uid]
}
