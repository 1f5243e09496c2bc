package messaging

import (
	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/pool"
)

// takePoll asks for one more receive or pull that waits. When there may be one, polls.Give returns it; else
// the client is told why.
func (svc *Service) takePoll() (apiv2.Outcome, bool) {
	switch {
	case svc.Memory.Refuses(pool.NoPolls):
		return failure(apiv2.Code_TOO_MANY_REQUESTS, "too little memory for receives that wait: GOMEMLIMIT"), false
	case !svc.polls.Take(1):
		return failure(apiv2.Code_TOO_MANY_REQUESTS, "too many receives wait: longPollsMax"), false
	}
	return apiv2.Outcome{}, true
}
