{{/*
Three ways in for a plugin. Its name is that of a folder below /plugins, or of a socket below /run/placement.

An image volume is mounted as it is. An init container copies into a folder that it makes itself, below /out: the kernel
lets all users write the emptyDir, and the operator starts nothing that others could replace, but a folder in it belongs to who
made it. Mounting that folder alone hides the emptyDir. A side-car serves a socket.
*/}}
{{- define "pluginContainers" -}}
{{- $some := false -}}
{{- range .Values.plugins }}{{ if or .initContainer .sidecar }}{{ $some = true }}{{ end }}{{ end -}}
{{- if $some -}}
initContainers:
{{- range $name, $plugin := .Values.plugins }}
{{- with $plugin.initContainer }}
- name: plugin-{{ $name }}
  image: {{ .image }}
  {{- with .pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  {{- with .command }}
  command: {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .args }}
  args: {{- toYaml . | nindent 2 }}
  {{- end }}
  resources: {{- toYaml $.Values.pluginResources | nindent 4 }}
  securityContext: {{- include "confined" $ | nindent 4 }}
  volumeMounts:
  - name: plugin-{{ $name }}
    mountPath: /out
{{- end }}
{{- with $plugin.sidecar }}
- name: plugin-{{ $name }}
  image: {{ .image }}
  restartPolicy: Always # it runs beside the operator, and is started before it
  {{- with .pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  {{- with .command }}
  command: {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .args }}
  args: {{- toYaml . | nindent 2 }}
  {{- end }}
  env:
  - name: PLACEMENT_SOCKET
    value: /run/placement/{{ $name }}.sock
  resources: {{- toYaml (.resources | default $.Values.pluginResources) | nindent 4 }}
  securityContext:
    {{- include "confined" $ | nindent 4 }}
    {{- with .runAsUser }}
    runAsUser: {{ int64 . }}
    {{- end }}
  volumeMounts:
  - name: plugin-sockets
    mountPath: /run/placement
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "pluginMounts" -}}
{{- $sockets := false -}}
{{- range $name, $plugin := .Values.plugins }}
{{- with $plugin.imageVolume }}
- name: plugin-{{ $name }}
  mountPath: /plugins/{{ $name }}
  readOnly: true
{{- end }}
{{- if $plugin.initContainer }}
- name: plugin-{{ $name }}
  mountPath: /plugins/{{ $name }}
  subPath: {{ $name }}
  readOnly: true
{{- end }}
{{- if $plugin.sidecar }}{{ $sockets = true }}{{ end }}
{{- end }}
{{- if $sockets }}
- name: plugin-sockets
  mountPath: /run/placement
{{- end }}
{{- end -}}

{{- define "pluginVolumes" -}}
{{- $sockets := false -}}
{{- range $name, $plugin := .Values.plugins }}
{{- with $plugin.imageVolume }}
- name: plugin-{{ $name }}
  image: {{- toYaml . | nindent 4 }}
{{- end }}
{{- if $plugin.initContainer }}
- name: plugin-{{ $name }}
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
{{- if $plugin.sidecar }}{{ $sockets = true }}{{ end }}
{{- end }}
{{- if $sockets }}
- name: plugin-sockets
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}
{{- end -}}
