package cluster

import (
	"fmt"
	"testing"
	"time"
)

func TestTransactions(t *testing.T) {
	var s transactions
	now := time.Now()
	put := func(key string, offset int64, left time.Duration) {
		s.put(&transaction{key: key, logOffset: offset, expires: now.Add(left)}, now, 3)
	}
	take := func(key string) string {
		if found := s.take(key, now); found != nil {
			return fmt.Sprint(found.logOffset)
		}
		return "none"
	}
	check := func(key string, want ...string) {
		t.Helper()
		for _, w := range want {
			if got := take(key); got != w {
				t.Errorf("%s: %s, want %s", key, got, w)
			}
		}
	}
	check("a", "none")
	for i := range int64(5) {
		put("a", i, time.Second)
		put("b", i, 2*time.Second)
	}
	if s.n != 6 {
		t.Errorf("%d are remembered", s.n)
	}
	check("a", "4", "3", "2", "none")
	check("b", "4")
	put("b", 9, 3*time.Second)
	now = now.Add(2 * time.Second)
	check("b", "9", "none")
	put("c", 1, time.Second)
	s.prune(now.Add(time.Second))
	if s.n != 0 || s.first != nil || s.last != nil || len(s.newest) != 0 {
		t.Errorf("%+v", &s)
	}
	for i := range transactionsMax + 1 {
		put(fmt.Sprint(i), 1, time.Hour)
	}
	check("0", "none")
	check("1", "1")
	check(fmt.Sprint(transactionsMax), "1")
}
