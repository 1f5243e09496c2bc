package link

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
)

// Refusal is why a connection ended before it had a machine.
type Refusal uint8

// The refusals.
const (
	TooMany           Refusal = iota // beyond ConnectionsMax
	NoDescriptors                    // beyond DescriptorsMax; or a system call found none, accept for one
	NoMemory                         // Front.Memory is at NoConnections
	TooManyPerAddress                // beyond ConnectionsPerAddressMax
	TooManyHandshakes                // beyond HandshakesMax
	Slow                             // HandshakeTimeout
	Silent                           // closed by the client before its protocol was known
	OtherProtocol                    // neither TLS nor what the Front speaks
	NoTLS                            // TLS where there is none
	CleartextRefused                 // cleartext where there is TLS only
	BadHandshake                     // TLS that failed
	BadIntroduction                  // a trusted relay that cannot be understood
	Failed                           // a system call that failed
	refusalsLen
)

var refusalNames = [refusalsLen]string{
	"too_many", "no_descriptors", "no_memory", "too_many_per_address", "too_many_handshakes", "slow", "silent", "other_protocol",
	"no_tls", "cleartext_refused", "bad_handshake", "bad_introduction", "failed",
}

// Refusals is the number of refusals; they are 0 to Refusals-1.
const Refusals = int(refusalsLen)

// String is the name under which the refusal is published.
func (r Refusal) String() string { return refusalNames[r] }

// Counters is what listeners count into. It is read at any time.
type Counters struct {
	Accepted    atomic.Uint64           // connections that the kernel gave us
	Refused     [Refusals]atomic.Uint64 // those of them that ended before they had a machine, by why
	Open        atomic.Int64            // those that are open now
	Handshaking atomic.Int64            // those that are in a TLS handshake now
	SlowPeers   atomic.Uint64           // links that ended for WriteTimeout
}

// errHandshake is among the errors of a TLS handshake that failed.
var errHandshake = errors.New("TLS handshake")

// refusals say by its error why a connection was refused; the first that fits decides.
var refusals = []struct {
	err error
	why Refusal
}{
	{errTooMany, TooMany},
	{errNoDescriptors, NoDescriptors},
	{errNoMemory, NoMemory},
	{syscall.EMFILE, NoDescriptors},
	{syscall.ENFILE, NoDescriptors},
	{errTooManyPerAddress, TooManyPerAddress},
	{errTooManyHandshakes, TooManyHandshakes},
	{os.ErrDeadlineExceeded, Slow},
	{ErrIntroduction, BadIntroduction},
	{errHandshake, BadHandshake},
	{errNoFirstBytes, Silent},
	{errOtherProtocol, OtherProtocol},
	{errNoTLS, NoTLS},
	{errTLSOnly, CleartextRefused},
}

// refusalOf is why a connection ended with err.
func refusalOf(err error) Refusal {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.why
		}
	}
	return Failed
}
