package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// lookEvery is how often it is looked whether something was written.
const lookEvery = 20 * time.Millisecond

// lasts is how long a watch goes on that doesn't say for how long.
const lasts = 30 * time.Minute

// Watches let every kind be watched as Kubernetes documents it, "Efficient detection of changes" and "Watch bookmarks" in its API
// concepts: a list says which version it is of; a watch from a version tells of every change since and of those to come, one JSON
// object a line, and ends when it is asked to; a version that isn't known any more is 410, or an event of it in a watch that is open.
//
// What has changed is found by comparing lists, so several changes in a moment are told as one.
type Watches struct {
	// Now names the history, which is another one after a start or when a database was replaced, and counts what was written in it.
	Now func() (history string, writes uint64)

	mu        sync.Mutex
	histories map[string]*history
}

// history is what has become of a list, as one caller sees it.
type history struct {
	mu   sync.Mutex
	name string
	// Nothing is known of what was written before; all up to the newest write was looked at.
	oldest, newest uint64
	now            map[string]seen
	events         []event
}

// seen is an object as it was shown last.
type seen struct {
	object  json.RawMessage
	version string
}

type event struct {
	writes uint64
	// The object's own version, from which a watch may go on too.
	version string
	line    []byte
}

// of gives the history of what a request lists.
func (w *Watches) of(r *Request) *history {
	query, header := r.HTTP.URL.Query(), r.HTTP.Header
	key := strings.Join([]string{
		r.Kind.Group, r.Version, r.Kind.Plural, r.Namespace, query.Get("labelSelector"), query.Get("fieldSelector"),
		header.Get("Authorization"), header.Get("X-Grafana-Org-Id"),
	}, "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.histories == nil {
		w.histories = map[string]*history{}
	}
	if w.histories[key] == nil {
		w.histories[key] = &history{}
	}
	return w.histories[key]
}

// version of a list that is made now.
func (w *Watches) version(r *Request) (string, error) {
	h := w.of(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := w.look(h, r); err != nil {
		return "", err
	}
	return h.version(), nil
}

func (h *history) version() string { return h.name + "-" + strconv.FormatUint(h.newest, 10) }

// look takes over what was written since the last look. To be called with the history's lock.
func (w *Watches) look(h *history, r *Request) error {
	name, writes := w.Now()
	if name == h.name && writes == h.newest {
		return nil
	}
	wanted, err := r.selection()
	if err != nil {
		return err
	}
	now := map[string]seen{}
	err = walk(r, "", func(o *Object) bool {
		if wanted.takes(r, r.dress(o)) {
			text, err := json.Marshal(o)
			if err != nil {
				panic(err)
			}
			now[o.Name] = seen{text, o.ResourceVersion}
		}
		return true
	})
	if err != nil {
		return err
	}
	if name != h.name {
		h.name, h.oldest, h.newest, h.now, h.events = name, writes, writes, now, nil
		return nil
	}
	h.newest = writes
	for _, object := range sortedNames(now) {
		switch before, known := h.now[object]; {
		case !known:
			h.tell(watch.Added, now[object])
		case !bytes.Equal(before.object, now[object].object):
			h.tell(watch.Modified, now[object])
		}
	}
	for _, object := range sortedNames(h.now) {
		if _, isThere := now[object]; !isThere {
			h.tell(watch.Deleted, h.now[object])
		}
	}
	h.now = now
	return nil
}

func (h *history) tell(kind watch.EventType, object seen) {
	h.events = append(h.events, event{h.newest, object.version, line(kind, object.object)})
}

func line(kind watch.EventType, object any) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "object": object})
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

// since is how many of the events a watch from a version has seen; false where nobody knows. It may be the version of a list or a
// bookmark, or that of an object that was told: then from the first time on, for an object can have the same one twice.
func (h *history) since(version string) (int, bool) {
	if number, ok := strings.CutPrefix(version, h.name+"-"); ok {
		writes, err := strconv.ParseUint(number, 10, 64)
		if err != nil || writes < h.oldest || writes > h.newest {
			return 0, false
		}
		return sort.Search(len(h.events), func(i int) bool { return h.events[i].writes > writes }), true
	}
	for i, told := range h.events {
		if told.version == version {
			return i + 1, true
		}
	}
	return 0, false
}

func expired(version string) *apierrors.StatusError {
	return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %s", version))
}

// serve answers a watch.
func (w *Watches) serve(to http.ResponseWriter, r *Request) error {
	query := r.HTTP.URL.Query()
	from := query.Get("resourceVersion")
	withBookmarks, _ := strconv.ParseBool(query.Get("allowWatchBookmarks"))
	limit := lasts
	if seconds, err := strconv.Atoi(query.Get("timeoutSeconds")); err == nil && seconds > 0 {
		limit = time.Duration(seconds) * time.Second
	}
	h := w.of(r)
	h.mu.Lock()
	err := w.look(h, r)
	name := h.name
	told, known := h.since(from)
	var first []byte
	if from == "" || from == "0" {
		// All that is there is told as if it had just come.
		told, known = len(h.events), true
		for _, object := range sortedNames(h.now) {
			first = append(first, line(watch.Added, h.now[object].object)...)
		}
	}
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if !known {
		return expired(from)
	}
	to.Header().Set("Content-Type", "application/json")
	to.Header().Set("Cache-Control", "no-cache, private")
	to.WriteHeader(http.StatusOK)
	answer := http.NewResponseController(to)
	end, ticker := time.After(limit), time.NewTicker(lookEvery)
	defer ticker.Stop()
	for next := first; ; {
		if _, err := to.Write(next); err != nil || answer.Flush() != nil {
			return nil
		}
		select {
		case <-r.HTTP.Context().Done():
			return nil
		case <-end:
			return nil
		case <-ticker.C:
		}
		next = nil
		h.mu.Lock()
		err := w.look(h, r)
		if err == nil && h.name != name {
			err = expired(from)
		}
		if err == nil && told < len(h.events) {
			for _, event := range h.events[told:] {
				next = append(next, event.line...)
			}
			told = len(h.events)
			if withBookmarks {
				next = append(next, line(watch.Bookmark, r.bookmark(h.version()))...)
			}
		}
		h.mu.Unlock()
		if err != nil {
			_, _ = to.Write(line(watch.Error, statusOf(err)))
			return nil
		}
	}
}

// bookmark is an object of which nothing but the version says anything.
func (r *Request) bookmark(version string) any {
	return struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        map[string]string `json:"metadata"`
	}{metav1.TypeMeta{Kind: r.Kind.Name, APIVersion: r.GroupVersion().String()}, map[string]string{"resourceVersion": version}}
}
