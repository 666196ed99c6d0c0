#!/bin/sh
# Creates the namespace with 30 days of retention, as soon as the server answers.
# A namespace that exists is left as it is.
#
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the temporal command.
set -eu

namespace=${TEMPORAL_NAMESPACE:-default}
attempts=60
echo "waiting for the Temporal server at ${TEMPORAL_ADDRESS:-localhost:7233}"
until temporal operator cluster health >/dev/null 2>&1; do
	attempts=$((attempts - 1))
	if [ "$attempts" -eq 0 ]; then
		echo "it does not become healthy" >&2
		exit 1
	fi
	sleep 2
done

if temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1; then
	echo "namespace $namespace exists"
	exit 0
fi
temporal operator namespace create --namespace "$namespace" --retention 720h \
	--description "ticketbridge: feeds, requests and what is on its way to tickets"

# The server's parts learn of a new namespace a few seconds later.
until temporal workflow list --namespace "$namespace" --limit 1 >/dev/null 2>&1; do
	attempts=$((attempts - 1))
	if [ "$attempts" -eq 0 ]; then
		echo "namespace $namespace was created and cannot be used yet" >&2
		exit 1
	fi
	sleep 2
done
echo "namespace $namespace is ready"
