package control

import (
	"net/http"
	"sync"
	"time"

	"alertwright.testbed/grafana/store"
)

// How often a state is kept while somebody is to see an older one.
const viewEvery = 20 * time.Millisecond

// views keeps older states, for an index or a replica that lags.
type views struct {
	kept  *store.Store
	build func(*store.Store) http.Handler

	mu             sync.Mutex
	index, replica time.Duration
	all            []*view
	stop           chan struct{}
}

// view is how everything was from a time on.
type view struct {
	from    time.Time
	writes  uint64
	store   *store.Store
	handler http.Handler
}

func (v *views) lags() (index, replica time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.index, v.replica
}

// set begins to keep states, or ends it.
func (v *views) set(index, replica time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.index, v.replica = index, replica
	switch {
	case index+replica == 0 && v.stop != nil:
		close(v.stop)
		v.stop, v.all = nil, nil
	case index+replica > 0 && v.stop == nil:
		v.keep(time.Now())
		v.stop = make(chan struct{})
		go v.run(v.stop)
	}
}

func (v *views) run(stop chan struct{}) {
	ticker := time.NewTicker(viewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			v.mu.Lock()
			if v.stop == stop {
				v.keep(now)
			}
			v.mu.Unlock()
		}
	}
}

// keep notes how everything is now, and forgets what nobody will see any more. To be called with the lock.
func (v *views) keep(now time.Time) {
	writes := v.kept.Journal.Writes()
	if len(v.all) == 0 || v.all[len(v.all)-1].writes != writes {
		v.all = append(v.all, &view{from: now, writes: writes, store: v.kept.View()})
	}
	oldest := now.Add(-max(v.index, v.replica))
	for len(v.all) > 1 && !v.all[1].from.After(oldest) {
		v.all = v.all[1:]
	}
}

// at gives what answered at a time; what was before the first state that was kept looks like that one.
func (v *views) at(then time.Time) http.Handler {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.all) == 0 {
		v.keep(time.Now())
	}
	found := v.all[0]
	for _, each := range v.all[1:] {
		if each.from.After(then) {
			break
		}
		found = each
	}
	if found.handler == nil {
		found.handler = v.build(found.store)
	}
	return found.handler
}

// forget drops all older states, after the database was replaced.
func (v *views) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all = nil
	if v.stop != nil {
		v.keep(time.Now())
	}
}
