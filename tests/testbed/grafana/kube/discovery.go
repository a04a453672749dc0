package kube

import (
	"mime"
	"net/http"
	"slices"
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// verbs of every kind. All storages behind /apis are lists and collection deleters, so the installer names the verbs even where a
// storage answers 405; none of those that were read is a watcher.
//
// Source: k8s.io/apiserver, endpoints/installer.go, registerResourceHandlers; pkg/apiserver/rest, Storage.
var verbs = metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update"}

// verbs of every kind, and watch where it is on.
func (g *Groups) verbs() metav1.Verbs {
	if g.Watches == nil {
		return verbs
	}
	return append(slices.Clone(verbs), "watch")
}

// groups lists the names of the groups that are served.
func (g *Groups) groups() []string {
	var names []string
	for _, k := range g.Kinds {
		if len(k.Versions) > 0 && !slices.Contains(names, k.Group) {
			names = append(names, k.Group)
		}
	}
	sort.Strings(names)
	return names
}

// versions of a group, the preferred one first: that of the kind with most of them.
func (g *Groups) versions(group string) []string {
	var versions []string
	for _, k := range g.Kinds {
		if k.Group != group {
			continue
		}
		for _, version := range k.Versions {
			if !slices.Contains(versions, version) {
				versions = append(versions, version)
			}
		}
	}
	sort.SliceStable(versions, func(i, j int) bool { return rank(versions[i]) > rank(versions[j]) })
	return versions
}

// rank puts stable versions before beta ones before alpha ones.
func rank(version string) int {
	switch {
	case strings.Contains(version, "alpha"):
		return 0
	case strings.Contains(version, "beta"):
		return 1
	}
	return 2
}

func (g *Groups) about(group string) (metav1.APIGroup, bool) {
	about := metav1.APIGroup{Name: group}
	for _, version := range g.versions(group) {
		about.Versions = append(about.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group + "/" + version, Version: version})
	}
	if len(about.Versions) == 0 {
		return about, false
	}
	about.PreferredVersion = about.Versions[0]
	return about, true
}

// serveGroups lists all groups: with the kinds and verbs of each version where that form is asked for, else with names alone.
//
// Source: k8s.io/apiserver, endpoints/discovery/aggregated, negotiation.go and handler.go; Grafana's frontend asks for that form
// (public/app/features/apiserver/discovery.ts), and pkg/tests/apis has what it answers (GetGroupVersionInfoJSON).
func (g *Groups) serveGroups(w http.ResponseWriter, r *http.Request) {
	if version := aggregated(r.Header.Values("Accept")); version != "" {
		answer(w, "application/json;g=apidiscovery.k8s.io;v="+version+";as=APIGroupDiscoveryList", http.StatusOK, g.everything(version))
		return
	}
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for _, name := range g.groups() {
		about, _ := g.about(name)
		list.Groups = append(list.Groups, about)
	}
	Answer(w, http.StatusOK, list)
}

// aggregated is the version of the list with all kinds that is asked for first, if one is.
func aggregated(accept []string) string {
	for _, media := range strings.Split(strings.Join(accept, ","), ",") {
		kind, parameters, err := mime.ParseMediaType(media)
		if err != nil || kind != "application/json" {
			continue
		}
		switch {
		case len(parameters) == 0:
			return ""
		case parameters["g"] == "apidiscovery.k8s.io" && parameters["as"] == "APIGroupDiscoveryList" && slices.Contains([]string{"v2", "v2beta1"}, parameters["v"]):
			return parameters["v"]
		}
	}
	return ""
}

// The list of all groups with their kinds, as k8s.io/api/apidiscovery has it.
type (
	discoveryList struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        struct{}         `json:"metadata"`
		Items           []discoveryGroup `json:"items"`
	}
	discoveryGroup struct {
		Metadata metav1.ObjectMeta  `json:"metadata"`
		Versions []discoveryVersion `json:"versions,omitempty"`
	}
	discoveryVersion struct {
		Version   string          `json:"version"`
		Resources []discoveryKind `json:"resources,omitempty"`
		Freshness string          `json:"freshness,omitempty"`
	}
	discoveryKind struct {
		Resource     string                  `json:"resource"`
		ResponseKind metav1.GroupVersionKind `json:"responseKind"`
		Scope        string                  `json:"scope"`
		Singular     string                  `json:"singularResource"`
		Verbs        metav1.Verbs            `json:"verbs"`
		Subresources []discoveryAction       `json:"subresources,omitempty"`
	}
	discoveryAction struct {
		Subresource  string                  `json:"subresource"`
		ResponseKind metav1.GroupVersionKind `json:"responseKind"`
		Verbs        metav1.Verbs            `json:"verbs"`
	}
)

func (g *Groups) everything(version string) discoveryList {
	list := discoveryList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: "apidiscovery.k8s.io/" + version}, Items: []discoveryGroup{},
	}
	for _, name := range g.groups() {
		group := discoveryGroup{Metadata: metav1.ObjectMeta{Name: name}}
		for _, version := range g.versions(name) {
			served := discoveryVersion{Version: version, Freshness: "Current"}
			for _, k := range g.Kinds {
				if k.Group != name || !k.Served(version) {
					continue
				}
				kind := metav1.GroupVersionKind{Kind: k.Name}
				resource := discoveryKind{
					Resource: k.Plural, ResponseKind: kind, Scope: "Namespaced", Singular: strings.ToLower(k.Name), Verbs: g.verbs(),
				}
				for _, action := range sortedNames(k.Actions) {
					resource.Subresources = append(resource.Subresources, discoveryAction{Subresource: action, ResponseKind: kind, Verbs: metav1.Verbs{"create"}})
				}
				served.Resources = append(served.Resources, resource)
			}
			group.Versions = append(group.Versions, served)
		}
		list.Items = append(list.Items, group)
	}
	return list
}

func (g *Groups) serveGroup(w http.ResponseWriter, group string) {
	about, ok := g.about(group)
	if !ok {
		nothing(w)
		return
	}
	about.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
	Answer(w, http.StatusOK, about)
}

func (g *Groups) serveVersion(w http.ResponseWriter, group, version string) {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: group + "/" + version}
	for _, k := range g.Kinds {
		if k.Group != group || !k.Served(version) {
			continue
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: k.Plural, SingularName: strings.ToLower(k.Name), Namespaced: true, Kind: k.Name, Verbs: g.verbs(),
		})
		for _, action := range sortedNames(k.Actions) {
			list.APIResources = append(list.APIResources, metav1.APIResource{
				Name: k.Plural + "/" + action, Namespaced: true, Kind: k.Name, Verbs: metav1.Verbs{"create"},
			})
		}
	}
	if len(list.APIResources) == 0 {
		nothing(w)
		return
	}
	Answer(w, http.StatusOK, list)
}

func sortedNames[T any](of map[string]T) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
