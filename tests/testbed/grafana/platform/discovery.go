// Package platform is /apis: what newer releases offer in the manner of Kubernetes.
package platform

import (
	"strings"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The app platform's API, /apis: what newer releases offer in the manner of Kubernetes.

const (
	notificationsGroup = "notifications.alerting.grafana.app"
	rulesGroup         = "rules.alerting.grafana.app"
	provenanceNote     = "grafana.com/provenance"
	folderNote         = "grafana.app/folder"
	defaultTree        = "user-defined"
	lonelyGroup        = "no_group_for_rule_"
)

func (s *api) groupVersions() map[string][]string {
	served := map[string][]string{}
	if versions := s.Cfg.Version.NotificationKinds(s.Cfg.Toggle("alertingApiServer")); len(versions) > 0 {
		served[notificationsGroup] = versions
	}
	if versions := s.Cfg.Version.RuleKinds(s.Cfg.Toggle("kubernetesAlertingRules")); len(versions) > 0 {
		served[rulesGroup] = versions
	}
	return served
}

func (s *api) routeKinds() {
	resources := []*resource{
		{notificationsGroup, "Receiver", "receivers", s.receiverObjects, s.putReceiver, s.removeReceiver},
		{notificationsGroup, "RoutingTree", "routingtrees", s.treeObjects, s.putTree, s.removeTree},
		{notificationsGroup, "TemplateGroup", "templategroups", s.templateObjects, s.putTemplateObject, s.removeTemplateObject},
		{notificationsGroup, "TimeInterval", "timeintervals", s.timingObjects, s.putTimingObject, s.removeTimingObject},
		{notificationsGroup, "InhibitionRule", "inhibitionrules", s.inhibitionObjects, s.putInhibition, s.removeInhibition},
		{rulesGroup, "AlertRule", "alertrules", s.ruleObjects, s.putRuleObject, s.removeRuleObject},
	}
	served := s.groupVersions()
	groups := []map[string]any{}
	for _, group := range store.SortedKeys(served) {
		versions := []map[string]string{}
		for _, version := range served[group] {
			versions = append(versions, map[string]string{"groupVersion": group + "/" + version, "version": version})
		}
		about := map[string]any{"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": versions[0]}
		groups = append(groups, about)
		s.Handle("GET /apis/"+group, server.Viewer, func(c *server.Call) { c.JSON(200, about) })
		for _, version := range served[group] {
			list := []map[string]any{}
			for _, r := range resources {
				if r.group == group {
					list = append(list, map[string]any{
						"name": r.plural, "singularName": strings.ToLower(r.kind), "namespaced": true, "kind": r.kind,
						"verbs": []string{"create", "delete", "get", "list", "update"},
					})
					s.routeResource(r, version)
				}
			}
			body := map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group + "/" + version, "resources": list}
			s.Handle("GET /apis/"+group+"/"+version, server.Viewer, func(c *server.Call) { c.JSON(200, body) })
		}
	}
	if len(groups) > 0 {
		s.Handle("GET /apis", server.Viewer, func(c *server.Call) {
			c.JSON(200, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
		})
		if s.Cfg.Version.ReceiverTestKind() {
			for _, version := range served[notificationsGroup] {
				s.Handle("POST /apis/"+notificationsGroup+"/"+version+"/namespaces/{namespace}/receivers/{name}/test", server.EditConfig, s.testReceiverObject)
			}
		}
	}
}
