package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ServeHTTP answers /apis and what is below it.
func (g *Groups) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/apis"), "/"), "/")
	if parts[0] == "" {
		parts = nil
	}
	request := &Request{HTTP: r, watches: g.Watches}
	if len(parts) < 5 || parts[2] != "namespaces" {
		if err := g.Authorize(request); err != nil {
			g.refuse(w, r, err)
			return
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			nothing(w)
		case len(parts) == 0:
			g.serveGroups(w, r)
		case len(parts) == 1:
			g.serveGroup(w, parts[0])
		case len(parts) == 2:
			g.serveVersion(w, parts[0], parts[1])
		default:
			nothing(w)
		}
		return
	}
	request.Version, request.Namespace = parts[1], parts[3]
	for _, k := range g.Kinds {
		if k.Group == parts[0] && k.Plural == parts[4] && k.Served(parts[1]) {
			request.Kind = k
		}
	}
	if request.Kind == nil || len(parts) > 7 {
		nothing(w)
		return
	}
	if len(parts) > 5 {
		request.Name = parts[5]
	}
	action := ""
	if len(parts) > 6 {
		action = parts[6]
	}
	if err := g.serve(w, request, action); err != nil {
		g.refuse(w, r, err)
	}
}

// serve does what the method asks of a collection, of an object or of an action.
func (g *Groups) serve(w http.ResponseWriter, r *Request, action string) error {
	method := r.HTTP.Method
	do := map[string]func(*Request) (int, any, error){}
	switch {
	case action != "":
		act := r.Kind.Actions[action]
		if act == nil {
			nothing(w)
			return nil
		}
		if r.Verb = action; method != http.MethodPost {
			return apierrors.NewMethodNotSupported(r.Kind.Resource(), method)
		}
		if err := g.Authorize(r); err != nil {
			return err
		}
		act(w, r)
		return nil
	case r.Name == "":
		r.Verb = map[string]string{http.MethodGet: "list", http.MethodPost: "create", http.MethodDelete: "deletecollection"}[method]
		do = map[string]func(*Request) (int, any, error){"list": list, "create": create, "deletecollection": deleteCollection}
		if r.Verb == "list" && r.isWatch() && g.Watches != nil {
			r.Verb = "watch"
		}
	default:
		r.Verb = map[string]string{
			http.MethodGet: "get", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
		}[method]
		do = map[string]func(*Request) (int, any, error){"get": get, "update": update, "patch": patch, "delete": remove}
	}
	if r.Verb == "" {
		return apierrors.NewMethodNotSupported(r.Kind.Resource(), strings.ToLower(method))
	}
	if err := g.Authorize(r); err != nil {
		return err
	}
	if r.Verb == "watch" {
		return g.Watches.serve(w, r)
	}
	code, body, err := do[r.Verb](r)
	if err != nil {
		return err
	}
	Answer(w, code, body)
	return nil
}

// refuse answers with a Status.
func (g *Groups) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if g.Refused != nil {
		g.Refused(r, status)
	}
	Answer(w, int(status.Code), status)
}

// nothing is what the API server says of an address that it doesn't have.
func nothing(w http.ResponseWriter) { http.Error(w, "404 page not found", http.StatusNotFound) }

// Answer sends a body as JSON.
func Answer(w http.ResponseWriter, code int, body any) { answer(w, "application/json", code, body) }

// answer sends a body as JSON of this media type.
func answer(w http.ResponseWriter, media string, code int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, fmt.Sprintf("cannot encode the answer: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "no-cache, private")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n'))
}

// Refuse answers with the Status of an error; for actions, which answer themselves.
func Refuse(w http.ResponseWriter, err error) {
	status := statusOf(err)
	Answer(w, int(status.Code), status)
}
