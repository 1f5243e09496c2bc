package conformance

import (
	"regexp"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func containsWord(text, word string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`).MatchString(text)
}

// TestLocalRestartKeepsWhatIsUnderWay: delayed messages, half messages, deliveries and their
// receipts, and attempts, over a kill.
func TestLocalRestartKeepsWhatIsUnderWay(t *testing.T) {
	the.table.enter(t, "Local: what is under way survives a kill", localTarget, "raw-cleartext")
	g := ownLocal(t, nil)
	p := dial(t, g, transports["raw-cleartext"])
	normal, group := g.makeTopic(t, "NORMAL", 1), freshName(t)
	delayed, halves := g.makeTopic(t, "DELAY", 1), g.makeTopic(t, "TRANSACTION", 1)
	receive := func(p peer, topic string, invisible time.Duration) *v2.Message {
		t.Helper()
		got, err := p.polls(p.with(), receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) {
			r.InvisibleDuration, r.LongPollingTimeout = durationpb.New(invisible), durationpb.New(5*time.Second)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.messages) == 0 {
			return nil
		}
		return got.messages[0]
	}
	ack := func(p peer, m *v2.Message) {
		t.Helper()
		s := m.GetSystemProperties()
		answer, err := p.AckMessage(p.with(), &v2.AckMessageRequest{
			Topic: m.GetTopic(), Group: resource(group),
			Entries: []*v2.AckMessageEntry{{MessageId: s.GetMessageId(), ReceiptHandle: s.GetReceiptHandle()}},
		})
		if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
			t.Errorf("acknowledging: %v, %v", answer, err)
		}
	}
	id := func(m *v2.Message) string { return m.GetSystemProperties().GetMessageId() }

	c := p.consumer(normal, group)
	p.sends(message(normal))
	p.sends(message(normal))
	p.sends(message(normal))
	held := receive(c, normal, time.Minute)
	lapsing := receive(c, normal, time.Minute)
	consumed := receive(c, normal, time.Minute)
	if held == nil || lapsing == nil || consumed == nil {
		t.Fatal("three messages were sent and not received")
	}
	due := time.Now().Add(4 * time.Second).Truncate(time.Millisecond)
	later := message(delayed, func(m *v2.Message) {
		m.SystemProperties.MessageType, m.SystemProperties.DeliveryTimestamp = v2.MessageType_DELAY, timestamppb.New(due)
	})
	p.sends(later)
	half := func() (*v2.Message, *v2.SendResultEntry) {
		m := message(halves, func(m *v2.Message) { m.SystemProperties.MessageType = v2.MessageType_TRANSACTION })
		return m, p.sends(m)
	}
	decided, transaction := half()
	undecided, _ := half()
	ack(c, consumed) // the last: when it is answered, everything before is on disk

	p.conn.Close()
	g.proxy.Kill()
	if err := g.proxy.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p = dial(t, g, transports["raw-cleartext"])
	c = p.consumer(normal, group)

	// The receipts of before are good.
	ack(c, held)
	s := lapsing.GetSystemProperties()
	answer, err := c.ChangeInvisibleDuration(c.with(), &v2.ChangeInvisibleDurationRequest{
		Topic: resource(normal), Group: resource(group), ReceiptHandle: s.GetReceiptHandle(), MessageId: s.GetMessageId(),
		InvisibleDuration: durationpb.New(time.Second),
	})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		t.Errorf("changing the invisible time of a delivery from before the kill: %v, %v", answer, err)
	}
	again := receive(c, normal, time.Minute)
	if again == nil || id(again) != s.GetMessageId() || again.GetSystemProperties().GetDeliveryAttempt() != 2 {
		t.Errorf("after the kill came %v, want message %s as attempt 2", again, s.GetMessageId())
	} else {
		ack(c, again)
	}

	// Half messages wait for a word, and are asked about.
	ended, err := p.EndTransaction(p.with(), &v2.EndTransactionRequest{
		Topic: resource(halves), MessageId: id(decided), TransactionId: transaction.GetTransactionId(),
		Resolution: v2.TransactionResolution_COMMIT, Source: v2.TransactionSource_SOURCE_CLIENT,
	})
	if err != nil || ended.GetStatus().GetCode() != v2.Code_OK {
		t.Errorf("committing a half message from before the kill: %v, %v", ended, err)
	}
	producer := p.another()
	stream := producer.opens()
	stream.settles(producer.producerSettings(halves))
	asked, err := stream.hears()
	question := asked.GetRecoverOrphanedTransactionCommand()
	if err != nil || id(question.GetMessage()) != id(undecided) {
		t.Errorf("heard %v, %v; want to be asked about %s", asked, err, id(undecided))
	} else {
		ended, err := producer.EndTransaction(producer.with(), &v2.EndTransactionRequest{
			Topic: resource(halves), MessageId: id(undecided), TransactionId: question.GetTransactionId(),
			Resolution: v2.TransactionResolution_COMMIT, Source: v2.TransactionSource_SOURCE_SERVER_CHECK,
		})
		if err != nil || ended.GetStatus().GetCode() != v2.Code_OK {
			t.Errorf("committing when asked: %v, %v", ended, err)
		}
	}
	committed := p.consumer(halves, group)
	came := map[string]bool{}
	for range 2 {
		if m := receive(committed, halves, time.Minute); m != nil {
			came[id(m)] = true
		}
	}
	if !came[id(decided)] || !came[id(undecided)] {
		t.Errorf("of two committed messages came %v", came)
	}

	// A delayed message comes at its time.
	on := p.consumer(delayed, group)
	var m *v2.Message
	for deadline := time.Now().Add(10 * time.Second); m == nil && time.Now().Before(deadline); {
		m = receive(on, delayed, time.Minute)
	}
	if now := time.Now(); m == nil || id(m) != id(later) || now.Before(due) {
		t.Errorf("of the delayed message, due %v, came %v", due, m)
	}
	if more := receive(c, normal, time.Minute); more != nil {
		t.Errorf("consumed before or after the kill, and back: %v", more)
	}
}
