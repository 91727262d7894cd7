{{/* What the Fleet page needs in the operator's container, where it is switched on. */}}
{{- define "pageArgs" -}}
{{- with .Values.page }}
{{- if .enabled -}}
- --page-bind-address=:{{ .port }}
{{- if .tlsSecret }}
- --page-cert-dir=/etc/page/tls
{{- end }}
{{- with .audiences }}
- {{ printf "--page-audiences=%s" (join "," .) | quote }}
{{- end }}
{{- if .proxy.caConfigMap }}
- --page-proxy-ca=/etc/page/proxy/ca.crt
- {{ printf "--page-proxy-names=%s" (join "," .proxy.names) | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pageMounts" -}}
{{- with .Values.page }}
{{- if and .enabled .tlsSecret }}
- name: page-tls
  mountPath: /etc/page/tls
  readOnly: true
{{- end }}
{{- if and .enabled .proxy.caConfigMap }}
- name: page-proxy
  mountPath: /etc/page/proxy
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "pageVolumes" -}}
{{- with .Values.page }}
{{- if and .enabled .tlsSecret }}
- name: page-tls
  secret:
    secretName: {{ .tlsSecret }}
{{- end }}
{{- if and .enabled .proxy.caConfigMap }}
- name: page-proxy
  configMap:
    name: {{ .proxy.caConfigMap }}
{{- end }}
{{- end }}
{{- end -}}
