package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of this package run the program itself, as a process, and speak to it over HTTP.

const asProgram = "GRAFANA_DOUBLE_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// double is one that runs.
type double struct {
	t       *testing.T
	data    string
	version string
	args    []string
	url     string
	process *exec.Cmd
	// The organisation that the next calls are for; the first where it is empty.
	org string
	log bytes.Buffer
}

// start starts one with an empty database.
func start(t *testing.T, version string, args ...string) *double {
	t.Helper()
	d := &double{t: t, data: t.TempDir(), version: version, args: args}
	d.again()
	t.Cleanup(func() {
		d.end(syscall.SIGKILL)
		if t.Failed() {
			t.Log(d.log.String())
		}
	})
	return d
}

// again starts it on the data that it has.
func (d *double) again() {
	d.t.Helper()
	args := append([]string{"-addr", "127.0.0.1:0", "-data", d.data, "-interval", "1s", "-poll", "100ms", "-version", d.version}, d.args...)
	d.process = exec.Command(os.Args[0], args...)
	d.process.Env = append(os.Environ(), asProgram+"=1")
	d.process.Stderr = &d.log
	out, err := d.process.StdoutPipe()
	if err == nil {
		err = d.process.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) < 3 {
		d.t.Fatalf("it says %q: %v\n%s", line, err, d.log.String())
	}
	d.url = fields[2]
}

func (d *double) end(signal os.Signal) {
	_ = d.process.Process.Signal(signal)
	_ = d.process.Wait()
}

// answer is what a call got.
type answer struct {
	status int
	header http.Header
	text   string
	body   any
}

// call calls as the administrator, or as the bearer of a token.
func (d *double) callAs(token, method, path string, body any) answer {
	d.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, d.url+path, sent)
	if err != nil {
		d.t.Fatal(err)
	}
	if token == "" {
		request.SetBasicAuth("admin", "admin")
	} else {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if d.org != "" {
		request.Header.Set("X-Grafana-Org-Id", d.org)
	}
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatalf("%s %s: %v\n%s", method, path, err, d.log.String())
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.body)
	return a
}

func (d *double) call(method, path string, body any) answer {
	d.t.Helper()
	return d.callAs("", method, path, body)
}

// must calls, and fails unless the status is this one.
func (d *double) must(status int, method, path string, body any) answer {
	d.t.Helper()
	a := d.call(method, path, body)
	if a.status != status {
		d.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.status, status, a.text)
	}
	return a
}

// eventually waits until something holds.
func (d *double) eventually(what string, holds func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			d.t.Fatalf("not in 30 s: %s\n%s", what, d.log.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// at finds a value in a body, by keys and indexes.
func (a answer) at(path ...any) any {
	value := a.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func (a answer) len() int {
	list, _ := a.body.([]any)
	return len(list)
}

type object = map[string]any

// rule is a rule that fires as long as a comparison holds.
func rule(uid, folder, group, math string) object {
	return object{
		"uid": uid, "title": "title of " + uid, "ruleGroup": group, "folderUID": folder, "orgID": 1, "condition": "B", "noDataState": "NoData",
		"execErrState": "Error", "for": "0s", "data": []object{{
			"refId": "B", "datasourceUid": "__expr__", "relativeTimeRange": object{"from": 0, "to": 0}, "model": object{"type": "math", "expression": math},
		}},
	}
}

func silenceOf(name, value string) object {
	return object{
		"matchers": []object{{"name": name, "value": value, "isRegex": false, "isEqual": true}}, "createdBy": "test", "comment": "c",
		"startsAt": time.Now().UTC().Format(time.RFC3339), "endsAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}
}

// stateOf is the state of a rule with a title.
func (d *double) stateOf(title string) string {
	d.t.Helper()
	a := d.must(200, "GET", "/api/prometheus/grafana/api/v1/rules", nil)
	groups, _ := a.at("data", "groups").([]any)
	for _, g := range groups {
		rules, _ := g.(object)["rules"].([]any)
		for _, r := range rules {
			if r.(object)["name"] == title {
				return fmt.Sprint(r.(object)["state"])
			}
		}
	}
	return ""
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
