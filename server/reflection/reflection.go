// Package reflection is the gRPC service grpc.reflection.v1.ServerReflection, and its v1alpha,
// which differs in nothing but its name: tools such as grpcurl ask it what the server has, and
// call that without a .proto.
package reflection

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/reflection"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
)

// The service's full names.
const (
	Name      = "grpc.reflection.v1.ServerReflection"
	NameAlpha = "grpc.reflection.v1alpha.ServerReflection"
)

// unsentBytesMax is how much of its answers a client may leave unread: each is a thousand times
// as large as its question.
const unsentBytesMax = 1 << 20

// Service is what all connections share. It does not change.
type Service struct {
	catalog
	services []string // sorted
}

// New returns the service that shows the services of these files, and itself.
func New(files ...protoreflect.FileDescriptor) (*Service, error) {
	own := reflection.File_codec_reflection_proto_reflection_proto
	alpha, err := alphaOf(own)
	if err != nil {
		return nil, err
	}
	svc := &Service{}
	for _, file := range append(files, own, alpha) {
		if err := svc.add(file); err != nil {
			return nil, err
		}
		for i := range file.Services().Len() {
			svc.services = append(svc.services, string(file.Services().Get(i).FullName()))
		}
	}
	slices.Sort(svc.services)
	return svc, nil
}

// Open begins a call; nil: there is no such method.
func (svc *Service) Open(method string, _ *h2.Stream) h2.Handler {
	if method != "ServerReflectionInfo" {
		return nil
	}
	return &info{service: svc}
}

// info is a call of ServerReflectionInfo: each question gets one answer.
type info struct {
	service *Service
	sent    map[string]bool // files that the client has, by their paths
}

// ClientStreams implements h2.Handler.
func (c *info) ClientStreams() bool { return true }

// Message implements h2.Handler.
func (c *info) Message(s *h2.Stream, msg *pool.Chain) {
	if s.Unsent() > unsentBytesMax {
		s.Finish(grpc.Status{Code: grpc.ResourceExhausted, Message: "the answers are not read"})
		return
	}
	var request reflection.ServerReflectionRequest
	if err := proto.Unmarshal(msg.AppendTo(nil), &request); err != nil {
		s.Finish(grpc.Status{Code: grpc.Internal, Message: "Invalid protobuf byte sequence: " + err.Error()})
		return
	}
	response := reflection.ServerReflectionResponse{ValidHost: request.GetHost(), OriginalRequest: &request}
	if !c.answer(&request, &response) {
		s.Finish(grpc.Status{Code: grpc.InvalidArgument, Message: "the request asks for nothing that is known"})
		return
	}
	encoded, err := proto.Marshal(&response)
	if err != nil {
		s.Finish(grpc.Status{Code: grpc.Internal, Message: err.Error()})
		return
	}
	s.Write(encoded)
}

// HalfClosed implements h2.Handler.
func (c *info) HalfClosed(s *h2.Stream) { s.Finish(grpc.Status{}) }

// Canceled implements h2.Handler.
func (c *info) Canceled(*h2.Stream, error) {}

// answer fills in what is asked for; false: that is nothing we know of.
func (c *info) answer(request *reflection.ServerReflectionRequest, response *reflection.ServerReflectionResponse) bool {
	switch asked := request.GetMessageRequest().(type) {
	case *reflection.ServerReflectionRequest_FileByFilename:
		c.file(response, c.service.byPath(asked.FileByFilename), asked.FileByFilename)
	case *reflection.ServerReflectionRequest_FileContainingSymbol:
		c.file(response, c.service.bySymbol(asked.FileContainingSymbol), asked.FileContainingSymbol)
	case *reflection.ServerReflectionRequest_FileContainingExtension:
		missing(response, asked.FileContainingExtension.GetContainingType()) // no type has any
	case *reflection.ServerReflectionRequest_AllExtensionNumbersOfType:
		name := asked.AllExtensionNumbersOfType
		if !c.service.isMessage(name) {
			missing(response, name)
			break
		}
		response.MessageResponse = &reflection.ServerReflectionResponse_AllExtensionNumbersResponse{
			AllExtensionNumbersResponse: &reflection.ExtensionNumberResponse{BaseTypeName: name},
		}
	case *reflection.ServerReflectionRequest_ListServices:
		var list reflection.ListServiceResponse
		for _, name := range c.service.services {
			list.Service = append(list.Service, &reflection.ServiceResponse{Name: name})
		}
		response.MessageResponse = &reflection.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: &list}
	default:
		return false
	}
	return true
}

// file answers with a file, and with those of its imports that the client does not have yet.
func (c *info) file(response *reflection.ServerReflectionResponse, file protoreflect.FileDescriptor, asked string) {
	if file == nil {
		missing(response, asked)
		return
	}
	if c.sent == nil {
		c.sent = make(map[string]bool)
	}
	delete(c.sent, file.Path()) // who asks for it gets it again
	response.MessageResponse = &reflection.ServerReflectionResponse_FileDescriptorResponse{
		FileDescriptorResponse: &reflection.FileDescriptorResponse{FileDescriptorProto: c.service.withImports(nil, file, c.sent)},
	}
}

func missing(response *reflection.ServerReflectionResponse, name string) {
	response.MessageResponse = &reflection.ServerReflectionResponse_ErrorResponse{
		ErrorResponse: &reflection.ErrorResponse{ErrorCode: int32(grpc.NotFound), ErrorMessage: "not found: " + name},
	}
}
