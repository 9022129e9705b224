{{/*
The variables of the gateways: those of the base, then those of the values. DB_PROCESSES is the
most processes there can be, so it follows the autoscaler. As JSON: every byte of a text counts.
*/}}
{{- define "esclusa.env" -}}
{{- $env := dict }}
{{- range .made.literals }}
{{- $parts := splitn "=" 2 . }}
{{- $_ := set $env $parts._0 $parts._1 }}
{{- end }}
{{- with .root.Values.autoscaling.max }}{{ $_ := set $env "DB_PROCESSES" (. | int | toString) }}{{ end }}
{{- range $name, $value := .root.Values.env }}{{ $_ := set $env $name (toString $value) }}{{ end }}
{{- toJson $env }}
{{- end }}

{{/* esclusa.yaml of the base with the values over it; as it stands where there are none. */}}
{{- define "esclusa.file" -}}
{{- if .root.Values.config -}}
{{- toYaml (mergeOverwrite (fromYaml .text) (deepCopy .root.Values.config)) }}
{{- else -}}
{{- .text }}
{{- end }}
{{- end }}

{{/* The data of one ConfigMap that the base makes, of literals or of files, as JSON. */}}
{{- define "esclusa.data" -}}
{{- if .made.literals -}}
{{- include "esclusa.env" . }}
{{- else -}}
{{- $data := dict }}
{{- range .made.files }}
{{- $text := $.root.Files.Get (printf "manifests/%s/%s" $.folder .) }}
{{- $_ := set $data . (include "esclusa.file" (dict "root" $.root "text" $text)) }}
{{- end }}
{{- toJson $data }}
{{- end }}
{{- end }}
