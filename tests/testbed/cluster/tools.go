//go:build tools

// Package tools names the programs that the testbed builds from this module as they are.
package tools

import (
	_ "github.com/argoproj/argo-cd/v3/cmd"
	_ "github.com/google/go-containerregistry/cmd/registry"
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "go.etcd.io/etcd/server/v3"
	_ "helm.sh/helm/v4/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "oras.land/oras/cmd/oras"
	_ "sigs.k8s.io/kustomize/kustomize/v5"
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
