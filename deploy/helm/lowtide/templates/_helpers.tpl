{{/* The name of the release's objects. 52 characters leave room for endings. */}}
{{- define "lowtide.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains "lowtide" .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-lowtide" .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name is the same in every release: it becomes the job that the alerts look for. */}}
{{- define "lowtide.selector" -}}
app.kubernetes.io/name: lowtide
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lowtide.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "lowtide.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "lowtide.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "lowtide.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "lowtide.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The account's name, or the first word of its endpoint. */}}
{{- define "lowtide.account" -}}
{{- default (regexReplaceAll "^https?://([^./:]+).*$" .Values.account.endpoint "${1}") .Values.account.name }}
{{- end }}

{{/* The secrets that you made which the pod has as files: the name of the secret, the key in it, the name of the file. */}}
{{- define "lowtide.secrets" -}}
{{- $secrets := list }}
{{- if eq .Values.account.auth "sharedKey" }}
{{- $secrets = append $secrets (list .Values.account.keySecret "batch-key") }}
{{- end }}
{{- if eq .Values.ledger.kind "postgres" }}
{{- $secrets = append $secrets (list .Values.ledger.postgres.addressSecret "postgres-address") }}
{{- end }}
{{- $secrets = append $secrets (list .Values.http.tokenSecret "http-token") }}
{{- $secrets = append $secrets (list .Values.http.readTokenSecret "http-read-token") }}
{{- $secrets = append $secrets (list .Values.history.tokenSecret "history-token") }}
{{- $secrets = append $secrets (list .Values.history.passwordSecret "history-password") }}
{{- range $secrets }}
{{- $secret := first . }}
{{- if $secret.name }}
- secret:
    name: {{ $secret.name }}
    items: [{ key: {{ $secret.key }}, path: {{ last . }} }]
{{- end }}
{{- end }}
{{- end }}

{{/* What cannot be meant together, told before anything is made. */}}
{{- define "lowtide.check" -}}
{{- with .Values }}
{{- if not .account.endpoint }}
{{- fail "account.endpoint is needed: https://NAME.REGION.batch.azure.com" }}
{{- end }}
{{- if and (eq .account.auth "workloadIdentity") (not .account.clientId) }}
{{- fail "account.clientId is needed with workloadIdentity: the client id of the identity that may steer the account" }}
{{- end }}
{{- if and (eq .account.auth "sharedKey") (not .account.keySecret.name) }}
{{- fail "account.keySecret.name is needed with sharedKey: a secret that holds the account's key" }}
{{- end }}
{{- if and (eq .ledger.kind "sqlite") (gt (int .replicas) 1) }}
{{- fail "replicas is more than 1 and the ledger is sqlite: two would steer, each by its own ledger; set ledger.kind to postgres" }}
{{- end }}
{{- if and (eq .ledger.kind "postgres") (not .ledger.postgres.addressSecret.name) }}
{{- fail "ledger.postgres.addressSecret.name is needed with a ledger in postgres: a secret that holds its address" }}
{{- end }}
{{- if and (not .http.openReads) (not .http.readTokenSecret.name) (not .http.tokenSecret.name) }}
{{- fail "http.openReads is false and no token lets read: set http.readTokenSecret, or nobody can" }}
{{- end }}
{{- $ways := list .history.tokenSecret.name .history.user .history.scope | compact }}
{{- if gt (len $ways) 1 }}
{{- fail "history has several of tokenSecret, user and scope: keep one" }}
{{- end }}
{{- if ne (empty .history.user) (empty .history.passwordSecret.name) }}
{{- fail "history.user and history.passwordSecret.name go together: set both, or neither" }}
{{- end }}
{{- if and (not .history.prometheus) (or $ways .history.labels .history.all) }}
{{- fail "history.prometheus is needed with the rest of history: where it answers" }}
{{- end }}
{{- if and .policies.files .policies.existingConfigMap }}
{{- fail "policies.files and policies.existingConfigMap are both set: keep one" }}
{{- end }}
{{- if not (or .policies.files .policies.existingConfigMap) }}
{{- fail "there are no policies: set policies.files or policies.existingConfigMap" }}
{{- end }}
{{- end }}
{{- end }}
