package fakebroker

import "slices"

// pollMargin is how long before its deadline a poll is answered, in ms (specification 4.6).
const pollMargin = 50

// wake lets the polls for a topic look again.
func (b *Broker) wake(topic string) {
	b.retry(func(p *pop) bool { return wakes(topic, p.topic) })
}

// retry answers the polls that are chosen and find something.
func (b *Broker) retry(chosen func(*pop) bool) {
	b.waiting = slices.DeleteFunc(b.waiting, func(p *pop) bool {
		if !chosen(p) || p.request.Client.gone() {
			return p.request.Client.gone()
		}
		response, found := b.tryPop(p)
		if found {
			p.request.Answer(response)
		}
		return found
	})
}

// tickPolls looks again for FIFO polls, whose queues open with time, and ends the late ones.
func (b *Broker) tickPolls(now int64) {
	b.retry(func(p *pop) bool { return p.order })
	b.waiting = slices.DeleteFunc(b.waiting, func(p *pop) bool {
		if now < p.deadline-pollMargin {
			return false
		}
		p.request.Answer(b.popNothing(p))
		return true
	})
}

func (b *Broker) pollsLike(p *pop) int {
	n := 0
	for _, other := range b.waiting {
		if other.topic == p.topic && other.group == p.group && other.queueID == p.queueID {
			n++
		}
	}
	return n
}

// Waiting is the number of polls that wait.
func (b *Broker) Waiting() int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return len(b.waiting)
}

// gone tells whether the connection was closed.
func (c *Client) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
