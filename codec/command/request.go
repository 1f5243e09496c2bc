package command

// AppendRequest appends the head of any request, with the fields as they are: what is relayed
// for a 4.x client keeps the encoding that it came in, and brokers in tests ask with it. kind
// must be JSON for codes above 32767. Fields with a nil value are left out.
func AppendRequest(dst []byte, kind SerializeType, code RequestCode, opaque, flag int32, ext []Field, bodyLen int) []byte {
	if kind == RocketMQ {
		w := beginBinary(dst, int32(code), opaque, flag, "")
		for _, f := range ext {
			w.field(f)
		}
		return w.seal(bodyLen)
	}
	w := beginJSON(dst, int32(code), opaque, flag)
	w.fields()
	for _, f := range ext {
		w.field(f)
	}
	return w.seal(bodyLen)
}
