package frame

import (
	"testing"

	"rocketmq-proxy/pool/steady"
)

// hot are the walks that must not allocate: one for each frame of an ordinary connection, written and read.
func hot() map[string]func() {
	dst, block := make([]byte, 0, 1024), make([]byte, 60)
	body := make([]byte, 256)
	settings := []Setting{{SettingInitialWindowSize, 1 << 20}, {SettingFrameSizeMax, 1 << 16}}
	// write keeps what is written, so that nothing is left out because nobody looks at it.
	write := func(f func(dst []byte) []byte) func() { return func() { dst = f(dst[:0]) } }
	// read is a frame taken apart by its own parser.
	read := func(encoded []byte, parse func(h Head, payload []byte) error) func() {
		return func() {
			h := ParseHead(encoded)
			if err := parse(h, encoded[HeadBytes:]); err != nil || h.Length != len(encoded)-HeadBytes {
				panic(err)
			}
		}
	}
	return map[string]func(){
		"AppendData":         write(func(dst []byte) []byte { return AppendData(dst, 5, body, FlagEndStream) }),
		"AppendDataHead":     write(func(dst []byte) []byte { return AppendDataHead(dst, 5, len(body), 0) }),
		"AppendHeaders":      write(func(dst []byte) []byte { return AppendHeaders(dst, 5, block, FlagEndHeaders) }),
		"AppendWindowUpdate": write(func(dst []byte) []byte { return AppendWindowUpdate(dst, 0, 1<<16) }),
		"AppendPing":         write(func(dst []byte) []byte { return AppendPing(dst, [PingBytes]byte{1}, FlagAck) }),
		"AppendReset":        write(func(dst []byte) []byte { return AppendReset(dst, 5, Cancel) }),
		"AppendSettings":     write(func(dst []byte) []byte { return AppendSettings(dst, settings...) }),
		"AppendGoAway":       write(func(dst []byte) []byte { return AppendGoAway(dst, 5, NoError, "bye") }),
		"AppendHead":         write(func(dst []byte) []byte { return AppendHead(dst, Head{Length: 300, Stream: 5}) }),
		"PutStream+PutLength": write(func(dst []byte) []byte {
			dst = AppendHeaders(dst, 1, block, FlagEndHeaders)
			PutStream(dst, 5)
			PutLength(dst)
			return dst
		}),

		"ParseHead": read(AppendSettingsAck(nil), func(Head, []byte) error { return nil }),
		"ParseData": read(AppendDataPadded(nil, 5, body, FlagEndStream, 3), func(h Head, payload []byte) error { return second(ParseData(h, payload)) }),
		"DataBounds": read(AppendData(nil, 5, body, 0), func(h Head, payload []byte) error {
			return third(DataBounds(h, payload[0]))
		}),
		"ParseHeaders":      read(AppendHeaders(nil, 5, block, FlagEndHeaders), func(h Head, payload []byte) error { return second(ParseHeaders(h, payload)) }),
		"ParseWindowUpdate": read(AppendWindowUpdate(nil, 0, 1<<16), func(_ Head, payload []byte) error { return second(ParseWindowUpdate(payload)) }),
		"ParsePing":         read(AppendPing(nil, [PingBytes]byte{1}, 0), func(_ Head, payload []byte) error { return second(ParsePing(payload)) }),
		"ParseReset":        read(AppendReset(nil, 5, Cancel), func(_ Head, payload []byte) error { return second(ParseReset(payload)) }),
		"ParseSettings": read(AppendSettings(nil, settings...), func(h Head, payload []byte) error {
			s, err := ParseSettings(h, payload)
			for i := range s.Len() {
				if err == nil {
					err = s.At(i).Validate()
				}
			}
			return err
		}),
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot())
}

func BenchmarkFrame(b *testing.B) {
	steady.Benchmark(b, hot())
}
