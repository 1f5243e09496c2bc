package command

// ClientConfig is the body of a CHECK_CLIENT_CONFIG (46) request: does the broker understand
// what a group wants of a topic? A SQL92 expression that makes no sense is answered with
// SUBSCRIPTION_PARSE_FAILED; a pull with the same would be given every message.
// Specification 2.18.
type ClientConfig struct {
	ClientID     string       `json:"clientId"`
	Group        string       `json:"group"`
	Namespace    string       `json:"namespace"`
	Subscription Subscription `json:"subscriptionData"`
}

// AppendCheckClientConfig appends the head of the request, which has no fields.
func AppendCheckClientConfig(dst []byte, opaque int32, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestCheckClientConfig), opaque, 0)
	w.fields()
	return w.seal(bodyLen)
}

// AppendClientConfigBody appends its body.
func AppendClientConfigBody(dst []byte, r *ClientConfig) []byte { return appendBody(dst, r) }

// ParseClientConfigBody reads its body, for brokers of our own.
func ParseClientConfigBody(body []byte) (*ClientConfig, error) { return parseBody[ClientConfig](body) }
