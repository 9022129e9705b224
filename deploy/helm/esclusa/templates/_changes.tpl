{{/*
What the values change in the manifest they are about. Each changes what it is handed (`document`)
and says nothing; a manifest without one stays as it is.
*/}}

{{- define "esclusa.StatefulSet" -}}
{{- $values := .root.Values }}
{{- $spec := .document.spec }}
{{- if not $values.autoscaling.enabled }}{{ $_ := set $spec "replicas" (int $values.replicas) }}{{ end }}
{{- include "esclusa.pod" (dict "root" .root "images" .images "pod" $spec.template.spec) }}
{{- $_ := set $spec.template.metadata "annotations" (dict "checksum/config" .checksum) }}
{{- $gateway := index $spec.template.spec.containers 0 }}
{{- $_ := mergeOverwrite $gateway.resources (deepCopy $values.resources) }}
{{- $claim := (index $spec.volumeClaimTemplates 0).spec }}
{{- with $values.storage.size }}{{ $_ := set $claim.resources.requests "storage" . }}{{ end }}
{{- with $values.storage.className }}{{ $_ := set $claim "storageClassName" . }}{{ end }}
{{- end }}

{{- define "esclusa.HorizontalPodAutoscaler" -}}
{{- $spec := .document.spec }}
{{- with .root.Values.autoscaling.min }}{{ $_ := set $spec "minReplicas" (int .) }}{{ end }}
{{- with .root.Values.autoscaling.max }}{{ $_ := set $spec "maxReplicas" (int .) }}{{ end }}
{{- end }}

{{- define "esclusa.Ingress" -}}
{{- $ingress := .root.Values.ingress }}
{{- $spec := .document.spec }}
{{- $_ := mergeOverwrite .document.metadata.annotations (deepCopy $ingress.annotations) }}
{{- with $ingress.className }}{{ $_ := set $spec "ingressClassName" . }}{{ end }}
{{- with $ingress.host }}
{{- $_ := set (index $spec.rules 0) "host" . }}
{{- $_ := set (index $spec.tls 0) "hosts" (list .) }}
{{- end }}
{{- with $ingress.tlsSecret }}{{ $_ := set (index $spec.tls 0) "secretName" . }}{{ end }}
{{- end }}

{{- define "esclusa.ServiceMonitor" -}}
{{- $endpoint := index .document.spec.endpoints 0 }}
{{- $_ := set $endpoint.authorization.credentials "name" .root.Values.secrets.metrics }}
{{- end }}

{{- define "esclusa.CronJob" -}}
{{- $backup := .root.Values.backup }}
{{- $pod := .document.spec.jobTemplate.spec.template.spec }}
{{- include "esclusa.pod" (dict "root" .root "images" .images "pod" $pod) }}
{{- with $backup.schedule }}{{ $_ := set $.document.spec "schedule" . }}{{ end }}
{{- with $backup.keep }}
{{- $words := list "backup" "create" "/backups" "--keep" (. | int | toString) }}
{{- $_ := set (index $pod.containers 0) "args" $words }}
{{- end }}
{{- end }}

{{- define "esclusa.PersistentVolumeClaim" -}}
{{- $backup := .root.Values.backup }}
{{- $spec := .document.spec }}
{{- with $backup.size }}{{ $_ := set $spec.resources.requests "storage" . }}{{ end }}
{{- with $backup.className }}{{ $_ := set $spec "storageClassName" . }}{{ end }}
{{- end }}
