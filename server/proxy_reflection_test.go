package server_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"rocketmq-proxy/codec/reflection"
)

type (
	reflect     = reflection.ServerReflectionRequest
	byFilename  = reflection.ServerReflectionRequest_FileByFilename
	bySymbol    = reflection.ServerReflectionRequest_FileContainingSymbol
	byExtension = reflection.ServerReflectionRequest_FileContainingExtension
	extensions  = reflection.ServerReflectionRequest_AllExtensionNumbersOfType
	services    = reflection.ServerReflectionRequest_ListServices
)

const reflectionPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

// asksFor sends one more question and waits for the answer.
func (r *rpc) asksFor(question *reflect) *reflection.ServerReflectionResponse {
	r.Helper()
	r.mu.Lock()
	n := len(r.messages)
	r.mu.Unlock()
	r.send(question, false)
	got := &reflection.ServerReflectionResponse{}
	r.message(n, got)
	if !proto.Equal(got.GetOriginalRequest(), question) || got.GetValidHost() != question.GetHost() {
		r.Errorf("%v is answered as %v for %q", question, got.GetOriginalRequest(), got.GetValidHost())
	}
	return got
}

// filesIn are the names of the files of an answer.
func filesIn(t *testing.T, answer *reflection.ServerReflectionResponse) (names []string) {
	t.Helper()
	for _, encoded := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(encoded, file); err != nil {
			t.Fatal(err)
		}
		names = append(names, file.GetName())
	}
	return names
}

func TestReflection(t *testing.T) {
	const messages = "codec/apiv2/proto/service.proto"
	imports := []string{"codec/apiv2/proto/definition.proto", "google/protobuf/duration.proto", "google/protobuf/timestamp.proto"}
	w := start(t)
	for _, path := range []string{reflectionPath, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"} {
		r := w.client("grpcurl").openPath(path, 0)
		var names []string
		for _, s := range r.asksFor(&reflect{Host: "proxy", MessageRequest: &services{ListServices: "*"}}).GetListServicesResponse().GetService() {
			names = append(names, s.GetName())
		}
		if want := []string{
			"apache.rocketmq.v2.MessagingService", "grpc.health.v1.Health",
			"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
		}; !slices.Equal(names, want) {
			t.Errorf("services: %q", names)
		}
		got := filesIn(t, r.asksFor(&reflect{MessageRequest: &bySymbol{FileContainingSymbol: "apache.rocketmq.v2.MessagingService"}}))
		if got[0] != messages || !slices.Equal(slices.Sorted(slices.Values(got[1:])), imports) {
			t.Errorf("a service: %q", got)
		}
		for _, question := range []*reflect{ // the imports are there now
			{MessageRequest: &bySymbol{FileContainingSymbol: "apache.rocketmq.v2.MessagingService.SendMessage"}},
			{MessageRequest: &bySymbol{FileContainingSymbol: "apache.rocketmq.v2.SendMessageRequest.messages"}},
			{MessageRequest: &byFilename{FileByFilename: messages}},
		} {
			if got := filesIn(t, r.asksFor(question)); !slices.Equal(got, []string{messages}) {
				t.Errorf("%v: %q", question, got)
			}
		}
		for _, question := range []*reflect{
			{MessageRequest: &bySymbol{FileContainingSymbol: "grpc.reflection.v1alpha.ServerReflectionRequest"}},
			{MessageRequest: &bySymbol{FileContainingSymbol: "grpc.health.v1.HealthCheckResponse.ServingStatus"}},
			{MessageRequest: &byFilename{FileByFilename: "google/protobuf/timestamp.proto"}},
		} {
			if got := filesIn(t, r.asksFor(question)); len(got) != 1 {
				t.Errorf("%v: %q", question, got)
			}
		}
		for _, question := range []*reflect{
			{MessageRequest: &bySymbol{FileContainingSymbol: "apache.rocketmq.v2.None"}},
			{MessageRequest: &bySymbol{FileContainingSymbol: "not a name"}},
			{MessageRequest: &byFilename{FileByFilename: "../go.mod"}},
			{MessageRequest: &byExtension{FileContainingExtension: &reflection.ExtensionRequest{ContainingType: "apache.rocketmq.v2.Message", ExtensionNumber: 100}}},
			{MessageRequest: &extensions{AllExtensionNumbersOfType: "apache.rocketmq.v2.MessagingService"}},
		} {
			if got := r.asksFor(question).GetErrorResponse(); got.GetErrorCode() != 5 || got.GetErrorMessage() == "" {
				t.Errorf("%v: %v", question, got)
			}
		}
		numbers := r.asksFor(&reflect{MessageRequest: &extensions{AllExtensionNumbersOfType: "apache.rocketmq.v2.Message"}}).GetAllExtensionNumbersResponse()
		if numbers.GetBaseTypeName() != "apache.rocketmq.v2.Message" || len(numbers.GetExtensionNumber()) != 0 {
			t.Errorf("extensions: %v", numbers)
		}
		r.sendRaw(nil, true)
		if got := r.status(); got != "0" {
			t.Errorf("the end: %s", got)
		}
	}
}

func TestReflectionRefuses(t *testing.T) {
	c := start(t).client("grpcurl")
	r := c.openPath(reflectionPath, 0)
	r.send(&reflect{}, false)
	if got := r.status(); got != "3" {
		t.Errorf("no question: %s", got)
	}
	r = c.openPath(reflectionPath, 0)
	r.sendRaw([]byte{0, 0, 0, 0, 1, 0xff}, false)
	if got := r.status(); got != "13" {
		t.Errorf("malformed: %s", got)
	}
	if got := c.openPath("/grpc.reflection.v1.ServerReflection/Other", 0).status(); got != "12" {
		t.Errorf("another method: %s", got)
	}
}

// Who asks and does not read is stopped at a megabyte.
func TestReflectionIsRead(t *testing.T) {
	const bytesMax = 1 << 20
	c := start(t).thrifty("hoarder", 0)
	r := c.openPath(reflectionPath, 0)
	question := &reflect{MessageRequest: &bySymbol{FileContainingSymbol: "apache.rocketmq.v2.MessagingService"}}
	for range 500 {
		r.send(question, false)
	}
	r.widen(1 << 30)
	if got := r.status(); got != "8" {
		t.Errorf("the end: %s", got)
	}
	total, largest := 0, 0
	for _, m := range r.messages {
		total += len(m)
		largest = max(largest, len(m))
	}
	if total <= bytesMax-5*len(r.messages) || total > bytesMax+largest {
		t.Errorf("%d bytes in %d answers were sent", total, len(r.messages))
	}
}
