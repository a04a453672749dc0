//go:build tools

// Package tools pins Loki.
package tools

import _ "github.com/grafana/loki/v3/pkg/loki"
