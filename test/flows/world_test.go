package flows

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// element is who takes part in the flows of section 3: what it is called, its address and its host name.
type element struct{ name, address, host string }

var elements = map[string]element{
	"alice":    {"Alice", "192.0.2.101", "client.atlanta.example.com"},
	"bob":      {"Bob", "192.0.2.201", "client.biloxi.example.com"},
	"mobile":   {"Bob", "192.0.2.100", "client.chicago.example.com"},
	"ss1":      {"Proxy 1", "192.0.2.111", "ss1.atlanta.example.com"},
	"ss2":      {"Proxy 2", "192.0.2.222", "ss2.biloxi.example.com"},
	"ss3":      {"Proxy 3", "192.0.2.233", "ss3.chicago.example.com"},
	"redirect": {"Redirect Server", "192.0.2.222", "ss2.biloxi.example.com"},
}

// hosts are the addresses of the elements; zone is what DNS knows beside them, with the preferred
// transport first, since the flows print NAPTR nowhere but use TCP or UDP.
const hosts = `
	client.atlanta.example.com. A 192.0.2.101
	client.biloxi.example.com. A 192.0.2.201
	client.chicago.example.com. A 192.0.2.100
	ss1.atlanta.example.com. A 192.0.2.111
	ss2.biloxi.example.com. A 192.0.2.222
	ss3.chicago.example.com. A 192.0.2.233
`

func zone(preferred sip.Transport) string {
	udp, tcp := 10, 20
	if preferred == sip.TCP {
		udp, tcp = 20, 10
	}
	text := hosts
	for domain, server := range map[string]string{"atlanta": "ss1", "biloxi": "ss2", "chicago": "ss3"} {
		text += fmt.Sprintf(`
			%[1]s.example.com. NAPTR %[3]d 0 s SIP+D2U _sip._udp.%[1]s.example.com.
			%[1]s.example.com. NAPTR %[4]d 0 s SIP+D2T _sip._tcp.%[1]s.example.com.
			_sip._udp.%[1]s.example.com. SRV 10 1 5060 %[2]s.%[1]s.example.com.
			_sip._tcp.%[1]s.example.com. SRV 10 1 5060 %[2]s.%[1]s.example.com.
			%[1]s.example.com. NAPTR 30 0 s SIPS+D2T _sips._tcp.%[1]s.example.com.
			_sips._tcp.%[1]s.example.com. SRV 10 1 5061 %[2]s.%[1]s.example.com.`, domain, server, udp, tcp)
	}
	return text
}

// cast says which servers a flow has, each with its configuration file in examples/rfc3665, and who Bob is.
type cast struct {
	servers   map[string]string // element: file
	bob       string            // element
	transport sip.Transport     // of the flow, and of Bob's contact
	change    func(server string, c *config.Config)
}

// world is one run of a flow of section 3.
type world struct {
	cast
	t          *testing.T
	network    *Network
	dns        *DNS
	tap        *Wiretap
	alice, bob *Agent
	beds       map[string]*bed.Bed
	ca         *bed.Authority
	began      time.Time
}

// enact runs a script in a bubble of virtual time, in the world that a cast makes, and returns all that went
// over the wire from the moment on that the world was ready. After the script all is quiet for quiet.
func enact(t *testing.T, c cast, script func(*world)) (heard []*Tapped) {
	t.Helper()
	folders := map[string]string{}
	for server := range c.servers {
		folders[server] = t.TempDir()
	}
	ca := bed.NewAuthority(t, t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		w := &world{cast: c, t: t, network: NewNetwork(), dns: NewDNS(t, zone(c.transport)), beds: map[string]*bed.Bed{}, ca: ca}
		for server, file := range c.servers {
			w.serve(server, file, folders[server])
		}
		w.alice = w.agent("alice", "alice", "atlanta.example.com", "ss1")
		w.alice.Outbound = w.hop("ss1")
		w.bob = w.agent(c.bob, "bob", "biloxi.example.com", "ss2")
		w.tap = w.network.Wiretap()
		defer func() {
			if t.Failed() {
				for _, m := range append(heard, w.tap.Messages()...) {
					t.Log(m)
				}
			}
		}()
		script(w)
		heard = w.tap.Messages()
		time.Sleep(quiet)
		synctest.Wait()
		for _, m := range w.tap.Messages() {
			t.Errorf("after the flow: %s\n%s", m, m.Raw)
		}
		w.nothingLeft()
		w.alice.Close()
		w.bob.Close()
		for _, b := range w.beds {
			b.Stop()
		}
	})
	return heard
}

// nothingLeft wants the servers to have forgotten all that they held for the flow.
func (w *world) nothingLeft() {
	w.t.Helper()
	for name, b := range w.beds {
		st := b.Server.Status()
		if s := st.Transactions; s.Clients+s.Servers+s.Logged != 0 || s.Bytes+s.LoggedBytes != 0 {
			w.t.Errorf("%s holds transactions: %+v", name, s)
		}
		if st.Resolver.Pending != 0 {
			w.t.Errorf("%s waits for names: %+v", name, st.Resolver)
		}
	}
}

// quiet is longer than every timer of RFC 3261 lasts, Timer C included.
const quiet = 5 * time.Minute

// serve starts a server.
func (w *world) serve(server, file, data string) {
	w.t.Helper()
	e := elements[server]
	w.beds[server] = bed.Start(w.t, bed.Options{Network: w.network, Address: e.address, File: "../../examples/rfc3665/" + file,
		Data: data, Names: []string{domains[server], e.host}, CA: w.ca, DNS: w.dns, Config: func(c *config.Config) {
			c.Listeners = append(c.Listeners, config.Listener{Transport: config.Transport(sip.TLS), Address: e.address + ":5061", Advertise: e.host})
			if w.change != nil {
				w.change(server, c)
			}
		}})
}

// agent makes a phone at an element's address, which knows the certificate of a server. Its tokens are counted, so
// that a flow is the same in each run.
func (w *world) agent(at, user, domain, server string) *Agent {
	w.t.Helper()
	e, count := elements[at], 0
	return NewAgent(w.t, AgentOptions{Sockets: w.network, Address: e.address, Host: e.host, User: user, Display: e.name, Domain: domain,
		Password: bed.Password(user), Secure: w.transport == sip.TLS, ClientTLS: w.ca.Client(elements[server].host),
		TLS: &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate(e.host)}}, Token: func() string {
			count++
			return fmt.Sprintf("%s-%d", at, count)
		}})
}

// hop is an element, over the transport of the flow.
func (w *world) hop(name string) Hop { return Over(w.transport, elements[name].address) }

// register binds a contact for Bob at a server, in his domain; "" is his own.
func (w *world) register(server, domain, contact string) {
	w.t.Helper()
	phone := w.bob
	if contact == "" {
		contact = "<" + phone.ContactURI(w.transport) + ">"
	}
	was, hop := phone.Domain, phone.Outbound
	phone.Domain, phone.Outbound = domain, w.hop(server)
	phone.Register(contact)
	phone.Domain, phone.Outbound, phone.CSeq = was, hop, 0
}

// challenged lets Alice get to know the nonce of Proxy 1, so that she has credentials cached.
func (w *world) challenged() {
	w.t.Helper()
	first := w.alice.Invite(bobURI, throughProxy1)
	refusal := w.alice.Expect(407)
	first.Ack(refusal)
	w.alice.Credentials(refusal)
	w.alice.CSeq = 0
	synctest.Wait()
}

// begin forgets what went over the wire so far: the flow is what comes now.
func (w *world) begin() {
	w.t.Helper()
	time.Sleep(time.Minute) // the transactions of before are over
	synctest.Wait()
	w.tap = w.network.Wiretap()
	w.began = time.Now()
}

// at lets time go by until so long after the beginning of the flow.
func (w *world) at(d time.Duration) {
	w.t.Helper()
	time.Sleep(time.Until(w.began.Add(d)))
	synctest.Wait()
}

const (
	bobURI   = "sip:bob@biloxi.example.com"
	ss1Route = "<sip:ss1.atlanta.example.com;lr>"
)

// throughProxy1 is what Alice's phone is configured with.
func throughProxy1(r *Request) { Route(ss1Route)(r) }

// who is the element at an address.
func (c cast) who(a netip.AddrPort) string {
	_, redirects := c.servers["redirect"]
	for name, e := range elements {
		if e.address == a.Addr().String() && (name == "redirect") == (redirects && e.address == elements["redirect"].address) {
			return name
		}
	}
	return a.String()
}
