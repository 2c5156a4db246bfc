//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// phone is a stranger's phone that is registered, and can be told to call and to answer.
type phone struct {
	name   string // "baresip over UDP"
	user   string
	signs  *signs
	events tail // what it says of its calls
	wire   tail // its SIP messages, those that it sends and those that come

	dial           func(uri string)
	accept, hangUp func() // a call that rings is refused by hanging up
}

// signs are what a phone says when something happens, as regular expressions.
type signs struct {
	rings  string // somebody calls
	rung   string // it rings at the one who was called
	talks  string // the call is answered
	over   string // the call is over, or never came about
	refuse int    // the status that it refuses with
}

// tail is a text that grows, with a mark behind what has been looked at.
type tail struct {
	read func() string
	mark int
}

// see waits until the text behind the mark matches, and moves the mark there.
func (l *tail) see(t *testing.T, who, pattern string) {
	t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	eventually(t, 20*time.Second, who+": "+pattern, func() bool {
		text := l.read()
		at := re.FindStringIndex(text[l.mark:])
		if at != nil {
			l.mark += at[1]
		}
		return at != nil
	})
}

// skip moves the mark to the end.
func (l *tail) skip() { l.mark = len(l.read()) }

func (p *phone) sees(t *testing.T, pattern string) { t.Helper(); p.events.see(t, p.name, pattern) }
func (p *phone) gets(t *testing.T, pattern string) { t.Helper(); p.wire.see(t, p.name, pattern) }

// begin forgets what was before the next call.
func (p *phone) begin() { p.events.skip(); p.wire.skip() }

func (p *phone) uri() string { return "sip:" + p.user + "@" + bed.Domain }

var linphoneSigns = &signs{
	rings:  `Receiving new incoming call from `,
	rung:   `Call \d+ to .+ ringing\.`,
	talks:  `Call \d+ with .+ connected\.`,
	over:   `Call \d+ with .+ (ended \(.*\)|error)\.`,
	refuse: 603,
}

// linphonePhone is a linphone that makes calls.
func linphonePhone(t *testing.T, r *registrar, transport sip.Transport) *phone {
	t.Helper()
	user := r.user(t)
	c := linphone(t, r, transport, user, 600)
	return &phone{name: "linphone over " + transport.String(), user: user, signs: linphoneSigns,
		events: tail{read: c.output}, wire: tail{read: c.readLog},
		dial:   func(uri string) { c.say("call " + uri) },
		accept: func() { c.say("answer") },
		hangUp: func() { c.say("terminate") }}
}

var baresipSigns = &signs{
	rings:  `"type":"CALL_INCOMING"`,
	rung:   `"type":"CALL_RINGING"`,
	talks:  `"type":"CALL_ESTABLISHED"`,
	over:   `"type":"CALL_CLOSED"`,
	refuse: 486,
}

// baresipPhone is a baresip that makes calls: with a codec, sound that comes from and goes to nowhere, and a port for
// commands and events.
func baresipPhone(t *testing.T, r *registrar, transport sip.Transport) *phone {
	t.Helper()
	user, control := r.user(t), freePort(t, sip.TCP)
	p := baresipModules(t, r, user, fmt.Sprintf("outbound=%q;regint=600", r.route(transport)), fmt.Sprintf(
		"audio_player aubridge,nil\naudio_source aubridge,nil\naudio_alert aubridge,nil\nctrl_tcp_listen %s\n"+
			"module g711.so\nmodule aubridge.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n", control))
	c := &baresipControl{}
	eventually(t, 20*time.Second, "baresip takes commands", func() (ok bool) {
		var err error
		c.conn, err = net.Dial("tcp", control.String())
		return err == nil
	})
	t.Cleanup(func() { c.conn.Close() })
	go io.Copy(c, c.conn)
	return &phone{name: "baresip over " + transport.String(), user: user, signs: baresipSigns,
		events: tail{read: c.events}, wire: tail{read: p.output},
		dial:   func(uri string) { c.say("dial", uri) },
		accept: func() { c.say("accept", "") },
		hangUp: func() { c.say("hangup", "") }}
}

// baresipControl is the connection to baresip's module ctrl_tcp, which speaks JSON in netstrings.
type baresipControl struct {
	conn net.Conn
	mu   sync.Mutex
	text strings.Builder
}

func (c *baresipControl) say(command, params string) {
	b, _ := json.Marshal(map[string]string{"command": command, "params": params})
	fmt.Fprintf(c.conn, "%d:%s,", len(b), b)
}

// Write takes what baresip says.
func (c *baresipControl) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(b)
}

func (c *baresipControl) events() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}
