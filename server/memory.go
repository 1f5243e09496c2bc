package server

import (
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/pressure"
)

// watchMemory holds the memory of the process against GOMEMLIMIT until the server ends. Without one it
// returns at once.
func (s *Server) watchMemory() {
	limit := pressure.Limit()
	if limit <= 0 {
		return
	}
	watch := pressure.New(&s.memory, limit, pressure.Sampler(), pressure.Collect, s.memoryChanged)
	often := time.NewTicker(pressure.Every)
	defer often.Stop()
	for {
		select {
		case now := <-often.C:
			watch.Look(now)
		case <-s.stop:
			return
		}
	}
}

// memoryWords are what a level means to an operator.
var memoryWords = [pool.Levels]string{
	pool.Calm:          "there is memory for all again",
	pool.NoPolls:       "memory is short: no new long polls from 80 % of GOMEMLIMIT on",
	pool.NoCalls:       "memory is short: no new calls from 90 % of GOMEMLIMIT on",
	pool.NoConnections: "memory is short: no new calls and connections from 95 % of GOMEMLIMIT on",
}

// memoryChanged tells what is taken now that was not, or the other way round.
func (s *Server) memoryChanged(c pressure.Change) {
	level, words := zerolog.InfoLevel, memoryWords[c.To]
	if c.To > c.From {
		level = zerolog.WarnLevel
		words += "; raise GOMEMLIMIT, or lower inflightBytesMax and connectionsMax"
	}
	s.log.WithLevel(level).Int64("usedBytes", c.Used).Int64("limitBytes", c.Limit).
		Stringer("from", c.From).Stringer("to", c.To).Msg(words)
}
