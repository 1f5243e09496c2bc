#!/bin/sh
# Writes definition.pb.go and service.pb.go anew from proto/*.proto. Needs Go and the Go module proxy, nothing else.
set -eu
cd "$(dirname "$0")/gen"
GOWORK=off go run -mod=readonly . ../../..
