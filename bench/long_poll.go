package bench

import (
	"context"
	"fmt"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/scenario"
	"rocketmq-proxy/bench/stub"
)

// arrivalStreams is how many messages may be on their way to the stub at once.
const arrivalStreams = 64

// awaits tells whether it is receives that wait for what arrives.
func (w *Workload) awaits() bool { return w.Scenario == scenario.LongPoll }

// arrivals has messages arrive at the stub for a workload that awaits them, until it is ended: at the workload's rate,
// whatever becomes of them, so a peer that stalls has all of them to deliver afterwards. What is left of the workload
// are receives that ask again as soon as they are answered. It is another topic every time: what an earlier load
// has left waiting must get none.
func (s *Suite) arrivals(ctx context.Context, w Workload, broker *peer.Process) (receives Workload, ended func() error, err error) {
	if !w.awaits() {
		return w, func() error { return nil }, nil
	}
	s.polled++
	w.Params.Topic = fmt.Sprintf("%s-%d", stub.PollTopic, s.polled)
	sends := Workload{Scenario: "send", Conns: 1, Streams: arrivalStreams, Rate: w.Rate, Params: w.Params}
	run, err := load.Start(ctx, loadConfig(sends, peer.Remoting, broker, false))
	if err != nil {
		return w, nil, err
	}
	w.Rate = 0
	return w, run.Stop, nil
}
