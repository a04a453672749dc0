package routing

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"

	"alertwright.testbed/grafana/store"
)

// SilenceKey is the key of a silence in the journal.
func SilenceKey(org int64, id string) string { return fmt.Sprintf("silence/%d/%s", org, id) }

func (am *Alertmanager) loadSilences() error {
	am.store.Mu.RLock()
	defer am.store.Mu.RUnlock()
	o := am.store.Orgs[am.Org]
	if o == nil {
		return nil
	}
	for id, text := range o.Silences {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = am.Silences.Merge(raw)
		}
		if err != nil {
			return fmt.Errorf("silence %s: %w", id, err)
		}
	}
	return nil
}

// saveSilence is called with every silence that changes.
func (am *Alertmanager) saveSilence(raw []byte) {
	var changed silencepb.MeshSilence
	if err := protodelim.UnmarshalFrom(bytes.NewReader(raw), &changed); err != nil {
		am.Log.Error("a silence cannot be kept", "err", err)
		return
	}
	var change store.Change
	change.Put(SilenceKey(am.Org, changed.Silence.Id), map[string]any{
		"Org": am.Org, "ID": changed.Silence.Id, "Proto": base64.StdEncoding.EncodeToString(raw),
	})
	am.store.Mu.Lock()
	defer am.store.Mu.Unlock()
	if o := am.store.Orgs[am.Org]; o != nil {
		o.Silences[changed.Silence.Id] = base64.StdEncoding.EncodeToString(raw)
	}
	am.store.Journal.Commit(&change)
}

// SilencesOf are an organisation's silences as a view of the store has them.
func SilencesOf(view *store.Store, org int64, log *slog.Logger) (*silence.Silences, error) {
	found, err := silence.New(silence.Options{
		Retention: retention, Logger: log, Metrics: prometheus.NewRegistry(), EventRecorder: eventrecorder.NopRecorder(),
	})
	if err != nil {
		return nil, err
	}
	frozen := &Alertmanager{store: view, Org: org, Silences: found}
	return found, frozen.loadSilences()
}

var errSilenceMissing = errors.New("silence not found")

// Silence finds one by its id.
func (am *Alertmanager) Silence(id string) (*silencepb.Silence, error) {
	return SilenceIn(am.Silences, id)
}

// SilenceIn finds one by its id.
func SilenceIn(all *silence.Silences, id string) (*silencepb.Silence, error) {
	found, _, err := all.Query(context.Background(), silence.QIDs(id))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errSilenceMissing
	}
	return found[0], nil
}
