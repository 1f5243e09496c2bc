package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// answerBytesMax is more than the ids of a whole load.
const answerBytesMax = 64 << 20

// Client is a running program around an official client.
type Client struct {
	Name string

	process *cluster.Process
	stdin   io.WriteCloser

	mu      sync.Mutex
	calls   int
	waiting map[int]chan Answer
	ended   error // set when no answer will come any more
}

// Program is how a program around an official client is started.
type Program struct {
	Args []string // its path, and what comes after it
	Env  []string // what its language needs beside
}

// Config is what a program is told through its environment.
type Config struct {
	Endpoint       string // host:port
	TLS            bool
	Roots          string        // a file with the certificates that it trusts
	RequestTimeout time.Duration // of one request, and of a send with all its attempts
}

// Start runs a program. What it says about itself goes to a log in dir.
func Start(dir, name string, program Program, config Config) (*Client, error) {
	home := filepath.Join(dir, name)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command(program.Args[0], program.Args[1:]...)
	cmd.Dir = home
	cmd.Env = append(append(os.Environ(), program.Env...),
		"CLIENT_ENDPOINT="+config.Endpoint,
		"CLIENT_TLS="+strconv.FormatBool(config.TLS),
		"CLIENT_REQUEST_TIMEOUT="+strconv.FormatInt(config.RequestTimeout.Milliseconds(), 10),
		"rocketmq.client.enableSsl="+strconv.FormatBool(config.TLS), // the Go client takes it for the whole process
		"rocketmq.client.logRoot="+home,
		"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH="+config.Roots, // for Node.js and Python
		"SSL_CERT_FILE="+config.Roots,                    // for Rust
		"HOME="+home,
	)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, stdout := io.Pipe()
	cmd.Stdout = stdout
	c := &Client{Name: name, stdin: stdin, waiting: make(map[int]chan Answer)}
	if c.process, err = cluster.StartProcess(dir, name, cmd); err != nil {
		return nil, err
	}
	go func() {
		<-c.process.Exited()
		stdout.Close()
	}()
	go c.read(answers)
	return c, nil
}

// Call asks for an operation and waits for its answer.
func (c *Client) Call(ctx context.Context, op string, args url.Values) (Answer, error) {
	if args == nil {
		args = url.Values{}
	}
	answer := make(chan Answer, 1)
	if err := c.write(op, args, answer); err != nil {
		return nil, err
	}
	select {
	case a, ok := <-answer:
		if !ok {
			return nil, fmt.Errorf("%s ended during %s; its last words:\n%s", c.Name, op, c.process.LogTail(30))
		}
		if a.Text("error") != "" {
			return a, &Failure{Op: op, Code: a.status(), Text: a.Text("error")}
		}
		return a, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no answer to %s: %w", c.Name, op, ctx.Err())
	}
}

func (c *Client) write(op string, args url.Values, answer chan Answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	c.calls++
	args.Set("call", strconv.Itoa(c.calls))
	args.Set("op", op)
	c.waiting[c.calls] = answer
	_, err := io.WriteString(c.stdin, args.Encode()+"\n")
	return err
}

// read hands each answer to who waits for it.
func (c *Client) read(answers io.Reader) {
	lines := bufio.NewScanner(answers)
	lines.Buffer(make([]byte, 64<<10), answerBytesMax)
	for lines.Scan() {
		values, err := url.ParseQuery(lines.Text())
		if err != nil {
			continue // a client's own print
		}
		a := Answer(values)
		c.mu.Lock()
		waiting := c.waiting[a.Int("call")]
		delete(c.waiting, a.Int("call"))
		c.mu.Unlock()
		if waiting != nil {
			waiting <- a
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = fmt.Errorf("%s has ended; its last words:\n%s", c.Name, c.process.LogTail(30))
	for _, waiting := range c.waiting {
		close(waiting)
	}
	_, _ = io.Copy(io.Discard, answers)
}

// Stop lets the clients say goodbye, and ends the program.
func (c *Client) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = c.Call(ctx, "stop", nil) // a program that fell has no goodbye
	_ = c.stdin.Close()
	c.process.Stop(2 * time.Second)
}

// Kill ends the program at once, as a crash would.
func (c *Client) Kill() { c.process.Kill() }

// LogTail is the end of what the program wrote beside its answers.
func (c *Client) LogTail(linesMax int) string { return c.process.LogTail(linesMax) }
