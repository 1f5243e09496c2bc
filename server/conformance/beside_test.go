package conformance

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const messagingService = "apache.rocketmq.v2.MessagingService"

// TestHealth asks what balancers ask.
func TestHealth(t *testing.T) {
	eachTransport(t, "grpc.health.v1", func(p peer) {
		if p.proxy == nil {
			p.SkipNow() // the Java proxy has no such service
		}
		client := health.NewHealthClient(p.conn)
		for _, name := range []string{"", messagingService} {
			answer, err := client.Check(p.with(), &health.HealthCheckRequest{Service: name})
			if err != nil || answer.GetStatus() != health.HealthCheckResponse_SERVING {
				p.Errorf("%q: %v, %v", name, answer, err)
			}
		}
		if _, err := client.Check(p.with(), &health.HealthCheckRequest{Service: "none"}); status.Code(err) != codes.NotFound {
			p.Errorf("a service that is not there: %v", err)
		}
	})
}

// TestHealthOfLeaving: who watches hears that the proxy was asked to end, before it is gone.
func TestHealthOfLeaving(t *testing.T) {
	the.table.enter(t, "grpc.health.v1", localTarget, "raw-cleartext")
	g := ownLocal(t, nil)
	p := dial(t, g, transports["raw-cleartext"])
	stream, err := health.NewHealthClient(p.conn).Watch(p.with(), &health.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := stream.Recv(); err != nil || answer.GetStatus() != health.HealthCheckResponse_SERVING {
		t.Fatalf("before: %v, %v", answer, err)
	}
	g.proxy.Terminate()
	if answer, err := stream.Recv(); err != nil || answer.GetStatus() != health.HealthCheckResponse_NOT_SERVING {
		t.Errorf("after SIGTERM: %v, %v", answer, err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the end: %v", err)
	}
	select {
	case <-g.proxy.Exited():
	case <-time.After(callPatience):
		t.Error("the proxy waits for who watches it")
	}
}

// TestReflection calls a method by nothing but what the proxy tells of it, as grpcurl does.
func TestReflection(t *testing.T) {
	eachTransport(t, "grpc.reflection", func(p peer) {
		stream, err := reflection.NewServerReflectionClient(p.conn).ServerReflectionInfo(p.with())
		if err != nil {
			p.Fatal(err)
		}
		ask := func(question *reflection.ServerReflectionRequest) *reflection.ServerReflectionResponse {
			if err := stream.Send(question); err != nil {
				p.Fatal(err)
			}
			answer, err := stream.Recv()
			if err != nil {
				p.Fatal(err)
			}
			return answer
		}
		var names []string
		for _, s := range ask(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_ListServices{}}).GetListServicesResponse().GetService() {
			names = append(names, s.GetName())
		}
		for _, name := range []string{messagingService, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} {
			if !slices.Contains(names, name) {
				p.Errorf("%s is not among %q", name, names)
			}
		}
		files := &descriptorpb.FileDescriptorSet{}
		answer := ask(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: messagingService}})
		for _, encoded := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := &descriptorpb.FileDescriptorProto{}
			if err := proto.Unmarshal(encoded, file); err != nil {
				p.Fatal(err)
			}
			files.File = append(files.File, file)
		}
		if err := stream.CloseSend(); err != nil {
			p.Fatal(err)
		}
		p.callsByDescription(files, "QueryRoute", `{"topic": {"name": "`+p.topic("NORMAL")+`"}, "endpoints": {"scheme": "IPv4", "addresses": [{"host": "127.0.0.1", "port": 1}]}}`)
	})
}

// callsByDescription calls a unary method whose types are known from descriptors only.
func (p peer) callsByDescription(files *descriptorpb.FileDescriptorSet, method protoreflect.Name, text string) {
	p.Helper()
	registry, err := protodesc.NewFiles(files)
	if err != nil {
		p.Fatal(err)
	}
	found, err := registry.FindDescriptorByName(messagingService)
	if err != nil {
		p.Fatal(err)
	}
	described := found.(protoreflect.ServiceDescriptor).Methods().ByName(method)
	request, answer := dynamicpb.NewMessage(described.Input()), dynamicpb.NewMessage(described.Output())
	if err := protojson.Unmarshal([]byte(text), request); err != nil {
		p.Fatal(err)
	}
	if err := p.conn.Invoke(p.with(), "/"+messagingService+"/"+string(method), request, answer); err != nil {
		p.Fatal(err)
	}
	outcome := answer.Get(described.Output().Fields().ByName("status")).Message()
	if code := outcome.Get(outcome.Descriptor().Fields().ByName("code")).Enum(); code != 20000 {
		p.Errorf("%s by its description: %v", method, answer)
	}
}

// TestReflectionAlpha: older tools ask by the older name.
//
//nolint:staticcheck // it is deprecated, and asked for all the same
func TestReflectionAlpha(t *testing.T) {
	eachTransport(t, "grpc.reflection", func(p peer) {
		ctx, cancel := context.WithTimeout(p.Context(), callPatience)
		defer cancel()
		stream, err := reflectionalpha.NewServerReflectionClient(p.conn).ServerReflectionInfo(ctx)
		if err != nil {
			p.Fatal(err)
		}
		if err := stream.Send(&reflectionalpha.ServerReflectionRequest{MessageRequest: &reflectionalpha.ServerReflectionRequest_ListServices{}}); err != nil {
			p.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil || !slices.ContainsFunc(answer.GetListServicesResponse().GetService(), func(s *reflectionalpha.ServiceResponse) bool {
			return s.GetName() == messagingService
		}) {
			p.Errorf("%v, %v", answer, err)
		}
	})
}
