{{- define "alertwright.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "alertwright.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "alertwright.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "alertwright.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "alertwright.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* In the names of what is in no namespace. */}}
{{- define "alertwright.clusterName" -}}
{{- printf "%s-%s" (include "alertwright.namespace" .) (include "alertwright.fullname" .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "alertwright.selector" -}}
app.kubernetes.io/name: {{ include "alertwright.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "alertwright.labels" -}}
{{ include "alertwright.selector" . }}
{{ include "alertwright.moreLabels" . }}
{{- end }}

{{/* What every object has, whatever it is selected by. */}}
{{- define "alertwright.moreLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The annotations of an object: [root, its own]. Its own go before everybody's. Nothing where there are none. */}}
{{- define "alertwright.annotations" -}}
{{- with mergeOverwrite (deepCopy (first .).Values.commonAnnotations) (last .) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "alertwright.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "alertwright.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "alertwright.image" -}}
{{- $registry := .Values.image.registry }}
{{- /* A repository said its registry too before there was image.registry. No owner at ghcr.io has a dot in its name. */}}
{{- if and (eq $registry "ghcr.io") (regexMatch "^(localhost|[^/]*[.:][^/]*)/" .Values.image.repository) }}
{{- $registry = "" }}
{{- end }}
{{- with .Values.global.imageRegistry | default $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest -}}
@{{ .Values.image.digest }}
{{- else -}}
:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* What every pod of the chart says of who pulls its image, and where it may run. */}}
{{- define "alertwright.pod" -}}
enableServiceLinks: {{ .Values.enableServiceLinks }}
{{- with concat .Values.imagePullSecrets (.Values.global.imagePullSecrets | default list) }}
imagePullSecrets:
{{- range . }}
- name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
{{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.hostUsers) }}
hostUsers: {{ .Values.hostUsers }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "alertwright.securityContext" (list . .Values.podSecurityContext) | nindent 2 }}
{{- end }}

{{/* A security context: [root, as the values have it], without the users and groups that OpenShift gives out itself. */}}
{{- define "alertwright.securityContext" -}}
{{- $root := first . }}
{{- $context := last . }}
{{- $openshift := $root.Values.openshift }}
{{- if eq (toString $openshift) "auto" }}
{{- $openshift = $root.Capabilities.APIVersions.Has "security.openshift.io/v1" }}
{{- end }}
{{- if $openshift }}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{/* How the operator logs in at Grafana. */}}
{{- define "alertwright.auth" -}}
{{- with .Values.grafana.adminSecret -}}
basic:
  username: {secretKeyRef: {name: {{ . }}, key: admin-user}}
  password: {secretKeyRef: {name: {{ . }}, key: admin-password}}
{{- else -}}
token: {secretKeyRef: {name: {{ include "alertwright.tokenSecret" . }}, key: {{ .Values.grafana.existingSecret.key }}}}
{{- end }}
{{- end }}

{{- define "alertwright.tokenSecret" -}}
{{- .Values.grafana.existingSecret.name | default (printf "%s-grafana" (include "alertwright.fullname" .)) }}
{{- end }}

{{/* A GrafanaInstance: a hook at the first installation, a part of the release from the first upgrade on. */}}
{{- define "alertwright.instance" -}}
apiVersion: alerting.letsrevel.io/v1alpha1
kind: GrafanaInstance
metadata:
  name: {{ .name }}
  namespace: {{ include "alertwright.namespace" .root }}
  labels:
    {{- include "alertwright.labels" .root | nindent 4 }}
  {{- $annotations := dict }}
  {{- if and .root.Values.instanceHook .root.Release.IsInstall }}
  {{- /* A hook is no part of the release yet. With the first two the first upgrade takes it over in place. */}}
  {{- $annotations = dict
        "meta.helm.sh/release-name" .root.Release.Name
        "meta.helm.sh/release-namespace" .root.Release.Namespace
        "helm.sh/hook" "post-install"
        "helm.sh/hook-delete-policy" "before-hook-creation" }}
  {{- else if .root.Values.instanceHook }}
  {{- /* A rollback to the first revision, which has it as a hook, must not delete it. */}}
  {{- $annotations = dict "helm.sh/resource-policy" "keep" }}
  {{- end }}
  {{- include "alertwright.annotations" (list .root $annotations) }}
spec:
  {{- toYaml .spec | nindent 2 }}
{{- end }}

{{/* A monitor of the Prometheus operator: [root, its values]. */}}
{{- define "alertwright.monitor" -}}
{{- $root := first . }}
{{- $values := last . -}}
metadata:
  name: {{ include "alertwright.fullname" $root }}
  namespace: {{ $values.namespace | default (include "alertwright.namespace" $root) }}
  labels:
    {{- include "alertwright.labels" $root | nindent 4 }}
    {{- with $values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "alertwright.annotations" (list $root $values.annotations) }}
spec:
  {{- with $values.namespace }}
  namespaceSelector:
    matchNames: [{{ include "alertwright.namespace" $root }}]
  {{- end }}
  selector:
    matchLabels:
      {{- include "alertwright.selector" $root | nindent 6 }}
{{- end }}

{{/* Where and how it reads. */}}
{{- define "alertwright.endpoint" -}}
- port: http
  interval: {{ .interval }}
  {{- with .scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  {{- if .honorLabels }}
  honorLabels: true
  {{- end }}
  {{- with .relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The alerts of files/alerts.yaml but those that are switched off: [root, their names]. */}}
{{- define "alertwright.alerts" -}}
{{- $disabled := last . }}
{{- $alerts := list }}
{{- $all := list }}
{{- range (first .).Files.Get "files/alerts.yaml" | fromYamlArray }}
{{- $all = append $all .name }}
{{- if not (has .name $disabled) }}
{{- $alerts = append $alerts . }}
{{- end }}
{{- end }}
{{- range $disabled }}
{{- if not (has . $all) }}
{{- fail (printf "disabled: there is no alert %s; there are %s" . (join ", " $all)) }}
{{- end }}
{{- end }}
{{- toYaml $alerts }}
{{- end }}

{{/* What to do about an alert: [root, its name]. */}}
{{- define "alertwright.runbook" -}}
{{- printf "%s/blob/main/docs/watching.md#%s" (first .).Chart.Home (lower (last .)) }}
{{- end }}

{{/* What values were called once. The schema lets them through, to be told here what they are called now. */}}
{{- define "alertwright.former" -}}
{{- if hasKey .Values "ownerId" }}
{{- fail "ownerId is called ownerID" }}
{{- end }}
{{- if hasKey .Values "test" }}
{{- fail "test.image is gone: `helm test` runs the operator's own image, so leave it out" }}
{{- end }}
{{- end }}
