package command

import (
	"fmt"
	"testing"
)

func popResponse(start, offsets, counts string) *PopResponse {
	return &PopResponse{StartOffsetInfo: []byte(start), MsgOffsetInfo: []byte(offsets), OrderCountInfo: []byte(counts)}
}

func TestPopInfo(t *testing.T) {
	for _, c := range []struct{ start, offsets, counts, want string }{
		{"", "", "", "[]"},
		{"0 0 0", "0 0 0,1,2", "", "[{0 0 0 [0 1 2]}]"},
		{"0 3 100;1 0 7", "1 0 7;0 3 100,105", "", "[{0 3 100 [100 105]} {1 0 7 [7]}]"},
		{"", "2 0 5", "", "[{2 0 -1 [5]}]"},
		{"0 0 0;", "0 0 9223372036854775807;", "0 0 1;", "[{0 0 0 [9223372036854775807]}]"},
		{"0 0 0;0 0 1", "", "", "error"}, // twice
		{"", "0 0 1;0 0 2", "", "error"}, // twice
		{"", "", "0 0 1;0 0 1", "error"}, // twice
		{"", "", "0 qo0%-1 1", "error"},  // negative
		{"3 0 0", "", "", "error"},       // no such mark
		{"0 0", "", "", "error"},         // two words
		{"0 0 0 0", "", "", "error"},     // four words
		{"", "0 0 1,,2", "", "error"},    // empty offset
		{"", "0 0 ", "", "error"},        // no offset
		{"", "", "0 qo1 1", "error"},     // no offset
		{"0 0 9223372036854775808", "", "", "error"},
		{";0 0 0", "", "", "error"},
	} {
		var p PopInfo
		err := p.Parse(popResponse(c.start, c.offsets, c.counts))
		got := "["
		for i, q := range p.Queues {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("{%c %d %d %v}", q.Mark, q.QueueID, q.StartOffset, q.Offsets)
		}
		if got += "]"; err != nil {
			got = "error"
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestPopInfoCounts(t *testing.T) {
	var p PopInfo
	if err := p.Parse(popResponse("", "", "0 qo1%0 1;0 qo1%1 2;0 1 3")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mark   byte
		queue  int32
		offset int64
		want   int32
	}{{'0', 1, 0, 1}, {'0', 1, 1, 2}, {'0', 1, 2, 3}, {'1', 1, 0, 0}, {'0', 0, 0, 0}} {
		if got := p.OrderCount(c.mark, c.queue, c.offset); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestPopInfoGolden(t *testing.T) {
	h, _ := golden(t, "pop_fifo_again_response")
	r, err := ParsePopResponse(h)
	if err != nil {
		t.Fatal(err)
	}
	var p PopInfo
	if err := p.Parse(&r); err != nil || len(p.Queues) == 0 {
		t.Fatal(p, err)
	}
	for _, q := range p.Queues {
		for _, offset := range q.Offsets {
			if p.OrderCount(q.Mark, q.QueueID, offset) == 0 {
				t.Errorf("no count for %d at %d", q.QueueID, offset)
			}
		}
		if found := p.Queue(q.Mark, q.QueueID); found == nil || found.StartOffset > q.Offsets[0] {
			t.Errorf("%+v", found)
		}
	}
	if p.Queue('2', 0) != nil {
		t.Error("a queue that is not there")
	}
}

func FuzzPopInfo(f *testing.F) {
	f.Add("0 0 0;1 0 7", "0 0 0,1,2;1 0 7", "0 qo1%0 1;0 1 1")
	f.Fuzz(func(t *testing.T, start, offsets, counts string) {
		var p PopInfo
		if p.Parse(popResponse(start, offsets, counts)) != nil {
			return
		}
		for _, q := range p.Queues {
			if found := p.Queue(q.Mark, q.QueueID); found == nil || found.StartOffset != q.StartOffset {
				t.Fatal("a queue comes twice")
			}
		}
	})
}
