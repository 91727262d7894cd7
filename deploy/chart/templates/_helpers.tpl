{{/* The name of everything: the release's, with the chart's after it unless the release's says it already. */}}
{{- define "name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" (.Release.Name | trunc 34 | trimSuffix "-") .Chart.Name }}
{{- end -}}
{{- end -}}

{{/* The labels that select the operator's pods: those of deploy/supervisor, so that a release can take its place. */}}
{{- define "selector" -}}
app.kubernetes.io/name: {{ include "name" . }}
{{- end -}}

{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "account" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "name" . }}
{{- end -}}

{{- define "image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{/* What a container may do: nothing beyond being a process. */}}
{{- define "confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
