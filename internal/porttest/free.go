// Package porttest finds ports for programs that tests start, and that can't find one themselves.
package porttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// first is the first port that is given out.
const first = 10000

// beyond are the ports that the system gives to whoever asks for any, also to connections that go out. One of those may be somebody
// else's before the program that a test starts has it.
var beyond = sync.OnceValue(func() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	var low int
	if _, failed := fmt.Sscan(string(text), &low); err != nil || failed != nil || low < first+1000 {
		return 32768
	}
	return low
})

var given sync.Map // those that were given out by this process

// Free gives an address of this machine with a port that nobody listens at, and that nobody gets by chance.
func Free(t testing.TB) string {
	t.Helper()
	for range 1000 {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(beyond()-first)))
		if _, twice := given.LoadOrStore(at, true); twice {
			continue
		}
		if l, err := net.Listen("tcp", at); err == nil {
			_ = l.Close()
			return at
		}
	}
	t.Fatal("there is no free port")
	return ""
}
