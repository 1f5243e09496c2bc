package h2

import "rocketmq-proxy/codec/frame"

// What our own PINGs carry, so that their acknowledgments can be told apart.
var (
	pingKeepalive = [frame.PingBytes]byte{'a', 'l', 'i', 'v', 'e', '?'}
	pingShutdown  = [frame.PingBytes]byte{'l', 'e', 'a', 'v', 'i', 'n', 'g'}
)

// ping answers a PING (section 6.7). The answer is in front of every message that waits.
//
// Only a PING after which we sent no HEADERS or DATA spends an allowance: clients measure
// their bandwidth with one PING for each round trip in which data came.
func (c *Conn) ping(h frame.Head, payload []byte) error {
	if h.Stream != 0 {
		return protocolError("PING on a stream")
	}
	data, err := frame.ParsePing(payload)
	if err != nil {
		return layoutError(err)
	}
	if h.Flags.Has(frame.FlagAck) {
		if data == pingShutdown {
			c.leave()
		}
		return nil
	}
	if c.quiet {
		if err = c.spend(PingFlood); err != nil {
			return err
		}
	}
	c.quiet = true
	c.sendPing(data, frame.FlagAck)
	return nil
}

func (c *Conn) sendPing(data [frame.PingBytes]byte, flags frame.Flags) {
	c.out.Commit(frame.AppendPing(c.out.Reserve(frame.HeadBytes+frame.PingBytes), data, flags))
	c.control++
}
