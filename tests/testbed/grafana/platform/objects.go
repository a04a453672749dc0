package platform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
)

// object is one of any kind.
type object struct {
	Kind       string          `json:"kind"`
	APIVersion string          `json:"apiVersion"`
	Metadata   metadata        `json:"metadata"`
	Spec       json.RawMessage `json:"spec"`
	Status     any             `json:"status,omitempty"`
}

type metadata struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	UID             string            `json:"uid,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Generation      int64             `json:"generation,omitempty"`
	Created         string            `json:"creationTimestamp,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
}

// resource is a kind with what can be done to it. Objects are read and written whole.
type resource struct {
	group, kind, plural string
	list                func(c *server.Call) []object
	// put creates, or replaces where old is an object that is there.
	put    func(c *server.Call, sent *object, old *object) (string, *refusal.Refused)
	remove func(c *server.Call, old *object) *refusal.Refused
}

var reasons = map[int]string{
	400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid", 500: "InternalError", 501: "NotImplemented",
}

// statusObject is a refusal in the manner of Kubernetes.
func statusObject(c *server.Call, r *refusal.Refused, resource *resource, name string) {
	reason := reasons[r.Status]
	if r.MessageID == "alreadyExists" {
		reason = "AlreadyExists"
	}
	details := map[string]any{"name": name, "uid": r.MessageID}
	if resource != nil {
		details["group"], details["kind"] = resource.group, resource.plural
	}
	c.S.Log.Info("refused", "method", c.R.Method, "path", c.R.URL.Path, "status", r.Status, "message", r.Message)
	c.JSON(r.Status, map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure", "message": r.Message, "reason": reason,
		"code": r.Status, "details": details,
	})
}

func (s *api) routeResource(r *resource, version string) {
	base := "/apis/" + r.group + "/" + version + "/namespaces/{namespace}/" + r.plural
	readers, writers := server.ReadConfig, server.EditConfig
	if r.group == rulesGroup {
		readers, writers = server.ReadStates, server.WriteRuleObjects
	}
	own := func(handler func(c *server.Call)) server.Handler {
		return func(c *server.Call) {
			if c.R.PathValue("namespace") != server.NamespaceOf(c.Who.Org) {
				statusObject(c, refusal.New(403, "", "user is not a member of the namespace %q", c.R.PathValue("namespace")), r, "")
				return
			}
			handler(c)
		}
	}
	dress := func(o object) object {
		o.Kind, o.APIVersion, o.Metadata.Namespace = r.kind, r.group+"/"+version, server.NamespaceOf(1)
		return o
	}
	find := func(c *server.Call, name string) *object {
		for _, o := range r.list(c) {
			if o.Metadata.Name == name {
				o = dress(o)
				o.Metadata.Namespace = server.NamespaceOf(c.Who.Org)
				return &o
			}
		}
		return nil
	}
	missing := func(c *server.Call, name string) {
		statusObject(c, refusal.New(404, "", "%s.%s %q not found", r.plural, r.group, name), r, name)
	}
	s.Handle("GET "+base, readers, own(func(c *server.Call) {
		items := r.list(c)
		sort.Slice(items, func(i, j int) bool { return items[i].Metadata.Name < items[j].Metadata.Name })
		kept := items[:0]
		for _, o := range items {
			if selects(c.R.URL.Query(), &o) {
				o = dress(o)
				o.Metadata.Namespace = server.NamespaceOf(c.Who.Org)
				kept = append(kept, o)
			}
		}
		from := min(max(c.Number("continue", 0), 0), len(kept))
		to := len(kept)
		meta := map[string]any{"resourceVersion": strconv.FormatInt(time.Now().UnixMilli(), 10)}
		if limit := c.Number("limit", 0); limit > 0 && from+limit < to {
			to = from + limit
			meta["continue"] = strconv.Itoa(to)
		}
		c.JSON(200, map[string]any{
			"kind": r.kind + "List", "apiVersion": r.group + "/" + version, "metadata": meta, "items": append([]object{}, kept[from:to]...),
		})
	}))
	s.Handle("GET "+base+"/{name}", readers, own(func(c *server.Call) {
		name := c.R.PathValue("name")
		if o := find(c, name); o != nil {
			c.JSON(200, o)
			return
		}
		missing(c, name)
	}))
	write := func(c *server.Call, isNew bool) {
		sent := &object{}
		if !c.Read(sent) {
			return
		}
		var old *object
		if !isNew {
			name := c.R.PathValue("name")
			if old = find(c, name); old == nil {
				missing(c, name)
				return
			}
			if sent.Metadata.ResourceVersion != "" && sent.Metadata.ResourceVersion != old.Metadata.ResourceVersion {
				statusObject(c, refusal.New(409, "alerting.notifications.conflict",
					"Operation cannot be fulfilled on %s.%s %q: the object has been modified; please apply your changes to the latest version and try again", r.plural, r.group, name), r, name)
				return
			}
		}
		name, refused := r.put(c, sent, old)
		if refused != nil {
			statusObject(c, refused, r, sent.Metadata.Name)
			return
		}
		status := 200
		if isNew {
			status = 201
		}
		c.JSON(status, find(c, name))
	}
	s.Handle("POST "+base, writers, own(func(c *server.Call) { write(c, true) }))
	s.Handle("PUT "+base+"/{name}", writers, own(func(c *server.Call) { write(c, false) }))
	s.Handle("DELETE "+base+"/{name}", writers, own(func(c *server.Call) {
		name := c.R.PathValue("name")
		old := find(c, name)
		if old == nil {
			missing(c, name)
			return
		}
		if refused := r.remove(c, old); refused != nil {
			statusObject(c, refused, r, name)
			return
		}
		c.JSON(200, map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Success"})
	}))
}

// selects applies the selectors of a list; only equality is understood.
func selects(query url.Values, o *object) bool {
	pairs := func(text string) map[string]string {
		found := map[string]string{}
		for _, pair := range strings.Split(text, ",") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				found[name] = strings.TrimPrefix(value, "=")
			}
		}
		return found
	}
	var spec map[string]any
	for name, value := range pairs(query.Get("fieldSelector")) {
		if field, ok := strings.CutPrefix(name, "spec."); ok {
			if spec == nil {
				_ = json.Unmarshal(o.Spec, &spec)
			}
			if fmt.Sprint(spec[field]) != value {
				return false
			}
		} else if name == "metadata.name" && o.Metadata.Name != value {
			return false
		}
	}
	for name, value := range pairs(query.Get("labelSelector")) {
		if o.Metadata.Labels[name] != value {
			return false
		}
	}
	return true
}

func mustJSON(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// nameOf makes an object's name of a title.
func nameOf(title string) string { return base64.RawURLEncoding.EncodeToString([]byte(title)) }

// provenanceOf is whose an object says it is.
func provenanceOf(o *object) string {
	if value := o.Metadata.Annotations[provenanceNote]; value != "none" {
		return value
	}
	return ""
}

func notes(provenance string) map[string]string {
	if provenance == "" {
		provenance = "none"
	}
	return map[string]string{provenanceNote: provenance}
}

func badSpec(id string, err error) *refusal.Refused {
	return refusal.New(400, id, "the specification is not understood: %v", err)
}
