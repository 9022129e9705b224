{{/*
One manifest as it is sent: changed by the values, then by `overrides`, with the namespace and
the labels of the release.
*/}}
{{- define "esclusa.document" -}}
{{- $root := .root }}
{{- $document := .document }}
{{- $metadata := $document.metadata }}
{{- $labels := dict "app.kubernetes.io/name" "esclusa" }}
{{- $_ := set $labels "app.kubernetes.io/instance" $root.Release.Name }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version) }}
{{- $_ := set $metadata "labels" (merge ($metadata.labels | default dict) $labels) }}
{{- $_ := set $metadata "namespace" $root.Release.Namespace }}
{{- if has $document.kind (list "StatefulSet" "HorizontalPodAutoscaler" "Ingress" "ServiceMonitor" "CronJob" "PersistentVolumeClaim") }}
{{- include (printf "esclusa.%s" $document.kind) . }}
{{- end }}
{{- $key := printf "%s/%s" $document.kind $metadata.name }}
{{- $document = mergeOverwrite $document (deepCopy (get $root.Values.overrides $key | default dict)) }}
---
{{ toYaml $document }}
{{- end }}
