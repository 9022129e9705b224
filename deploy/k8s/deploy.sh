#!/bin/sh
# Brings an image into the cluster that kubectl is configured for, and takes it back where it does
# not become well: 0 where the new release serves, 1 where the one before serves again.
#   IMAGE=ghcr.io/owner/esclusa TAG=1a2b3c sh deploy/k8s/deploy.sh [overlay]
# The image of the backup is `$IMAGE-backup`. Configuration of the release before is kept: the
# names of its ConfigMaps end in a digest of what they hold.
set -eu
: "${IMAGE:?}" "${TAG:?}"
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
overlay="$folder/overlays/${1:-production}"
patience=${PATIENCE:-15m}

manifests=$(kubectl kustomize "$overlay")
namespace=$(printf '%s\n' "$manifests" \
  | awk '/^kind: Namespace$/ { found = 1 } found && /^  name: / { print $2; exit }')
workload=statefulset/esclusa

in_place() { kubectl -n "$namespace" "$@"; }
# Asked from inside a pod of the new release, as the probes do.
is_well() {
  in_place rollout status "$workload" --timeout="$patience" \
    && in_place exec "$workload" -c esclusa -- node /app/bin/health.mjs /health/ready
}

printf '%s\n' "$manifests" \
  | sed -e "s#ghcr.io/esclusa/esclusa-backup:0.1.0#$IMAGE-backup:$TAG#" \
        -e "s#ghcr.io/esclusa/esclusa:0.1.0#$IMAGE:$TAG#" \
  | kubectl apply -f - && is_well && exit 0

echo "$TAG is not well in $namespace: going back." >&2
in_place rollout undo "$workload"
in_place rollout status "$workload" --timeout="$patience"
exit 1
