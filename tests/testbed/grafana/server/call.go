package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"alertwright.testbed/grafana/refusal"
)

// Call is one request while it is answered.
type Call struct {
	S   *Server
	W   http.ResponseWriter
	R   *http.Request
	Who Identity
}

// Handler answers a call.
type Handler func(c *Call)

// Forbidden refuses who lacks a right.
func (c *Call) Forbidden(needs string) {
	c.JSON(403, map[string]any{
		"accessErrorId": "ACE" + strconv.FormatInt(time.Now().UnixNano()%1e10, 10),
		"message":       "You'll need additional permissions to perform this action. Permissions needed: " + needs,
		"title":         "Access denied",
	})
}

// Provenance is whose the object is that a write makes: the header's presence counts, not its value.
func (c *Call) Provenance() string {
	if _, disabled := c.R.Header["X-Disable-Provenance"]; disabled {
		return ""
	}
	return "api"
}

// Read decodes the body, or refuses it.
func (c *Call) Read(into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(c.W, c.R.Body, 64<<20))
	if err == nil {
		if len(bytes.TrimSpace(body)) == 0 {
			err = io.EOF
		} else {
			err = json.Unmarshal(body, into)
		}
	}
	if err != nil {
		c.Refuse(refusal.New(400, "", "bad request data: %v", err))
		return false
	}
	return true
}

// JSON answers with a body.
func (c *Call) JSON(status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	if err := encoder.Encode(body); err != nil {
		c.S.Log.Error("cannot encode an answer", "path", c.R.URL.Path, "err", err)
		http.Error(c.W, `{"message":"Internal Server Error"}`, 500)
		return
	}
	c.Raw(status, text.Bytes())
}

// Raw answers with JSON that is made already.
func (c *Call) Raw(status int, body []byte) {
	header := c.W.Header()
	header.Set("Content-Type", "application/json; charset=UTF-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	c.W.WriteHeader(status)
	_, _ = c.W.Write(body)
}

// Message answers with a message, as older endpoints do.
func (c *Call) Message(status int, text string) { c.JSON(status, map[string]any{"message": text}) }

// Empty answers without a body.
func (c *Call) Empty(status int) {
	c.W.Header().Set("Content-Length", "0")
	c.W.WriteHeader(status)
}

// Refuse answers with a refusal; one with a message id has it and the status in the body too (pkg/apimachinery/errutil).
func (c *Call) Refuse(r *refusal.Refused) {
	body := map[string]any{"message": r.Message, "traceID": ""}
	if r.MessageID != "" {
		body["messageId"], body["statusCode"] = r.MessageID, r.Status
		if r.Extra != nil {
			body["extra"] = r.Extra
		}
	}
	c.S.Log.Info("refused", "method", c.R.Method, "path", c.R.URL.Path, "status", r.Status, "message", r.Message)
	c.JSON(r.Status, body)
}

// Query is a parameter.
func (c *Call) Query(name string) string { return c.R.URL.Query().Get(name) }

// Flag is a parameter that is true or false.
func (c *Call) Flag(name string, otherwise bool) bool {
	value, err := strconv.ParseBool(c.Query(name))
	if err != nil {
		return otherwise
	}
	return value
}

// Number is a parameter that is a number.
func (c *Call) Number(name string, otherwise int) int {
	n, err := strconv.Atoi(c.Query(name))
	if err != nil {
		return otherwise
	}
	return n
}

// ID is a number in the path, -1 where it is none.
func (c *Call) ID(name string) int64 {
	n, err := strconv.ParseInt(c.R.PathValue(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
