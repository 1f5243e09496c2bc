// Command gen compiles the .proto files below codec into Go types, with nothing but Go:
// protocompile reads them, and protoc-gen-go's own generator writes the types.
// It is a module of its own so that neither enters the proxy's.
//
//	cd codec/apiv2/gen && go run . ../../..
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// modulePrefix is cut from the output paths; the rest is relative to the repository root.
const modulePrefix = "rocketmq-proxy"

// sources are named from the repository root, which makes their registered names unique.
var sources = []string{
	"codec/apiv2/proto/definition.proto",
	"codec/apiv2/proto/service.proto",
	"codec/health/proto/health.proto",
	"codec/reflection/proto/reflection.proto",
}

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := generate(root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	request, err := compile(root)
	if err != nil {
		return err
	}
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return err
	}
	for _, file := range plugin.Files {
		if file.Generate {
			internal_gengo.GenerateFile(plugin, file)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return fmt.Errorf("protoc-gen-go: %s", response.GetError())
	}
	for _, file := range response.File {
		if err := os.WriteFile(filepath.Join(root, file.GetName()), []byte(file.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compile parses the sources and makes the request protoc would have sent to its plugin.
func compile(root string) (*pluginpb.CodeGeneratorRequest, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), sources...)
	if err != nil {
		return nil, err
	}
	parameter := "module=" + modulePrefix
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: sources, Parameter: &parameter}
	seen := map[string]bool{}
	for _, file := range files {
		request.ProtoFile = appendWithImports(request.ProtoFile, file, seen)
	}
	return request, nil
}

// appendWithImports appends file after everything it imports: a plugin wants them in this order.
func appendWithImports(dst []*descriptorpb.FileDescriptorProto, file protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return dst
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		dst = appendWithImports(dst, imports.Get(i).FileDescriptor, seen)
	}
	return append(dst, protodesc.ToFileDescriptorProto(file))
}
