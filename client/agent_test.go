package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
)

const (
	aliceHost = "192.0.2.101"
	bobHost   = "192.0.2.201"
	bobURI    = "sip:bob@192.0.2.201:5060"
)

// stage is a simulated network with agents on it, in virtual time.
type stage struct {
	*testing.T
	net  *siptest.Network
	ctx  context.Context // ends with the test
	wait sync.WaitGroup
}

func (s *stage) Context() context.Context { return s.ctx }

// stages runs a test in a bubble of its own.
func stages(t *testing.T, name string, test func(s *stage)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			s := &stage{T: t, net: siptest.NewNetwork(), ctx: ctx}
			defer s.wait.Wait()
			defer stop()
			test(s)
		})
	})
}

// actor is an agent with what it told.
type actor struct {
	*stage
	*Agent
	mu     sync.Mutex
	events []Event
	traced []string // "> INVITE", "< 180"
	err    error    // of Answer
	done   chan struct{}
}

func (s *stage) actor(host string, cfg AgentConfig) *actor {
	s.Helper()
	x := &actor{stage: s, done: make(chan struct{})}
	if cfg.Listen == "" {
		cfg.Listen = host + ":5060"
	}
	cfg.ListenPacket, cfg.ListenStream, cfg.Dial = s.net.ListenPacket, s.net.Listen, s.net.Dial
	cfg.Notify = func(e Event) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.events = append(x.events, e)
	}
	cfg.Trace = func(m Traced) {
		way := "< "
		if m.Sent {
			way = "> "
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.traced = append(x.traced, way+shortLabel(m.Bytes))
	}
	if cfg.Lookup == nil {
		cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errNoNetwork }
	}
	a, err := NewAgent(cfg)
	if err != nil {
		s.Fatal(err)
	}
	x.Agent = a
	return x
}

// shortLabel is the method of a request with that of its CSeq, or a status code with the method.
func shortLabel(b []byte) string {
	var m sip.Message
	if m.Parse(b) != nil {
		return "?"
	}
	if m.IsRequest() {
		return string(m.Method())
	}
	c, _ := m.CSeq()
	return fmt.Sprint(m.StatusCode(), " ", c.Method)
}

// answer has the agent answer in the background, until ctx is done.
func (x *actor) answer(ctx context.Context, how Answering) {
	x.wait.Go(func() {
		defer close(x.done)
		x.err = x.Answer(ctx, how)
	})
	synctest.Wait()
}

func (x *actor) kinds() (kinds []EventKind) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (x *actor) has(kind EventKind) bool { return slices.Contains(x.kinds(), kind) }

// ladder is what went and came, each message on a line.
func (x *actor) ladder() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.Join(x.traced, "\n")
}

func (x *actor) wantLadder(want ...string) {
	x.Helper()
	if got := x.ladder(); got != strings.Join(want, "\n") {
		x.Errorf("ladder:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestCallsBetweenAgents(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		stages(t, transport, func(s *stage) {
			bob := s.actor(bobHost, AgentConfig{AOR: "sip:bob@biloxi.example.com"})
			bob.answer(s.Context(), Answering{Ring: time.Second, Calls: 1})
			alice := s.actor(aliceHost, AgentConfig{AOR: "sip:alice@atlanta.example.com"})
			story, err := alice.Call(s.Context(), Invitation{Target: bobURI + ";transport=" + transport, Duration: 3 * time.Second})
			if err != nil || !story.Answered || story.EndedBy != EndedByUs || story.Talked != 3*time.Second || story.Setup != time.Second {
				s.Errorf("%+v, %v", story, err)
			}
			alice.wantLadder("> INVITE", "< 180 INVITE", "< 200 INVITE", "> ACK", "> BYE", "< 200 BYE")
			<-bob.done
			if bob.err != nil || !slices.Equal(bob.kinds(), []EventKind{Invited, Progress, Answered, Acknowledged, HungUp, Ended}) {
				s.Errorf("%v, %v", bob.kinds(), bob.err)
			}
			if want := "audio 192.0.2.201:9 PCMU/8000, inactive"; story.Media != want {
				s.Errorf("media %q", story.Media)
			}
		})
	}
}

func TestCallIsRefused(t *testing.T) {
	for _, status := range []int{480, 486, 603} {
		stages(t, fmt.Sprint(status), func(s *stage) {
			bob := s.actor(bobHost, AgentConfig{})
			bob.answer(s.Context(), Answering{Ring: time.Second, Status: status, Calls: 1})
			alice := s.actor(aliceHost, AgentConfig{})
			story, err := alice.Call(s.Context(), Invitation{Target: bobURI})
			var refused *RefusedError
			if err != nil || !errors.As(story.Err(), &refused) || refused.Status != status {
				s.Errorf("%+v, %v", story, err)
			}
			alice.wantLadder("> INVITE", "< 180 INVITE", fmt.Sprintf("< %d INVITE", status), "> ACK")
		})
	}
}
