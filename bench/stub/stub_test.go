package stub

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden reads a hex file; lines that begin with # say where it comes from.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// exchange writes a request and reads one frame.
func exchange(t *testing.T, addr string, request []byte) []byte {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := nc.Write(request); err != nil {
		t.Fatal(err)
	}
	return readFrame(t, nc)
}

func readFrame(t *testing.T, r io.Reader) []byte {
	t.Helper()
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil {
		t.Fatal(err)
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
	if _, err := io.ReadFull(r, frame[4:]); err != nil {
		t.Fatal(err)
	}
	return frame
}

func jsonRequest(code, opaque, flag int, ext map[string]string, body []byte) []byte {
	head, err := json.Marshal(struct {
		Code      int               `json:"code"`
		Language  string            `json:"language"`
		Version   int               `json:"version"`
		Opaque    int               `json:"opaque"`
		Flag      int               `json:"flag"`
		ExtFields map[string]string `json:"extFields"`
	}{code, "GO", 513, opaque, flag, ext})
	if err != nil {
		panic(err)
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(head)+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(head)))
	return append(append(frame, head...), body...)
}

func TestRouteIsAnsweredAsCaptured(t *testing.T) {
	s := start(t, Config{Brokers: 2})
	got := exchange(t, s.NameServer, golden(t, "route_request.hex"))
	want := golden(t, "route_response_head.hex")
	if !bytes.Equal(got[4:len(want)], want[4:]) { // the total length is the body's
		t.Errorf("head\n%q, want\n%q", got[4:len(want)], want[4:])
	}
	var route struct {
		BrokerDatas []struct {
			BrokerAddrs map[string]string `json:"brokerAddrs"`
		} `json:"brokerDatas"`
		QueueDatas []struct {
			ReadQueueNums int `json:"readQueueNums"`
		} `json:"queueDatas"`
	}
	if err := json.Unmarshal(got[len(want):], &route); err != nil {
		t.Fatal(err)
	}
	if len(route.BrokerDatas) != 2 || len(route.QueueDatas) != 2 || route.BrokerDatas[1].BrokerAddrs["0"] != s.Brokers[1] {
		t.Errorf("route %+v", route)
	}
}

func TestBrokerNameIsATopicOnThatBroker(t *testing.T) {
	body := string(routeBody("stub-broker-1", []string{"a:1", "b:2", "c:3"}))
	if !strings.Contains(body, "b:2") || strings.Contains(body, "a:1") || strings.Contains(body, "c:3") {
		t.Error(body)
	}
}

func TestBinaryRequestIsAnsweredInJSON(t *testing.T) {
	s := start(t, Config{})
	got := exchange(t, s.Brokers[0], golden(t, "max_offset_request.hex"))
	want := `{"code":0,"extFields":{"offset":"5"},"flag":1,"language":"JAVA","opaque":3,"serializeTypeCurrentRPC":"JSON","version":513}`
	if string(got[8:]) != want {
		t.Errorf("got %s\nwant %s", got[8:], want)
	}
}

func TestSendIsAnsweredAsCaptured(t *testing.T) {
	s := start(t, Config{})
	id := strings.Repeat("0A", 16)
	request := jsonRequest(310, 13, 0, map[string]string{"b": "TN", "e": "0", "i": "TAGS\x01a\x02UNIQ_KEY\x01" + id + "\x02"}, []byte("hello"))
	got := exchange(t, s.Brokers[0], request)
	want := golden(t, "send_response.hex")
	mask := func(b []byte) string { // the captured broker listened on port 21911
		return strings.Replace(string(b), "7F00000100005597", offsetIDHost, 1)
	}
	if string(got) != mask(want) {
		t.Errorf("got  %q\nwant %q", got, mask(want))
	}
}

func TestBinarySendEchoesQueueAndKey(t *testing.T) {
	s := start(t, Config{})
	got := string(exchange(t, s.Brokers[0], golden(t, "send_binary_request.hex"))[8:])
	for _, part := range []string{`"queueId":"0"`, `"transactionId":"` + strings.Repeat("0B", 16) + `"`, `"opaque":14`} {
		if !strings.Contains(got, part) {
			t.Errorf("%s is not in %s", part, got)
		}
	}
}

func TestPopRecordHasTheCapturedLayout(t *testing.T) {
	s := start(t, Config{BodyBytes: 7})
	ext := map[string]string{"topic": "TN", "maxMsgNums": "3", "invisibleTime": "10000", "queueId": "-1"}
	got := exchange(t, s.Brokers[0], jsonRequest(200050, 17, 0, ext, nil))
	captured := golden(t, "pop_response_start.hex")
	gotHead, gotBody := split(got)
	wantHead, wantBody := split(captured)
	var a, b struct {
		Code      int               `json:"code"`
		Opaque    int               `json:"opaque"`
		Remark    string            `json:"remark"`
		ExtFields map[string]string `json:"extFields"`
	}
	if json.Unmarshal(gotHead, &a) != nil || json.Unmarshal(wantHead, &b) != nil {
		t.Fatalf("%s", gotHead)
	}
	if a.Code != 0 || a.Opaque != 17 || a.Remark != "FOUND" || len(a.ExtFields) != len(b.ExtFields) || a.ExtFields["invisibleTime"] != "10000" {
		t.Errorf("head %s", gotHead)
	}
	for name := range b.ExtFields {
		if a.ExtFields[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	for at, n := range map[int]int{4: 4, 48: 4, 64: 4, 84: 4, 95: 3} { // magic, hosts, body length, topic
		if !bytes.Equal(gotBody[at:at+n], wantBody[at:at+n]) {
			t.Errorf("bytes at %d: % x, captured % x", at, gotBody[at:at+n], wantBody[at:at+n])
		}
	}
	if n := countRecords(t, gotBody); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func split(frame []byte) (head, body []byte) {
	n := 8 + binary.BigEndian.Uint32(frame[4:])&0xffffff
	return frame[8:n], frame[n:]
}

func countRecords(t *testing.T, b []byte) (n int) {
	t.Helper()
	for ; len(b) > 0; n++ {
		size := binary.BigEndian.Uint32(b)
		if int(size) > len(b) {
			t.Fatal("a record is longer than the body")
		}
		b = b[size:]
	}
	return n
}

func TestOnewayIsNotAnsweredAndOthersAreRefused(t *testing.T) {
	s := start(t, Config{})
	request := jsonRequest(34, 1, 2, nil, []byte("{}"))
	request = append(request, jsonRequest(3442, 2, 0, nil, nil)...)
	got := string(exchange(t, s.Brokers[0], request)[8:])
	if !strings.Contains(got, `"code":3,`) || !strings.Contains(got, `"opaque":2`) || !strings.Contains(got, " request type 3442 not supported") {
		t.Error(got)
	}
}

func TestFramesInPieces(t *testing.T) {
	s := start(t, Config{})
	nc, err := net.Dial("tcp", s.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, b := range jsonRequest(200051, 5, 0, map[string]string{"offset": "1"}, nil) {
		if _, err := nc.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(readFrame(t, nc)[8:]); !strings.Contains(got, `"opaque":5`) {
		t.Error(got)
	}
	if _, err := nc.Write(jsonRequest(310, 6, 0, nil, make([]byte, 3<<20))); err != nil { // longer than the buffer
		t.Fatal(err)
	}
	if got := string(readFrame(t, nc)[8:]); !strings.Contains(got, `"opaque":6`) {
		t.Error(got)
	}
	if c := s.Counters(); c.Acked != 1 || c.Sent != 1 {
		t.Errorf("counters %+v", c)
	}
}

func TestGarbageEndsTheConnection(t *testing.T) {
	for _, bad := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x08\x00\x00\x00\x04{}{}", "\x00\x00\x00\x05\x07\x00\x00\x01x", "\xff\xff\xff\xff0000"} {
		s := start(t, Config{})
		nc, err := net.Dial("tcp", s.Brokers[0])
		if err != nil {
			t.Fatal(err)
		}
		nc.Write([]byte(bad))
		nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := nc.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
			t.Errorf("%q: %d, %v", bad, n, err)
		}
		nc.Close()
	}
}

func TestAnswersAllocateNothing(t *testing.T) {
	s := &Server{body: make([]byte, 256)}
	c := &conn{server: s, nowMillis: 1795385812019}
	requests := map[string][]byte{
		"send": jsonRequest(310, 1, 0, map[string]string{"b": "T", "e": "3", "i": "UNIQ_KEY\x01ABC\x02"}, make([]byte, 256)),
		"pop":  jsonRequest(200050, 2, 0, map[string]string{"topic": "T", "maxMsgNums": "32", "invisibleTime": "60000"}, nil),
		"ack":  jsonRequest(200051, 3, 0, map[string]string{"topic": "T", "offset": "3"}, nil),
	}
	for name, frame := range requests {
		c.in, c.out = make([]byte, 0, 4096), make([]byte, 0, 1<<16)
		once := func() {
			c.in = append(c.in[:0], frame...)
			c.out = c.out[:0]
			if err := c.consume(); err != nil {
				t.Fatal(err)
			}
		}
		once()
		if n := testing.AllocsPerRun(100, once); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkSend is what the stub itself costs for one send.
func BenchmarkSend(b *testing.B) {
	s := &Server{body: make([]byte, 256)}
	c := &conn{server: s, in: make([]byte, 0, 4096), out: make([]byte, 0, 4096)}
	frame := jsonRequest(310, 1, 0, map[string]string{"b": "T", "e": "3", "i": "UNIQ_KEY\x01ABC\x02"}, make([]byte, 256))
	b.ReportAllocs()
	for b.Loop() {
		c.in, c.out = append(c.in[:0], frame...), c.out[:0]
		c.consume()
	}
}
