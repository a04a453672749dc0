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

{{- define "alertwright.selector" -}}
app.kubernetes.io/name: {{ include "alertwright.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "alertwright.labels" -}}
{{ include "alertwright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
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
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
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
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "alertwright.labels" .root | nindent 4 }}
  {{- if and .root.Values.instanceHook .root.Release.IsInstall }}
  annotations:
    # A hook is no part of the release yet. With these two the first upgrade takes it over in place.
    meta.helm.sh/release-name: {{ .root.Release.Name }}
    meta.helm.sh/release-namespace: {{ .root.Release.Namespace }}
    helm.sh/hook: post-install
    helm.sh/hook-delete-policy: before-hook-creation
  {{- else if .root.Values.instanceHook }}
  annotations:
    # A rollback to the first revision, which has it as a hook, must not delete it.
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  {{- toYaml .spec | nindent 2 }}
{{- end }}
