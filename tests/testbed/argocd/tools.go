//go:build tools

// Package tools names the programs that the testbed builds from this module.
package tools

import (
	_ "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	_ "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)
