{{/* The pod of one job; restartPolicy is added by who includes it. */}}
{{- define "fulcrum.rebalancePod" -}}
{{- $root := .root }}
{{- $job := .job -}}
metadata:
  labels:
    {{- include "fulcrum.labels" $root | nindent 4 }}
    app.kubernetes.io/component: rebalance
    fulcrum.dev/rebalance: {{ $job.name }}
spec:
  serviceAccountName: {{ include "fulcrum.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- include "fulcrum.podSecurity" $root | nindent 4 }}
  {{- include "fulcrum.placement" $root | nindent 2 }}
  initContainers:
    {{- include "fulcrum.kernels" $root | nindent 4 }}
  containers:
    - name: rebalance
      image: {{ include "fulcrum.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        - fulcrum
        - rebalance
        - --fleet={{ $job.fleet }}
        - --server={{ include "fulcrum.name" $root }}:{{ $root.Values.service.port }}
        - --prometheus={{ $job.prometheus }}
        - {{ if $job.every }}--every={{ $job.every }}{{ else }}--once{{ end }}
        - --json
        {{- if $job.auto }}
        - --auto
        {{- end }}
        {{- if $root.Values.tls.secret }}
        - --server-ca=/etc/fulcrum/tls/ca.crt
        {{- end }}
        {{- with $job.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - {name: FULCRUM_CACHE_DIR, value: /cache}
        {{- with $job.token }}
        - name: FULCRUM_TOKEN
          valueFrom:
            secretKeyRef: {name: {{ .secret }}, key: {{ .key | default "token" }}}
        {{- end }}
      securityContext:
        {{- include "fulcrum.containerSecurity" $root | nindent 8 }}
      resources:
        {{- toYaml ($job.resources | default (dict "requests" (dict "cpu" "100m" "memory" "256Mi") "limits" (dict "memory" "2Gi"))) | nindent 8 }}
      volumeMounts:
        - {name: cache, mountPath: /cache}
        - {name: tmp, mountPath: /tmp}
        {{- if $root.Values.tls.secret }}
        - {name: tls, mountPath: /etc/fulcrum/tls, readOnly: true}
        {{- end }}
  volumes:
    - {name: cache, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
    {{- if $root.Values.tls.secret }}
    - name: tls
      # the authorities only: the job is no server
      secret: {secretName: {{ $root.Values.tls.secret }}, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}
    {{- end }}
{{- end }}
