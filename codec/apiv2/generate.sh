#!/bin/sh
# Writes the .pb.go files below codec anew from its .proto files. Needs Go and the Go module proxy, nothing else.
set -eu
cd "$(dirname "$0")/gen"
GOWORK=off go run -mod=readonly . ../../..
