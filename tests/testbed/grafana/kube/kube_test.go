package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shelf keeps objects in memory; every write is another version, and a stale one is refused.
type shelf struct {
	objects map[string]Object
	version int
	// How many updates fail as if another writer had been faster.
	races int
}

func (s *shelf) List(*Request) ([]Object, error) {
	var all []Object
	for _, o := range s.objects {
		all = append(all, o)
	}
	return all, nil
}

func (s *shelf) Get(r *Request, name string) (*Object, error) {
	o, ok := s.objects[name]
	if !ok {
		return nil, r.Missing(name)
	}
	return &o, nil
}

func (s *shelf) put(o *Object) *Object {
	s.version++
	o.ResourceVersion = strconv.Itoa(s.version)
	s.objects[o.Name] = *o
	return o
}

func (s *shelf) Create(_ *Request, sent *Object) (*Object, error) { return s.put(sent), nil }

func (s *shelf) Update(r *Request, old, sent *Object) (*Object, error) {
	if s.races > 0 {
		s.races--
		s.put(old)
	}
	if sent.ResourceVersion != s.objects[sent.Name].ResourceVersion {
		return nil, apierrors.NewConflict(r.Kind.Resource(), sent.Name, nil)
	}
	return s.put(sent), nil
}

func (s *shelf) Delete(_ *Request, old *Object, _ *metav1.DeleteOptions) error {
	delete(s.objects, old.Name)
	return nil
}

type fixture struct {
	t     *testing.T
	shelf *shelf
	all   *Groups
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s := &shelf{objects: map[string]Object{}}
	k := &Kind{
		Group: "g.example", Name: "Thing", Plural: "things", Versions: []string{"v1beta1", "v0alpha1"}, Fields: []string{"spec.size"},
		Field: func(o *Object, _ string) string {
			var spec struct{ Size int }
			_ = json.Unmarshal(o.Spec, &spec)
			return strconv.Itoa(spec.Size)
		},
		Labels: []string{"colour"}, Paged: true, Store: s,
	}
	return &fixture{t, s, &Groups{Kinds: []*Kind{k}, Authorize: func(*Request) error { return nil }}}
}

// call answers a request with status and body.
func (f *fixture) call(method, path, kind, body string) (int, map[string]any) {
	f.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	f.all.ServeHTTP(w, r)
	answer := map[string]any{}
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Code, answer
}

const things = "/apis/g.example/v1beta1/namespaces/default/things"

func (f *fixture) make(names ...string) {
	f.t.Helper()
	for i, name := range names {
		body := `{"metadata":{"name":"` + name + `","labels":{"colour":"red"}},"spec":{"size":` + strconv.Itoa(i) + `}}`
		if code, answer := f.call("POST", things, "", body); code != http.StatusCreated {
			f.t.Fatalf("%d %v", code, answer)
		}
	}
}

func names(answer map[string]any) string {
	var all []string
	items, _ := answer["items"].([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any)["metadata"].(map[string]any)["name"].(string))
	}
	return strings.Join(all, " ")
}

func TestDiscoveryPrefersTheMostStableVersionAndNamesNoWatch(t *testing.T) {
	f := newFixture(t)
	_, group := f.call("GET", "/apis/g.example", "", "")
	if preferred := group["preferredVersion"].(map[string]any)["version"]; preferred != "v1beta1" {
		t.Errorf("preferred is %v", preferred)
	}
	_, version := f.call("GET", "/apis/g.example/v0alpha1", "", "")
	text, _ := json.Marshal(version)
	if strings.Contains(string(text), "watch") || !strings.Contains(string(text), `"patch"`) {
		t.Errorf("verbs: %s", text)
	}
	if code, _ := f.call("GET", "/apis/other.example", "", ""); code != http.StatusNotFound {
		t.Errorf("an unknown group is %d", code)
	}
}

func TestTheListOfAllGroupsHasTheFormThatIsAskedForFirst(t *testing.T) {
	f := newFixture(t)
	const form = "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList"
	v2, beta, unknown := fmt.Sprintf(form, "v2"), fmt.Sprintf(form, "v2beta1"), fmt.Sprintf(form, "v9")
	for accept, kind := range map[string]string{
		"": "APIGroupList", "application/json": "APIGroupList", "application/json," + v2: "APIGroupList", unknown + ",*/*": "APIGroupList",
		v2 + "," + beta + ",application/json": "apidiscovery.k8s.io/v2", beta: "apidiscovery.k8s.io/v2beta1", unknown + "," + beta: "apidiscovery.k8s.io/v2beta1",
	} {
		r := httptest.NewRequest("GET", "/apis", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		f.all.ServeHTTP(w, r)
		var list struct {
			Kind, APIVersion string
			Items            []struct {
				Metadata struct{ Name string }
				Versions []struct {
					Version, Freshness string
					Resources          []struct {
						Resource string
						Verbs    []string
					}
				}
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		if kind == "APIGroupList" {
			if list.Kind != kind || len(list.Items) > 0 {
				t.Errorf("%q is answered with %s", accept, w.Body)
			}
			continue
		}
		if media := w.Header().Get("Content-Type"); list.APIVersion != kind || !strings.Contains(media, ";v="+strings.Split(kind, "/")[1]+";") {
			t.Errorf("%q is answered with %s, %s", accept, media, w.Body)
		}
		versions := list.Items[0].Versions
		if list.Items[0].Metadata.Name != "g.example" || len(versions) != 2 || versions[0].Version != "v1beta1" {
			t.Fatalf("%q is answered with %s", accept, w.Body)
		}
		if things := versions[1].Resources[0]; things.Resource != "things" || !slices.Contains(things.Verbs, "list") || versions[1].Freshness != "Current" {
			t.Errorf("%q is answered with %s", accept, w.Body)
		}
	}
}

func TestAListIsPagedAndSelected(t *testing.T) {
	f := newFixture(t)
	f.make("a", "b", "c")
	_, first := f.call("GET", things+"?limit=2", "", "")
	token, _ := first["metadata"].(map[string]any)["continue"].(string)
	_, second := f.call("GET", things+"?limit=2&continue="+token, "", "")
	if names(first) != "a b" || names(second) != "c" {
		t.Errorf("pages: %q, %q", names(first), names(second))
	}
	for query, want := range map[string]string{
		"labelSelector=colour%20in%20(red,blue)": "a b c", "labelSelector=colour!=red": "", "labelSelector=unknown=x": "a b c",
		"fieldSelector=spec.size=1": "b", "fieldSelector=metadata.name!=b": "a c",
	} {
		if _, found := f.call("GET", things+"?"+query, "", ""); names(found) != want {
			t.Errorf("%s: %q, want %q", query, names(found), want)
		}
	}
	if code, _ := f.call("GET", things+"?fieldSelector=spec.other=1", "", ""); code != http.StatusBadRequest {
		t.Errorf("an unknown field is %d", code)
	}
}

// long has a thousand objects, and counts those that it has to make.
type long struct {
	shelf
	made int
}

func (l *long) Walk(_ *Request, after string, take func(*Object) bool) error {
	for i := range 1000 {
		o := &Object{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%03d", i)}}
		if o.Name <= after {
			continue
		}
		l.made++
		if !take(o) {
			break
		}
	}
	return nil
}

func TestAPageMakesNoMoreObjectsThanItShows(t *testing.T) {
	f := newFixture(t)
	store := &long{}
	f.all.Kinds[0].Store = store
	_, first := f.call("GET", things+"?limit=2", "", "")
	next := first["metadata"].(map[string]any)["continue"].(string)
	_, second := f.call("GET", things+"?limit=2&continue="+next, "", "")
	if names(first) != "n000 n001" || names(second) != "n002 n003" || store.made != 6 {
		t.Errorf("%q, then %q, of %d made", names(first), names(second), store.made)
	}
}

func TestAPatchIsAppliedAgainAfterALostRace(t *testing.T) {
	f := newFixture(t)
	f.make("a")
	f.shelf.races = 3
	code, answer := f.call("PATCH", things+"/a", "application/merge-patch+json", `{"spec":{"size":7}}`)
	if size := answer["spec"].(map[string]any)["size"]; code != http.StatusOK || size != 7.0 {
		t.Errorf("%d %v", code, answer)
	}
	f.shelf.races = 1
	code, _ = f.call("PATCH", things+"/a", "application/merge-patch+json", `{"metadata":{"resourceVersion":"1"}}`)
	if code != http.StatusConflict {
		t.Errorf("a patch of another version is %d", code)
	}
}

func TestWhatDoesNotFitItsAddressIsRefused(t *testing.T) {
	f := newFixture(t)
	f.make("a")
	for _, one := range []struct {
		method, path, kind, body string
		code                     int
	}{
		{"POST", things, "", `{"apiVersion":"g.example/v0alpha1"}`, 400},
		{"POST", things, "", `{"kind":"Other"}`, 400},
		{"POST", things, "", `{"metadata":{"namespace":"other"}}`, 400},
		{"POST", things, "", `no JSON`, 400},
		{"PUT", things + "/a", "", `{"metadata":{"name":"b"}}`, 400},
		{"PUT", things + "/a", "", `{"metadata":{}}`, 400},
		{"PUT", things + "/b", "", `{"metadata":{"name":"b"}}`, 404},
		{"PATCH", things + "/a", "application/json-patch+json", `[{"op":"remove","path":"/spec/none"}]`, 422},
		{"PATCH", things + "/a", "application/json-patch+json", `{`, 400},
		{"PATCH", things + "/a", "application/apply-patch+yaml", `{}`, 415},
		{"DELETE", things, "", "", 405},
		{"GET", things + "?watch=true", "", "", 405},
		{"GET", "/apis/g.example/v1/namespaces/default/things", "", "", 404},
	} {
		if code, answer := f.call(one.method, one.path, one.kind, one.body); code != one.code {
			t.Errorf("%s %s %s: %d, want %d: %v", one.method, one.path, one.body, code, one.code, answer)
		}
	}
}

func TestADeletionAnswersWithTheObject(t *testing.T) {
	f := newFixture(t)
	f.make("a")
	code, answer := f.call("DELETE", things+"/a", "", `{"preconditions":{"resourceVersion":"1"}}`)
	if code != http.StatusOK || answer["kind"] != "Thing" || len(f.shelf.objects) != 0 {
		t.Errorf("%d %v", code, answer)
	}
}

func TestARefusalWithAnIDIsAStatusWithItAndTheExtrasAsCauses(t *testing.T) {
	status := statusOf(Identified(409, "some.id", "text", map[string]any{"b": []string{"x"}, "a": true}))
	text, _ := json.Marshal(status)
	want := `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"text","reason":"Conflict","details":{"uid":"some.id",` +
		`"causes":[{"message":"true","field":"a"},{"message":"[\"x\"]","field":"b"}]},"code":409}`
	if string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
}

// watched is a fixture whose kinds can be watched, and what it says of its history.
func watched(t *testing.T) (*fixture, *atomic.Value) {
	f, name := newFixture(t), &atomic.Value{}
	name.Store("h")
	f.all.Watches = &Watches{Now: func() (string, uint64) { return name.Load().(string), uint64(f.shelf.version) }}
	return f, name
}

func version(f *fixture) string {
	_, list := f.call("GET", things, "", "")
	text, _ := list["metadata"].(map[string]any)["resourceVersion"].(string)
	return text
}

// tells is what a watch tells that goes on for a second, each as its type and the object's name or version.
func (f *fixture) tells(query string, meanwhile func()) string {
	f.t.Helper()
	r := httptest.NewRequest("GET", things+"?watch=true&timeoutSeconds=1&"+query, nil)
	w, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		f.all.ServeHTTP(w, r)
	}()
	// It may begin before or after: what was written since its version is told either way.
	meanwhile()
	<-done
	if w.Code != http.StatusOK {
		return strconv.Itoa(w.Code)
	}
	var told []string
	for _, line := range strings.Split(strings.TrimSpace(w.Body.String()), "\n") {
		var event struct {
			Type   string
			Object struct {
				Metadata metav1.ObjectMeta
				Code     int
			}
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil && line != "" {
			f.t.Fatalf("%q: %v", line, err)
		}
		switch event.Type {
		case "":
		case "BOOKMARK":
			told = append(told, event.Type)
		case "ERROR":
			told = append(told, fmt.Sprint(event.Type, " ", event.Object.Code))
		default:
			told = append(told, event.Type+" "+event.Object.Metadata.Name)
		}
	}
	return strings.Join(told, ", ")
}

func TestAWatchTellsOfEachChangeSinceAListAndOfThoseToCome(t *testing.T) {
	f, _ := watched(t)
	f.make("a", "b")
	from := version(f)
	if from == "" {
		t.Fatal("a list has no version")
	}
	f.make("c")
	f.call("PATCH", things+"/a", "application/merge-patch+json", `{"spec":{"size":7}}`)
	before := f.tells("resourceVersion="+from, func() {})
	if before != "ADDED c, MODIFIED a" && before != "MODIFIED a, ADDED c" {
		t.Errorf("since the list: %s", before)
	}
	from = version(f)
	if told := f.tells("allowWatchBookmarks=true&resourceVersion="+from, func() { f.make("d") }); told != "ADDED d, BOOKMARK" {
		t.Errorf("while it is open, or just before: %s", told)
	}
	for _, query := range []string{"", "resourceVersion=0"} {
		if told := f.tells(query, func() {}); told != "ADDED a, ADDED b, ADDED c, ADDED d" {
			t.Errorf("from anywhere: %s", told)
		}
	}
}

func TestADeletionIsToldWithWhatWasThere(t *testing.T) {
	f, _ := watched(t)
	f.make("a")
	from := version(f)
	f.call("DELETE", things+"/a", "", "")
	f.shelf.version++
	if told := f.tells("resourceVersion="+from, func() {}); told != "DELETED a" {
		t.Error(told)
	}
}

func TestAVersionThatNobodyKnowsIs410AndAnotherHistoryAnEventOfIt(t *testing.T) {
	f, history := watched(t)
	f.make("a")
	from := version(f)
	for _, unknown := range []string{"x", "h-99", "g-1"} {
		if told := f.tells("resourceVersion="+unknown, func() {}); told != "410" {
			t.Errorf("%s: %s", unknown, told)
		}
	}
	other := func() { time.AfterFunc(200*time.Millisecond, func() { history.Store("g") }) }
	if told := f.tells("resourceVersion="+from, other); told != "ERROR 410" {
		t.Errorf("another history: %s", told)
	}
}

func TestWhatCanBeWatchedSaysSo(t *testing.T) {
	f, _ := watched(t)
	_, version := f.call("GET", "/apis/g.example/v0alpha1", "", "")
	if text, _ := json.Marshal(version); !strings.Contains(string(text), `"watch"`) {
		t.Errorf("verbs: %s", text)
	}
}
