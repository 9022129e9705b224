{{/*
What every pod gets: its image, the secrets it is given, and the secrets it is pulled with.
Changes the specification it is handed; says nothing.
*/}}
{{- define "esclusa.pod" -}}
{{- $values := .root.Values }}
{{- $images := .images }}
{{- with $values.image.pullSecrets }}
{{- $references := list }}
{{- range . }}{{ $references = append $references (dict "name" .) }}{{ end }}
{{- $_ := set $.pod "imagePullSecrets" $references }}
{{- end }}
{{- range $container := concat (.pod.initContainers | default list) .pod.containers }}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy }}
{{- $_ := set $container "image" (index $images $container.image) }}
{{- range $source := $container.envFrom }}
{{- with $source.secretRef }}{{ $_ := set . "name" $values.secrets.gateway }}{{ end }}
{{- end }}
{{- range $variable := $container.env }}
{{- with $variable.valueFrom }}
{{- $_ := set .secretKeyRef "name" $values.secrets.metrics }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
