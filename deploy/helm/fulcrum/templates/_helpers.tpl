{{/* Names, labels, and what pods of the server and of the jobs have in common. */}}

{{- define "fulcrum.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "fulcrum.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fulcrum.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "fulcrum.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "fulcrum.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "fulcrum.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "fulcrum.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* What cannot be meant; the server would refuse it too, but only in its log. */}}
{{- define "fulcrum.check" -}}
{{- if not (or .Values.insecure (and .Values.tls.secret .Values.tokens.secret)) }}
{{- fail "the server is reached from other pods: set tls.secret and tokens.secret, or insecure=true" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.store.postgresql.secret) }}
{{- fail "more than one replica needs store.postgresql.secret: an SQLite file has one server" }}
{{- end }}
{{- if and .Values.tls.mutual (not .Values.tls.secret) }}
{{- fail "tls.mutual needs tls.secret" }}
{{- end }}
{{- if and .Values.metrics.enabled (not .Values.insecure) (not .Values.tls.mutual) }}
{{- fail "metrics.enabled needs tls.mutual, so that scrapers show a certificate, or insecure=true" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled" }}
{{- end }}
{{- if and .Values.metrics.prometheusRule.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.prometheusRule.enabled needs metrics.enabled" }}
{{- end }}
{{- end }}

{{- define "fulcrum.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "fulcrum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The image's compiled kernels, copied to where they may be added to: the root filesystem is read-only. */}}
{{- define "fulcrum.kernels" -}}
- name: kernels
  image: {{ include "fulcrum.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [cp, -R, /var/cache/fulcrum/., /cache/]
  securityContext:
    {{- include "fulcrum.containerSecurity" . | nindent 4 }}
  resources:
    requests: {cpu: 50m, memory: 32Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    - {name: cache, mountPath: /cache}
{{- end }}

{{- define "fulcrum.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Asks the server's health service; needs no token. `option` is one more word for it. */}}
{{- define "fulcrum.probe" -}}
{{- with .root }}
exec:
  command:
    - python
    - -m
    - planner.service.probe
    - 127.0.0.1:{{ .Values.service.port }}
    {{- with $.option }}
    - {{ . }}
    {{- end }}
    {{- if .Values.tls.secret }}
    - --ca=/etc/fulcrum/tls/ca.crt
    - --server-name={{ include "fulcrum.name" . }}
    {{- if .Values.tls.mutual }}
    - --cert=/etc/fulcrum/tls/tls.crt
    - --key=/etc/fulcrum/tls/tls.key
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}
