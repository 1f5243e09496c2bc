package reflection

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// catalog is the files that are shown, and all that they import.
type catalog struct {
	files   protoregistry.Files
	encoded map[string][]byte // FileDescriptorProto, by path
}

// add takes a file in, with its imports.
func (c *catalog) add(file protoreflect.FileDescriptor) error {
	if c.encoded[file.Path()] != nil {
		return nil
	}
	encoded, err := proto.Marshal(protodesc.ToFileDescriptorProto(file))
	if err != nil {
		return err
	}
	if c.encoded == nil {
		c.encoded = make(map[string][]byte)
	}
	c.encoded[file.Path()] = encoded
	for i := range file.Imports().Len() {
		if err := c.add(file.Imports().Get(i)); err != nil {
			return err
		}
	}
	return c.files.RegisterFile(file)
}

func (c *catalog) byPath(path string) protoreflect.FileDescriptor {
	file, err := c.files.FindFileByPath(path)
	if err != nil {
		return nil
	}
	return file
}

// bySymbol finds the file that a message, service, method, enumeration or field is in.
func (c *catalog) bySymbol(name string) protoreflect.FileDescriptor {
	found, err := c.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil
	}
	return found.ParentFile()
}

func (c *catalog) isMessage(name string) bool {
	found, err := c.files.FindDescriptorByName(protoreflect.FullName(name))
	_, is := found.(protoreflect.MessageDescriptor)
	return err == nil && is
}

// withImports appends a file and its imports, encoded, but for those that were sent, and notes
// them there.
func (c *catalog) withImports(dst [][]byte, file protoreflect.FileDescriptor, sent map[string]bool) [][]byte {
	if sent[file.Path()] {
		return dst
	}
	sent[file.Path()] = true
	dst = append(dst, c.encoded[file.Path()])
	for i := range file.Imports().Len() {
		dst = c.withImports(dst, file.Imports().Get(i), sent)
	}
	return dst
}

// alphaOf is the file of v1alpha, made of v1's: all that differs is the package.
func alphaOf(file protoreflect.FileDescriptor) (protoreflect.FileDescriptor, error) {
	described := protodesc.ToFileDescriptorProto(file)
	v1 := "." + described.GetPackage() + "."
	described.Package = proto.String(described.GetPackage() + "alpha")
	described.Name = proto.String(strings.TrimSuffix(described.GetName(), ".proto") + "_alpha.proto")
	renamed := func(name *string) {
		if rest, own := strings.CutPrefix(*name, v1); own {
			*name = "." + described.GetPackage() + "." + rest
		}
	}
	for _, message := range described.GetMessageType() {
		for _, field := range message.GetField() {
			if field.TypeName != nil {
				renamed(field.TypeName)
			}
		}
	}
	for _, service := range described.GetService() {
		for _, method := range service.GetMethod() {
			renamed(method.InputType)
			renamed(method.OutputType)
		}
	}
	return protodesc.NewFile(described, nil)
}
