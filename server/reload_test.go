package server

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
)

// TestReloadUnderLoad: no request is refused for a reload, and no phone is challenged again.
func TestReloadUnderLoad(t *testing.T) {
	w := startWired(t, config.DurabilitySync, 16)
	c := w.server.state.Load().config
	next := c
	next.Domains = append(slices.Clone(c.Domains), config.Domain{Name: "new.example", Realm: "new.example", Algorithms: c.Domains[0].Algorithms})
	next.Registrar.MaxContacts++
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := w.server.Reload([]config.Config{next, c}[i%2]); err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 50 {
		w.run(t, w.each((*wiredPhone).bind), "200")
		w.run(t, w.each((*wiredPhone).query), "200")
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

// TestReloadAuth: with other settings of authentication old nonces are stale, so that none can be used that a server
// does not know the counts of; phones go on with a new one.
func TestReloadAuth(t *testing.T) {
	c := testConfig(t)
	s := start(t, c)
	p := newPhone(t, s, sip.UDP, "bob")
	p.Register(Contact("<sip:bob@192.0.2.1>")).Expect(200)
	old := p.Challenge().Nonce

	c.Registrar.MaxContacts++
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	p.Once(p.Credentials(Credentials{}), Contact("<sip:bob@192.0.2.1>")).Expect(200)
	t.Run("T8", func(t *testing.T) {
		p.Once(p.Credentials(Credentials{Count: 1}), Contact("<sip:bob@192.0.2.2>")).Expect(401) // a replay, as before
	})

	c.Auth.MaxNonces++
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	r := p.Once(p.Credentials(Credentials{}), Contact("<sip:bob@192.0.2.2>")).Expect(401)
	if list := r.Challenges(); len(list) != 1 || !list[0].Stale || list[0].Nonce == old {
		r.Fatalf("not a new nonce for a stale one")
	}
	p.Register(Contact("<sip:bob@192.0.2.2>")).Expect(200)
	p.Bound("sip:bob@192.0.2.1", "sip:bob@192.0.2.2")
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestReloadRealm: whoever gives a domain another realm is told that no password is good for it, as at a start.
func TestReloadRealm(t *testing.T) {
	var log lockedBuffer
	c := testConfig(t)
	s := startWith(t, c, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	newPhone(t, s, sip.UDP, "bob")
	c.Domains = slices.Clone(c.Domains)
	c.Domains[0].Realm = "other.example"
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "other.example") {
		t.Errorf("the log does not tell:\n%s", log.String())
	}
}
