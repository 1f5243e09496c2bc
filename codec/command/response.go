package command

// AppendResponse appends the head of an answer, in JSON, the type that servers speak by
// default. Fields with a nil value are left out.
func AppendResponse(dst []byte, opaque int32, code int32, remark string, ext []Field, bodyLen int) []byte {
	w := beginJSON(dst, code, opaque, FlagResponse)
	w.remark(remark)
	w.fields()
	for _, f := range ext {
		w.field(f)
	}
	return w.seal(bodyLen)
}
