package lines

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashes) != "" {
		crash()
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a loaded machine may take.
const patience = 30 * time.Second

func gap(dropped int) []byte { return fmt.Appendf(nil, "%d dropped\n", dropped) }

// pipe is stdout to a reader that reads when the test does.
func pipe(t *testing.T) (w *Writer, reader *os.File) {
	t.Helper()
	reader, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w = New(out, gap)
	t.Cleanup(func() {
		_ = reader.Close()
		w.Flush()
		_ = out.Close()
	})
	_ = reader.SetReadDeadline(time.Now().Add(patience))
	return w, reader
}

func say(t *testing.T, w io.Writer, line string) {
	t.Helper()
	if n, err := io.WriteString(w, line+"\n"); n != len(line)+1 || err != nil {
		t.Errorf("%q: %d, %v", line, n, err)
	}
}

// TestNobodyReads: who logs is not held up, no more is kept than may be, and who reads again has all lines up to
// some point in their order, how many are missing behind it, and then what is logged from now on.
func TestNobodyReads(t *testing.T) {
	const all = 10_000
	w, reader := pipe(t)
	log := zerolog.New(w)
	padding := strings.Repeat(".", 200)
	for i := range all {
		log.Info().Msgf("%06d %s", i, padding)
	}
	w.mu.Lock()
	waiting, dropped := len(w.waiting), w.dropped
	w.mu.Unlock()
	if waiting > BytesMax || waiting < BytesMax-2*len(padding) || dropped == 0 {
		t.Errorf("%d bytes wait, %d lines were dropped", waiting, dropped)
	}
	in := bufio.NewReader(reader)
	next := func() string {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(line, "\n")
	}
	for i := range all - dropped {
		if line := next(); !strings.Contains(line, fmt.Sprintf(`"%06d %s"`, i, padding)) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	if line := next(); line != fmt.Sprint(dropped, " dropped") {
		t.Errorf("%q where %d were dropped", line, dropped)
	}
	if !w.Flush() {
		t.Error("something is left")
	}
	if n := cap(w.waiting); n > keptBytesMax {
		t.Errorf("%d bytes are kept for nothing", n)
	}
	say(t, w, "again")
	if line := next(); line != "again" {
		t.Errorf("%q after it", line)
	}
}

// gate is a reader that takes one write at a time.
type gate struct{ began, taken chan []byte }

func (g gate) Write(b []byte) (int, error) {
	g.began <- b
	g.taken <- append([]byte(nil), b...)
	return len(b), nil
}

// TestGapIsInItsPlace: a line that has room does not come before it is said that others had none.
func TestGapIsInItsPlace(t *testing.T) {
	g := gate{make(chan []byte), make(chan []byte)}
	w := New(g, gap)
	say(t, w, "first")
	<-g.began
	say(t, w, "second")
	say(t, w, strings.Repeat("l", BytesMax-len("second\n"))) // with its end, one byte too long
	say(t, w, "third")
	got := <-g.taken
	<-g.began
	say(t, w, "fourth")
	got = append(got, <-g.taken...)
	<-g.began
	got = append(got, <-g.taken...)
	if want := "first\nsecond\n2 dropped\nfourth\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	w.Flush()
}

// TestLineThatNeverFits is dropped, and that is said at once.
func TestLineThatNeverFits(t *testing.T) {
	var out bytes.Buffer
	w := New(&out, gap)
	say(t, w, strings.Repeat("l", BytesMax))
	w.Flush()
	if got := out.String(); got != "1 dropped\n" {
		t.Errorf("%d bytes: %.100q", len(got), got)
	}
}

// TestOrder: lines stay whole, and those of one goroutine in their order.
func TestOrder(t *testing.T) {
	const loggers, each = 8, 1000
	w, reader := pipe(t)
	var logging sync.WaitGroup
	for who := range loggers {
		logging.Go(func() {
			for i := range each {
				say(t, w, fmt.Sprintf("%d %d", who, i))
			}
		})
	}
	var next [loggers]int
	in := bufio.NewScanner(reader)
	for range loggers * each {
		var who, i int
		if !in.Scan() {
			t.Fatal(in.Err())
		}
		if _, err := fmt.Sscanf(in.Text(), "%d %d", &who, &i); err != nil || i != next[who] {
			t.Fatalf("%q, and the next of %d is %d", in.Text(), who, next[who])
		}
		next[who]++
	}
	logging.Wait()
}

// TestFlush waits for a slow reader, and not for one that is gone.
func TestFlush(t *testing.T) {
	w, reader := pipe(t)
	if !w.Flush() {
		t.Error("nothing was logged, and is not flushed")
	}
	block := strings.Repeat("b", 512<<10)
	say(t, w, block)
	begun := time.Now()
	if w.Flush() {
		t.Error("nobody has read it")
	}
	if took := time.Since(begun); took < FlushMax {
		t.Errorf("given up after %v", took)
	}
	heard := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(reader, int64(len(block)+len("\nlast\n"))))
		heard <- string(text)
	}()
	say(t, w, "last")
	for !w.Flush() {
	}
	if got := <-heard; got != block+"\nlast\n" {
		t.Errorf("%d bytes, which end with %q", len(got), got[max(len(got)-10, 0):])
	}
}

// TestFatal: zerolog has a fatal line written before it ends the process.
func TestFatal(t *testing.T) {
	var out bytes.Buffer
	w := New(&out, gap)
	log := zerolog.New(w)
	ended := false
	zerolog.FatalExitFunc = func() { ended = out.String() == `{"level":"fatal","message":"the end"}`+"\n" }
	defer func() { zerolog.FatalExitFunc = nil }()
	log.Fatal().Msg("the end")
	if !ended {
		t.Errorf("%q was written", &out)
	}
}

const crashes = "LINES_TEST_CRASHES"

// crash is what TestPanic runs: main flushes, as a program does, and panics.
func crash() {
	w := New(os.Stdout, gap)
	defer w.Flush()
	log := zerolog.New(w)
	for i := range 1000 {
		log.Info().Int("line", i).Send()
	}
	log.Panic().Msg("out of luck")
}

// TestPanic: a panic is told as ever, and what was logged before it is not lost.
func TestPanic(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashes+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(errs.String(), "panic: out of luck") {
		t.Errorf("%v, %q", err, &errs)
	}
	if n := strings.Count(out.String(), "\n"); n != 1001 || !strings.HasSuffix(out.String(), `{"level":"panic","message":"out of luck"}`+"\n") {
		t.Errorf("%d lines:\n%s", n, &out)
	}
}

// TestFailure: who logs hears of it with the next line.
func TestFailure(t *testing.T) {
	full := errors.New("the disk is full")
	w := New(failing{full}, gap)
	say(t, w, "lost")
	w.Flush()
	if _, err := io.WriteString(w, "next\n"); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	w.Flush()
	w.failed = nil
	say(t, w, "and on")
	w.Flush()
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }
