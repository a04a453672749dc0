// Package refusal is how an answer that refuses is passed on, whichever door it leaves by.
package refusal

import (
	"fmt"

	"alertwright.testbed/grafana/profile"
)

// Refused is an answer that refuses.
type Refused struct {
	Status    int
	Message   string
	MessageID string
	Extra     map[string]any
}

func (r *Refused) Error() string { return r.Message }

// New makes a refusal; an empty id is one that the release has none for.
func New(status int, id, format string, args ...any) *Refused {
	return &Refused{Status: status, Message: fmt.Sprintf(format, args...), MessageID: id}
}

// Mistake is a mistake of the client that 10.0 answers with 500.
func Mistake(v profile.Version, id, format string, args ...any) *Refused {
	if v.ClientErrors() {
		return New(400, id, format, args...)
	}
	return New(500, "", format, args...)
}
