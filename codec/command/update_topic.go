package command

// UpdateTopic is an UPDATE_AND_CREATE_TOPIC (17) request. The answer has no fields.
// Specification 2.7.
type UpdateTopic struct {
	Topic       string
	Attributes  string // "+message.type=FIFO,-reserve.time": + sets, - deletes; "" is absent
	ReadQueues  int32
	WriteQueues int32
	Perm        Perm
	SysFlag     int32
	Order       bool
}

// AppendUpdateTopic appends the head of an update.
func AppendUpdateTopic(dst []byte, opaque int32, r *UpdateTopic, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestUpdateAndCreateTopic), opaque, 0)
	w.fields()
	w.string("topic", r.Topic)
	w.string("defaultTopic", DefaultTopic)
	w.int("readQueueNums", int64(r.ReadQueues))
	w.int("writeQueueNums", int64(r.WriteQueues))
	w.int("perm", int64(r.Perm))
	w.string("topicFilterType", "SINGLE_TAG")
	w.int("topicSysFlag", int64(r.SysFlag))
	w.bool("order", r.Order)
	w.bool("force", false)
	w.optString("attributes", r.Attributes)
	return w.seal(bodyLen)
}
