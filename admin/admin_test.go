package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/location"
	"biloxi/sip"
	"biloxi/subscriber"
)

// people is a Subscribers in memory.
type people struct {
	mu  sync.Mutex
	all map[string]subscriber.Subscriber
}

func (p *people) Add(ctx context.Context, s subscriber.Subscriber) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.all[s.User+"@"+s.Domain]; ok {
		return subscriber.ErrExists
	}
	p.all[s.User+"@"+s.Domain] = s
	return nil
}

func (p *people) Put(ctx context.Context, s subscriber.Subscriber) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[s.User+"@"+s.Domain] = s
	return nil
}

func (p *people) Remove(ctx context.Context, user, domain string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.all[user+"@"+domain]; !ok {
		return subscriber.ErrNotFound
	}
	delete(p.all, user+"@"+domain)
	return nil
}

func (p *people) Find(ctx context.Context, user, domain string) (subscriber.Subscriber, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.all[user+"@"+domain]
	if !ok {
		return s, fmt.Errorf("memory: %w", subscriber.ErrNotFound)
	}
	return s, nil
}

func (p *people) List(ctx context.Context, after string, limit int) (page []subscriber.Subscriber, next string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []string
	for k := range p.all {
		if k > after {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) > limit {
		keys = keys[:limit]
		next = keys[limit-1]
	}
	for _, k := range keys {
		page = append(page, p.all[k])
	}
	return page, next, nil
}

func (p *people) Import(ctx context.Context, all iter.Seq2[subscriber.Subscriber, error]) (n int, err error) {
	for s, err := range all {
		if err != nil {
			return n, err
		}
		p.Put(ctx, s)
		n++
	}
	return n, nil
}

// running is a Server.
type running struct{ reloads int }

func (r *running) Status() Status {
	return Status{Version: "1.2", PID: 7, Listeners: []string{"udp 127.0.0.1:5060"}, Counters: []Counter{{Name: "received", Value: 3}}}
}

func (r *running) Reload() error {
	if r.reloads++; r.reloads > 1 {
		return errors.New("biloxi.toml:3:7: what would be right")
	}
	return nil
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newDirect() *Direct {
	memory := location.NewMemory()
	return &Direct{
		Domains: func() []config.Domain {
			return []config.Domain{{Name: "biloxi.example.com", Realm: "atlanta.example.com", Aliases: []string{"ss2.biloxi.example.com"}}, {Name: "example.org", Realm: "example.org"}}
		},
		Subscribers: &people{all: map[string]subscriber.Subscriber{}},
		Locations:   func() (Locations, error) { return memory, nil },
		Hash: func(user, realm, password string) (h subscriber.HA1s) {
			copy(h.MD5[:], user+":"+realm+":"+password)
			h.Has = 1 << sip.MD5
			return h
		},
		Server: &running{},
		Watch:  &watch{},
		Now:    func() time.Time { return epoch },
	}
}

// overSocket returns a client of d over a real socket.
func overSocket(t *testing.T, d *Direct) *Client {
	t.Helper()
	data := t.TempDir()
	ln, err := Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(d, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	client := NewClient(data)
	t.Cleanup(func() {
		client.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return client
}

// register puts a binding where the registrar would.
func register(t *testing.T, d *Direct, aor, contact string, q sip.Q, expires int64) {
	t.Helper()
	locations, err := d.Locations()
	if err != nil {
		t.Fatal(err)
	}
	change := changeFunc(func(r *location.Record) bool {
		r.Bindings = append(r.Bindings, location.Binding{
			Contact: []byte(contact), Q: q, HasQ: q < 1000, Expires: expires, Params: []byte(";audio"),
			Writer: location.Writer{CallID: []byte("c@x"), CSeq: 4}, UserAgent: []byte("Phone/1"),
			Flow:    sip.Flow{Transport: sip.TLS, Local: netip.MustParseAddrPort("127.0.0.1:5061"), Remote: netip.MustParseAddrPort("192.0.2.4:40000")},
			Created: epoch.UnixMilli(), Updated: epoch.UnixMilli(),
		})
		return true
	})
	if durable, err := locations.Update(epoch, []byte(aor), change, nil); err != nil || !durable {
		t.Fatal(durable, err)
	}
}

type changeFunc func(*location.Record) bool

func (f changeFunc) Apply(r *location.Record) bool { return f(r) }

// TestAdmin asks the same of both: the one on the stores, and the one behind a socket.
func TestAdmin(t *testing.T) {
	t.Run("direct", func(t *testing.T) {
		d := newDirect()
		testAdmin(t, d, d)
	})
	t.Run("socket", func(t *testing.T) {
		d := newDirect()
		testAdmin(t, d, overSocket(t, d))
	})
}

func testAdmin(t *testing.T, d *Direct, a Admin) {
	ctx := t.Context()
	t.Run("subscribers", func(t *testing.T) { testSubscribers(t, ctx, d, a) })
	t.Run("locations", func(t *testing.T) { testLocations(t, ctx, d, a) })
	t.Run("import", func(t *testing.T) { testImport(t, ctx, d, a) })
	t.Run("defence", func(t *testing.T) { testDefence(t, ctx, d, a) })
	t.Run("server", func(t *testing.T) {
		s, err := a.Status(ctx)
		if want := (&running{}).Status(); err != nil || !reflect.DeepEqual(s, want) {
			t.Errorf("%+v, %v", s, err)
		}
		if err := a.Reload(ctx); err != nil {
			t.Error(err)
		}
		if err := a.Reload(ctx); err == nil || err.Error() != "biloxi.toml:3:7: what would be right" {
			t.Error(err)
		}
	})
}

func testSubscribers(t *testing.T, ctx context.Context, d *Direct, a Admin) {
	want := Subscriber{AOR: "sip:bob@biloxi.example.com", Realm: "atlanta.example.com",
		Usernames: []string{"bob", "bob@biloxi.example.com"}, Algorithms: []string{"MD5"}, Created: epoch, Changed: epoch}
	// The alias stands for the domain.
	s, err := a.AddSubscriber(ctx, "sips:bob@SS2.biloxi.example.com", "secret")
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = a.AddSubscriber(ctx, "bob@biloxi.example.com", "other")
	wantError(t, err, http.StatusConflict, "there is a subscriber sip:bob@biloxi.example.com already")
	_, err = a.AddSubscriber(ctx, "bob@elsewhere.example", "secret")
	wantError(t, err, http.StatusBadRequest, "elsewhere.example is no domain of this configuration, which has biloxi.example.com, example.org")
	for _, bad := range []string{"", "two\nlines"} {
		_, err = a.AddSubscriber(ctx, "carol@biloxi.example.com", bad)
		wantError(t, err, http.StatusBadRequest, "a password is one line of text that is not empty")
	}
	if _, err = a.AddSubscriber(ctx, "carol", "secret"); err == nil {
		t.Error("an AOR without a domain is taken")
	}
	if _, err = a.SetPassword(ctx, "bob@biloxi.example.com", "changed"); err != nil {
		t.Error(err)
	}
	stored, err := d.Subscribers.Find(ctx, "bob", "biloxi.example.com")
	if got := string(stored.HA1s.MD5[:]); err != nil || got != "bob:atlanta.exam" || !stored.Created.Equal(epoch) {
		t.Errorf("%q, %v", got, err)
	}
	_, err = a.SetPassword(ctx, "carol@biloxi.example.com", "changed")
	wantError(t, err, http.StatusNotFound, "there is no subscriber sip:carol@biloxi.example.com")
	// A user that has to be escaped, in a path too.
	if s, err = a.AddSubscriber(ctx, "sip:a%2Fb%40c@example.org", "secret"); err != nil || s.AOR != "sip:a/b%40c@example.org" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = a.FindSubscriber(ctx, s.AOR); err != nil || s.AOR != "sip:a/b%40c@example.org" {
		t.Errorf("%+v, %v", s, err)
	}
	first, err := a.ListSubscribers(ctx, "", 1)
	if err != nil || len(first.Subscribers) != 1 || first.Next == "" {
		t.Errorf("%+v, %v", first, err)
	}
	second, err := a.ListSubscribers(ctx, first.Next, 1)
	if err != nil || len(second.Subscribers) != 1 || second.Next != "" || second.Subscribers[0].AOR == first.Subscribers[0].AOR {
		t.Errorf("%+v, %v", second, err)
	}
	register(t, d, "bob@biloxi.example.com", "sip:bob@192.0.2.4", 1000, location.Never)
	if err = a.RemoveSubscriber(ctx, "bob@biloxi.example.com"); err != nil {
		t.Error(err)
	}
	_, err = a.FindSubscriber(ctx, "bob@biloxi.example.com")
	wantError(t, err, http.StatusNotFound, "there is no subscriber sip:bob@biloxi.example.com")
	_, err = a.FindLocation(ctx, "bob@biloxi.example.com")
	wantError(t, err, http.StatusNotFound, "nothing is registered for sip:bob@biloxi.example.com")
	wantError(t, a.RemoveSubscriber(ctx, "bob@biloxi.example.com"), http.StatusNotFound, "there is no subscriber sip:bob@biloxi.example.com")
}

func wantError(t *testing.T, err error, status int, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Status != status || e.Message != message {
		t.Errorf("got %v, want %d %s", err, status, message)
	}
}

func testLocations(t *testing.T, ctx context.Context, d *Direct, a Admin) {
	expires := epoch.Add(time.Hour)
	register(t, d, "ann@biloxi.example.com", "sip:ann@192.0.2.4", 500, expires.UnixMilli())
	register(t, d, "ann@biloxi.example.com", "mailto:ann@example.org", 1000, location.Never)
	register(t, d, "eve@example.org", "sip:eve@192.0.2.9;transport=tcp", 1000, expires.UnixMilli())
	one, err := a.FindLocation(ctx, "sip:ann@biloxi.example.com")
	if err != nil || len(one.Bindings) != 2 {
		t.Fatalf("%+v, %v", one, err)
	}
	seconds := int64(3600)
	want := Binding{
		Contact: "sip:ann@192.0.2.4", Expires: &expires, ExpiresIn: &seconds, Q: 0.5, Params: ";audio", CallID: "c@x", CSeq: 4,
		Transport: "tls", Remote: "192.0.2.4:40000", Local: "127.0.0.1:5061", UserAgent: "Phone/1", Created: epoch, Updated: epoch,
	}
	if got := one.Bindings[1]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := one.Bindings[0]; got.Contact != "mailto:ann@example.org" || !got.Reachable || got.Expires != nil || got.ExpiresIn != nil {
		t.Errorf("the first by q, which never expires: %+v", got)
	}
	seen := map[string]int{}
	for cursor, more := "", true; more; more = cursor != "" {
		page, err := a.ListLocations(ctx, cursor, 1)
		if err != nil || len(page.Locations) > 1 {
			t.Fatal(page, err)
		}
		for _, one := range page.Locations {
			seen[one.AOR] += len(one.Bindings)
		}
		cursor = page.Next
	}
	if !reflect.DeepEqual(seen, map[string]int{"sip:ann@biloxi.example.com": 2, "sip:eve@example.org": 1}) {
		t.Error(seen)
	}
	// Equal by RFC 3261 §19.1.4, not byte for byte.
	if n, err := a.RemoveLocation(ctx, "eve@example.org", "SIP:eve@192.0.2.9;Transport=TCP"); n != 1 || err != nil {
		t.Error(n, err)
	}
	_, err = a.RemoveLocation(ctx, "eve@example.org", "sip:eve@192.0.2.9;transport=tcp")
	wantError(t, err, http.StatusNotFound, "sip:eve@example.org has no contact sip:eve@192.0.2.9;transport=tcp")
	_, err = a.RemoveLocation(ctx, "ann@biloxi.example.com", "no uri")
	wantError(t, err, http.StatusBadRequest, `"no uri" is no URI; write the contact as the list shows it`)
	if n, err := a.RemoveLocation(ctx, "ann@biloxi.example.com", ""); n != 2 || err != nil {
		t.Error(n, err)
	}
	_, err = a.RemoveLocation(ctx, "ann@biloxi.example.com", "")
	wantError(t, err, http.StatusNotFound, "nothing is registered for sip:ann@biloxi.example.com")
}

func testImport(t *testing.T, ctx context.Context, d *Direct, a Admin) {
	csv := "AOR,password\n" +
		"p1@biloxi.example.com,one\n" +
		"p2@nowhere.example,two\n" +
		"\n" +
		"p3@ss2.biloxi.example.com," + strings.Repeat("0a", 16) + "," + strings.Repeat("0b", 32) + "\n" +
		"nonsense\n"
	var problems []string
	got, err := a.Import(ctx, strings.NewReader(csv), func(p Progress) {
		if p.Problem != "" {
			problems = append(problems, p.Problem)
		}
	})
	if err != nil || got != (Progress{Imported: 2, Bad: 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	if len(problems) != 2 || !strings.HasPrefix(problems[0], "line 3: ") || !strings.HasPrefix(problems[1], "line 6: ") {
		t.Errorf("%q", problems)
	}
	s, err := d.Subscribers.Find(ctx, "p3", "biloxi.example.com")
	if err != nil || s.HA1s.MD5[0] != 0x0a || s.HA1s.SHA256[31] != 0x0b || s.Realm != "atlanta.example.com" {
		t.Errorf("%+v, %v", s, err)
	}
	// A file that fails in its middle.
	broken := io.MultiReader(strings.NewReader("p4@biloxi.example.com,four\n"), failing{})
	if _, err := a.Import(ctx, broken, func(Progress) {}); err == nil {
		t.Error("a file that cannot be read is imported")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// TestImportProgress holds that words on progress come while the file is still on its way, both ways over
// one connection.
func TestImportProgress(t *testing.T) {
	d := newDirect()
	client := overSocket(t, d)
	r, w := io.Pipe()
	told := make(chan Progress)
	go func() {
		for i := range 3 * progressEvery {
			fmt.Fprintf(w, "u%d@example.org,x\n", i)
		}
		<-told // before the end of the file
		w.Close()
	}()
	var once sync.Once
	got, err := client.Import(t.Context(), r, func(p Progress) { once.Do(func() { told <- p }) })
	if err != nil || got.Imported != 3*progressEvery {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSocket(t *testing.T) {
	for name, data := range map[string]string{
		"short": t.TempDir(),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 12)), // longer than a socket's name may be
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(data, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(data, SocketName)
			if is, err := IsRunning(t.Context(), data); is || err != nil {
				t.Error(is, err)
			}
			ln, err := Listen(data)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Error(info, err)
			}
			if is, err := IsRunning(t.Context(), data); !is || err != nil {
				t.Error(is, err)
			}
			if _, err := Listen(data); err == nil || !strings.Contains(err.Error(), "a server is running on "+data+" already") {
				t.Error(err)
			}
			// What a killed server leaves behind.
			if err := ln.(*listener).Listener.Close(); err != nil {
				t.Error(err)
			}
			if is, err := IsRunning(t.Context(), data); is || err != nil {
				t.Error(is, err)
			}
			if ln, err = Listen(data); err != nil {
				t.Fatal(err)
			}
			if err := ln.Close(); err != nil {
				t.Error(err)
			}
			left, err := os.ReadDir(data)
			if err != nil || len(left) != 0 {
				t.Error(left, err)
			}
		})
	}
}

// TestHandlerRefuses sends what no client of ours sends.
func TestHandlerRefuses(t *testing.T) {
	client := overSocket(t, newDirect())
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/nothing", "", http.StatusNotFound},
		{"PATCH", "/v1/status", "", http.StatusMethodNotAllowed},
		{"POST", "/v1/subscribers", "{", http.StatusBadRequest},
		{"POST", "/v1/subscribers", `{"aor":"x@example.org","password":"p","admin":true}`, http.StatusBadRequest},
		{"POST", "/v1/subscribers", `{"aor":"` + strings.Repeat("x", maxBody) + `"}`, http.StatusRequestEntityTooLarge},
		{"GET", "/v1/locations?limit=-1", "", http.StatusBadRequest},
		{"GET", "/v1/subscribers?limit=100000", "", http.StatusBadRequest},
		{"GET", "/v1/locations?cursor=nonsense", "", http.StatusBadRequest},
	} {
		res, err := client.request(t.Context(), c.method, c.path, strings.NewReader(c.body))
		if err == nil {
			res.Body.Close()
		}
		var e *Error
		if !errors.As(err, &e) || e.Status != c.status || e.Message == "" {
			t.Errorf("%s %s: %v, want %d", c.method, c.path, err, c.status)
		}
	}
}

func TestNoServer(t *testing.T) {
	d := newDirect()
	d.Server = nil
	_, err := d.Status(t.Context())
	wantError(t, err, http.StatusNotImplemented, "no server runs on this data folder")
	wantError(t, d.Reload(t.Context()), http.StatusNotImplemented, "no server runs on this data folder")
	if _, err := NewClient(t.TempDir()).Status(t.Context()); err == nil {
		t.Error("a server answers where none runs")
	}
}
