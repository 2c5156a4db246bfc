//go:build interop

package interop

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/test/bed"
)

// sippCallee runs a scenario that answers calls, and registers it. Over UDP and TCP it listens where its contact says;
// over TLS it has a connection, which it is registered over, as phones have one.
func sippCallee(t *testing.T, r *registrar, transport sip.Transport, scenario, user string, calls int, args ...string) *sippRun {
	t.Helper()
	s := startSipp(t, transport, scenario, calls, append([]string{"-key", "callee", user}, args...)...)
	eventually(t, 20*time.Second, "sipp listens", func() bool { return listening(t, transport, s.addr.Port()) })
	contact := fmt.Sprintf("sip:%s@%s", user, s.addr)
	switch transport {
	case sip.UDP:
		r.look(t, user).Register(siptest.Contact("<" + contact + ">")).Expect(200).Bound(contact)
	case sip.TCP:
		contact += ";transport=tcp"
		r.look(t, user).Register(siptest.Contact("<" + contact + ">")).Expect(200).Bound(contact)
	case sip.TLS:
		r.lend(t, s, user)
	}
	return s
}

// lend registers a user over a TLS connection, and has sipp speak over it from then on.
func (r *registrar) lend(t *testing.T, s *sippRun, user string) {
	t.Helper()
	far, err := r.dialer(t).DialContext(t.Context(), "tcp", r.addr[sip.TLS].String())
	if err != nil {
		t.Fatal(err)
	}
	phone := siptest.NewPhone(t, siptest.OverStream(sip.TLS, far), user, bed.Domain, bed.Password(user))
	phone.Scheme = "sip"
	contact := fmt.Sprintf("sip:%s@%s;transport=tls", user, phone.Conn.Local())
	phone.Register(siptest.Contact("<" + contact + ">")).Expect(200).Bound(contact)
	near, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	far.SetDeadline(time.Time{})
	go carry(near, far)
	go carry(far, near)
}

// listening reports whether somebody has a socket at a port of loopback: Linux lists them.
func listening(t *testing.T, transport sip.Transport, port uint16) bool {
	t.Helper()
	list := "/proc/net/tcp"
	if transport == sip.UDP {
		list = "/proc/net/udp"
	}
	b, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(b), fmt.Sprintf(" 0100007F:%04X 00000000:0000 ", port))
}

// sippCalls is how many calls a run has, and rate how many of them begin in a second.
const (
	sippCalls = 500
	sippRate  = "100"
)

// TestSippCalls has a sipp call another, 500 times over each transport, as somebody whom nobody knows and as a user
// who shows his credentials.
func TestSippCalls(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t)
	transports(t, func(t *testing.T, transport sip.Transport) {
		for scenario, challenges := range map[string]int{"call.xml": 0, "call_challenged.xml": sippCalls} {
			t.Run(strings.TrimSuffix(scenario, ".xml"), func(t *testing.T) {
				user := r.user(t)
				callee := sippCallee(t, r, transport, "answer.xml", user, sippCalls, "-d", "1000")
				caller := sippCaller(t, r, transport, scenario, "alice", sippCalls, "-key", "callee", user, "-r", sippRate)
				caller.done(t, 100*time.Second)
				callee.done(t, 100*time.Second)
				caller.check(t, transport, sippCalls, map[string]int{"100_Recv": sippCalls, "407_Recv": challenges,
					"180_Recv": sippCalls, "200_Recv": 2 * sippCalls})
				callee.check(t, transport, sippCalls, map[string]int{"INVITE_Recv": sippCalls, "ACK_Recv": sippCalls, "BYE_Recv": sippCalls})
			})
		}
	})
}

// check compares what a run has counted: that all calls went well, nothing came that was not expected or came to a
// call that is over, and nothing had to be sent again where the transport does that; and messages by the sum of their
// columns.
func (s *sippRun) check(t *testing.T, transport sip.Transport, calls int, want map[string]int) {
	t.Helper()
	statistics, sums := s.statistics(t), map[string]int{}
	for column, n := range s.counted(t) {
		_, message, _ := strings.Cut(column, "_")
		sums[message] += n
		if strings.HasSuffix(column, "_Unexp") && n > 0 {
			t.Errorf("sipp has %s = %d", column, n)
		}
	}
	overall := map[string]int{"SuccessfulCall(C)": calls, "FailedCall(C)": 0, "OutOfCallMsgs(C)": 0, "FatalErrors(C)": 0}
	if transport.Reliable() {
		overall["Retransmissions(C)"], overall["DeadCallMsgs(C)"] = 0, 0
	}
	for name, n := range overall {
		if statistics[name] != n {
			t.Errorf("sipp has %s = %d, want %d", name, statistics[name], n)
		}
	}
	for message, n := range want {
		if sums[message] != n {
			t.Errorf("sipp has %s = %d, want %d", message, sums[message], n)
		}
	}
	if t.Failed() {
		s.showErrors(t)
	}
}

// TestSippLossy has both ends of a call lose one packet in ten, sent or received: the call is made all the same.
func TestSippLossy(t *testing.T) {
	t.Parallel()
	const calls = 200
	linger := []string{"-d", "20000"} // at the end of a call, for what comes again
	lossy := append([]string{"-lost", "10", "-max_retrans", "10", "-max_invite_retrans", "10", "-max_non_invite_retrans", "10"}, linger...)
	r := startRegistrar(t)
	for name, callee := range map[string][]string{"caller": linger, "both": lossy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := r.user(t)
			callee := sippCallee(t, r, sip.UDP, "answer_hang_up.xml", user, calls, callee...)
			caller := sippCaller(t, r, sip.UDP, "call_wait.xml", "alice", calls, append(lossy, "-key", "callee", user, "-r", "50")...)
			callee.done(t, 100*time.Second)
			caller.done(t, 100*time.Second)
			for _, s := range []*sippRun{caller, callee} {
				if n := s.statistics(t)["SuccessfulCall(C)"]; n != calls {
					t.Errorf("%d calls of %d went well", n, calls)
				}
			}
			if caller.statistics(t)["Retransmissions(C)"] == 0 {
				t.Error("nothing was sent again: was anything lost?")
			}
		})
	}
}
