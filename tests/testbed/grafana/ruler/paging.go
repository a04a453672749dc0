package ruler

import (
	"encoding/base64"
	"slices"
	"strings"
)

// page cuts the groups of a list of states, which are sorted by folder and name, to one page. The token says where the next one begins:
// at the first group that isn't before it. One that can't be read counts for nothing (api_prometheus.go, March 2025).
func page[T any](all []T, key func(T) string, limit int, token string) (some []T, next string) {
	if limit <= 0 {
		return all, ""
	}
	if from, err := base64.URLEncoding.DecodeString(token); err == nil && token != "" {
		at := slices.IndexFunc(all, func(each T) bool { return strings.Compare(key(each), string(from)) >= 0 })
		if at < 0 {
			return nil, ""
		}
		all = all[at:]
	}
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], base64.URLEncoding.EncodeToString([]byte(key(all[limit])))
}
