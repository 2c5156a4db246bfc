package flows

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/client"
	"biloxi/sip"
	. "biloxi/siptest"
)

// call is one flow of section 3: who plays, what is done before, what the phones do, and the messages that
// must be on the wire.
type call struct {
	number, title, words string
	cast                 cast
	before               func(*world)
	play                 func(*world)
	messages             string
	check                func(list map[string]*Tapped) []fault // what no column says; nil: nothing
}

// The servers of the flows.
var (
	twoProxies = map[string]string{"ss1": "proxy1.toml", "ss2": "proxy2.toml"}
	strictTwo  = map[string]string{"ss1": "proxy1.toml", "ss2": "proxy2-authenticating.toml"}
)

var calls = []call{
	{"3.2", "Session Establishment Through Two Proxies",
		"Proxy 1 challenges Alice and sends her call to Proxy 2, which trusts it. Both stay in the dialog. Over TCP, so that Record-Routes name the transport.",
		cast{servers: twoProxies, bob: "bob", transport: sip.TCP}, bobRegisters, throughTwoProxies, throughTwoProxiesMessages, newNonce},
	{"3.3", "Session with Multiple Proxy Authentication",
		"Both proxies challenge Alice. Each takes the credentials for its own realm off and passes the others on.",
		cast{servers: strictTwo, bob: "bob", transport: sip.UDP}, bobRegisters, multipleAuthentication, multipleAuthenticationMessages, nil},
	{"3.4", "Successful Session with Proxy Failure",
		"Proxy 1 is dead. After 32 seconds Alice turns to Proxy 2.",
		cast{servers: map[string]string{"ss2": "proxy2-authenticating.toml"}, bob: "bob", transport: sip.UDP}, bobRegisters, proxyFailure, proxyFailureMessages, nil},
	{"3.6", "Session via Redirect and Proxy Servers with SDP in ACK",
		"A redirect server tells Alice where Bob is; she calls there over TCP. Bob makes the offer, which Alice answers in her ACK.",
		cast{servers: map[string]string{"redirect": "redirect.toml", "ss3": "proxy3.toml"}, bob: "mobile", transport: sip.TCP}, bobIsElsewhere, redirected, redirectedMessages, nil},
	{"3.7", "Session with re-INVITE (IP Address Change)",
		"Proxy 2 is in no Record-Route, so that it sees nothing of the dialog that it helped to make. Bob moves to another address.",
		cast{servers: map[string]string{"ss2": "proxy2-no-record-route.toml"}, bob: "bob", transport: sip.UDP}, bobRegisters, addressChange, addressChangeMessages, nil},
	{"3.8", "Unsuccessful No Answer",
		"Bob's phone rings until Alice gives up. CANCEL, 200 and ACK go from hop to hop.",
		cast{servers: twoProxies, bob: "bob", transport: sip.UDP}, bobRegistersAliceIsKnown, noAnswer, noAnswerMessages, nil},
	{"3.9", "Unsuccessful Busy", "Over TCP, where the ACK goes from hop to hop all the same.",
		cast{servers: twoProxies, bob: "bob", transport: sip.TCP}, bobRegistersAliceIsKnown, busy, busyMessages, nil},
	{"3.10", "Unsuccessful No Response from User Agent",
		"Bob's phone is gone. Proxy 2 gives up after 32 seconds, with 408 as RFC 3261 §16.7 has it; the RFC prints 480 (`no_answer`).",
		cast{servers: twoProxies, bob: "bob", transport: sip.UDP}, bobRegistersAliceIsKnown, noResponse, noResponseMessages, nil},
	{"3.11", "Unsuccessful Temporarily Unavailable", "",
		cast{servers: twoProxies, bob: "bob", transport: sip.UDP}, bobRegistersAliceIsKnown, unavailable, unavailableMessages, nil},
}

// run plays the flow and checks it: each message in a test of its own. It returns the ladder, in the order in
// which the RFC has it.
func (c call) run(t *testing.T) *client.Ladder {
	heard := enact(t, c.cast, func(w *world) {
		c.before(w)
		w.begin()
		c.play(w)
	})
	if t.Failed() {
		return nil
	}
	list := c.cast.script(c.messages)
	faults := c.cast.match(list, heard)
	for _, f := range faults {
		t.Error(f)
	}
	var ladder client.Ladder
	numbered := map[string]*Tapped{}
	for _, e := range list {
		if e.heard == nil {
			return nil
		}
		numbered[e.number] = e.heard
		ladder.Add(elements[e.from].name, elements[e.to].name, e.label(), []byte(e.heard.Raw))
		t.Run(fmt.Sprintf("%s %s", e.number, e.what), func(t *testing.T) {
			for _, f := range append(e.columnsOf(heard[0], list), c.cast.common(heard, e.index)...) {
				t.Errorf("%s: %s", f.check, f.text)
			}
			if t.Failed() {
				t.Logf("%s\n%s", e.heard, e.heard.Raw)
			}
		})
	}
	if c.check != nil {
		for _, f := range c.check(numbered) {
			t.Errorf("%s: %s", f.check, f.text)
		}
	}
	return &ladder
}

// label is what the ladder calls a message that is sent again; empty for another, which has the usual label.
func (e *expected) label() string {
	if e.columns["same"] == "" {
		return ""
	}
	return e.what + " again, " + e.columns["at"]
}

func bobRegisters(w *world) { w.register("ss2", "biloxi.example.com", "") }

func bobRegistersAliceIsKnown(w *world) {
	bobRegisters(w)
	w.challenged()
}

func bobIsElsewhere(w *world) {
	w.register("redirect", "biloxi.example.com", "<sip:bob@chicago.example.com;transport=tcp>")
	w.register("ss3", "chicago.example.com", "")
}

// sdp is Alice's or Bob's session description.
const offerLines = "v=0\r\no=%s 2890844526 2890844526 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

func description(user, at string, port int) Edit {
	e := elements[at]
	return Body("application/sdp", fmt.Sprintf(offerLines, user, e.host, e.address, port))
}

var (
	offer  = description("alice", "alice", 49172)
	answer = description("bob", "bob", 3456)
)

// throughTwoProxies is flow 3.2.
func throughTwoProxies(w *world) {
	first := w.alice.Invite(bobURI, throughProxy1, offer)
	refusal := w.alice.Expect(407)
	first.Ack(refusal)
	synctest.Wait()
	invite := first.Retry(w.alice.Credentials(refusal))
	w.alice.Expect(100)
	call := w.bob.Expect("INVITE")
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	w.bob.Reply(call, 200, answer)
	w.alice.Dialog(invite, w.alice.Expect(200)).Ack()
	w.bob.Expect("ACK")
	w.bob.Answered(call).Bye()
	w.alice.Reply(w.alice.Expect("BYE"), 200)
	w.bob.Expect("200 BYE")
}

const throughTwoProxiesMessages = `
	F1  alice ss1   TCP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp
	F2  ss1   alice TCP 407 INVITE 1;                        via=alice tag challenge=atlanta.example.com
	F3  alice ss1   TCP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag
	F4  alice ss1   TCP INVITE sip:bob@biloxi.example.com 2; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F5  ss1   ss2   TCP INVITE sip:bob@biloxi.example.com 2; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F6  ss1   alice TCP 100 INVITE 2;                        via=alice
	F7  ss2   bob   TCP INVITE $bob 2;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp
	F8  ss2   ss1   TCP 100 INVITE 2;                        via=ss1,alice
	F9  bob   ss2   TCP 180 INVITE 2;                        via=ss2,ss1,alice rr=ss2,ss1 tag contact=bob
	F10 ss2   ss1   TCP 180 INVITE 2;                        via=ss1,alice rr=ss2,ss1 tag contact=bob
	F11 ss1   alice TCP 180 INVITE 2;                        via=alice rr=ss2,ss1 tag contact=bob
	F12 bob   ss2   TCP 200 INVITE 2;                        via=ss2,ss1,alice rr=ss2,ss1 tag contact=bob sdp
	F13 ss2   ss1   TCP 200 INVITE 2;                        via=ss1,alice rr=ss2,ss1 tag contact=bob sdp
	F14 ss1   alice TCP 200 INVITE 2;                        via=alice rr=ss2,ss1 tag contact=bob sdp
	F15 alice ss1   TCP ACK $bob 2;                          via=alice mf=70 route=ss1,ss2 tag
	F16 ss1   ss2   TCP ACK $bob 2;                          via=ss1,alice mf=69 route=ss2 tag
	F17 ss2   bob   TCP ACK $bob 2;                          via=ss2,ss1,alice mf=68 tag
	F18 bob   ss2   TCP BYE $alice 1;                        via=bob mf=70 route=ss2,ss1 tag
	F19 ss2   ss1   TCP BYE $alice 1;                        via=ss2,bob mf=69 route=ss1 tag
	F20 ss1   alice TCP BYE $alice 1;                        via=ss1,ss2,bob mf=68 tag
	F21 alice ss1   TCP 200 BYE 1;                           via=ss1,ss2,bob tag
	F22 ss1   ss2   TCP 200 BYE 1;                           via=ss2,bob tag
	F23 ss2   bob   TCP 200 BYE 1;                           via=bob tag`

// newNonce: what Alice answers in F4 is the challenge of F2.
func newNonce(list map[string]*Tapped) []fault {
	challenge, _, err := sip.ParseChallenge([]byte(list["F2"].Header("Proxy-Authenticate")))
	credentials, _, err2 := sip.ParseCredentials([]byte(list["F4"].Header("Proxy-Authorization")))
	if err != nil || err2 != nil || string(challenge.Nonce) != string(credentials.Nonce) {
		return []fault{{"nonce", fmt.Sprintf("%s is answered with %s", challenge.Nonce, credentials.Nonce)}}
	}
	return nil
}

// multipleAuthentication is flow 3.3. Its ACKs carry the credentials of their INVITE (RFC 3261 §22.1).
func multipleAuthentication(w *world) {
	first := w.alice.Invite(bobURI, throughProxy1, offer)
	refusal := w.alice.Expect(407)
	first.Ack(refusal)
	synctest.Wait()
	second := first.Retry(w.alice.Credentials(refusal))
	w.alice.Expect(100)
	refusal = w.alice.Expect(407)
	second.Ack(refusal, second.Copied("Proxy-Authorization"))
	synctest.Wait()
	w.alice.Credentials(refusal)
	third := second.Retry(w.alice.Known("atlanta.example.com", "biloxi.example.com"))
	w.alice.Expect(100)
	call := w.bob.Expect("INVITE")
	w.bob.Reply(call, 200, answer)
	w.alice.Dialog(third, w.alice.Expect(200)).Ack(third.Copied("Proxy-Authorization"))
	w.bob.Expect("ACK")
}

const multipleAuthenticationMessages = `
	F1  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp
	F2  ss1   alice UDP 407 INVITE 1;                        via=alice tag challenge=atlanta.example.com
	F3  alice ss1   UDP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag
	F4  alice ss1   UDP INVITE sip:bob@biloxi.example.com 2; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F5  ss1   alice UDP 100 INVITE 2;                        via=alice
	F6  ss1   ss2   UDP INVITE sip:bob@biloxi.example.com 2; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F7  ss2   ss1   UDP 407 INVITE 2;                        via=ss1,alice tag challenge=biloxi.example.com
	F8  ss1   ss2   UDP ACK sip:bob@biloxi.example.com 2;    via=ss1 mf=hop tag
	F9  ss1   alice UDP 407 INVITE 2;                        via=alice tag challenge=biloxi.example.com
	F10 alice ss1   UDP ACK sip:bob@biloxi.example.com 2;    via=alice mf=70 route=ss1 tag auth=atlanta.example.com
	F11 alice ss1   UDP INVITE sip:bob@biloxi.example.com 3; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com,biloxi.example.com sdp
	F12 ss1   alice UDP 100 INVITE 3;                        via=alice
	F13 ss1   ss2   UDP INVITE sip:bob@biloxi.example.com 3; via=ss1,alice mf=69 rr=ss1 contact=alice auth=biloxi.example.com sdp
	F14 ss2   ss1   UDP 100 INVITE 3;                        via=ss1,alice
	F15 ss2   bob   UDP INVITE $bob 3;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp
	F16 bob   ss2   UDP 200 INVITE 3;                        via=ss2,ss1,alice rr=ss2,ss1 tag contact=bob sdp
	F17 ss2   ss1   UDP 200 INVITE 3;                        via=ss1,alice rr=ss2,ss1 tag contact=bob sdp
	F18 ss1   alice UDP 200 INVITE 3;                        via=alice rr=ss2,ss1 tag contact=bob sdp
	F19 alice ss1   UDP ACK $bob 3;                          via=alice mf=70 route=ss1,ss2 tag auth=atlanta.example.com,biloxi.example.com
	F20 ss1   ss2   UDP ACK $bob 3;                          via=ss1,alice mf=69 route=ss2 tag auth=biloxi.example.com
	F21 ss2   bob   UDP ACK $bob 3;                          via=ss2,ss1,alice mf=68 tag`

// retransmissions are when a request is sent again over UDP (RFC 3261 §17.1.1.2): T1 doubled each time, until
// Timer B.
var retransmissions = []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond,
	15500 * time.Millisecond, 31500 * time.Millisecond}

const timerB = 32 * time.Second

// proxyFailure is flow 3.4.
func proxyFailure(w *world) {
	lost := w.alice.Invite(bobURI, throughProxy1, offer)
	for _, at := range retransmissions {
		w.at(at)
		lost.Again()
	}
	w.at(timerB)
	w.alice.Outbound, w.alice.CSeq = w.hop("ss2"), 0
	first := w.alice.Invite(bobURI, offer)
	refusal := w.alice.Expect(407)
	first.Ack(refusal)
	synctest.Wait()
	invite := first.Retry(w.alice.Credentials(refusal))
	w.alice.Expect(100)
	call := w.bob.Expect("INVITE")
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	w.bob.Reply(call, 200, answer)
	w.alice.Dialog(invite, w.alice.Expect(200)).Ack()
	w.bob.Expect("ACK")
	w.bob.Answered(call).Bye()
	w.alice.Reply(w.alice.Expect("BYE"), 200)
	w.bob.Expect("200 BYE")
}

const proxyFailureMessages = `
	F1  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp
	F2  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=500ms same=F1
	F3  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=1.5s same=F1
	F4  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=3.5s same=F1
	F5  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=7.5s same=F1
	F6  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=15.5s same=F1
	F7  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice sdp at=31.5s same=F1
	F8  alice ss2   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 contact=alice sdp at=32s
	F9  ss2   alice UDP 407 INVITE 1;                        via=alice tag challenge=biloxi.example.com
	F10 alice ss2   UDP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 tag
	F11 alice ss2   UDP INVITE sip:bob@biloxi.example.com 2; via=alice mf=70 contact=alice auth=biloxi.example.com sdp
	F12 ss2   bob   UDP INVITE $bob 2;                       via=ss2,alice mf=69 rr=ss2 contact=alice sdp
	F13 ss2   alice UDP 100 INVITE 2;                        via=alice
	F14 bob   ss2   UDP 180 INVITE 2;                        via=ss2,alice rr=ss2 tag contact=bob
	F15 ss2   alice UDP 180 INVITE 2;                        via=alice rr=ss2 tag contact=bob
	F16 bob   ss2   UDP 200 INVITE 2;                        via=ss2,alice rr=ss2 tag contact=bob sdp
	F17 ss2   alice UDP 200 INVITE 2;                        via=alice rr=ss2 tag contact=bob sdp
	F18 alice ss2   UDP ACK $bob 2;                          via=alice mf=70 route=ss2 tag
	F19 ss2   bob   UDP ACK $bob 2;                          via=ss2,alice mf=69 tag
	F20 bob   ss2   UDP BYE $alice 1;                        via=bob mf=70 route=ss2 tag
	F21 ss2   alice UDP BYE $alice 1;                        via=ss2,bob mf=69 tag
	F22 alice ss2   UDP 200 BYE 1;                           via=ss2,bob tag
	F23 ss2   bob   UDP 200 BYE 1;                           via=bob tag`

// redirected is flow 3.6. The Request-URI of F4 is the Contact of F2 with its transport, as RFC 3261 §19.1.5
// demands and the RFC does not print.
func redirected(w *world) {
	w.alice.Outbound = Over(sip.UDP, elements["redirect"].address)
	first := w.alice.Invite(bobURI, NoBody())
	moved := w.alice.Expect(302).Carries("Contact", "<sip:bob@chicago.example.com;transport=tcp>")
	first.Ack(moved)
	synctest.Wait()
	invite := first.Retry(URI("sip:bob@chicago.example.com;transport=tcp"), SendTo(w.hop("ss3")),
		Replace("Contact", "<"+w.alice.ContactURI(sip.TCP)+">"))
	w.alice.Expect(100)
	call := w.bob.Expect("INVITE")
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	w.bob.Reply(call, 200, description("bob", "mobile", 3456))
	w.alice.Dialog(invite, w.alice.Expect(200)).Ack(offer)
	w.bob.Expect("ACK").WantBody(fmt.Sprintf(offerLines, "alice", elements["alice"].host, elements["alice"].address, 49172))
	w.bob.Answered(call).Bye()
	w.alice.Reply(w.alice.Expect("BYE"), 200)
	w.bob.Expect("200 BYE")
}

const redirectedMessages = `
	F1  alice    redirect UDP INVITE sip:bob@biloxi.example.com 1;                via=alice mf=70 contact=alice
	F2  redirect alice    UDP 302 INVITE 1;                                       via=alice tag contact=chicago.example.com
	F3  alice    redirect UDP ACK sip:bob@biloxi.example.com 1;                   via=alice mf=70 tag
	F4  alice    ss3      TCP INVITE sip:bob@chicago.example.com;transport=tcp 2; via=alice mf=70 contact=alice
	F5  ss3      mobile   TCP INVITE $bob 2;                                      via=ss3,alice mf=69 rr=ss3 contact=alice
	F6  ss3      alice    TCP 100 INVITE 2;                                       via=alice
	F7  mobile   ss3      TCP 180 INVITE 2;                                       via=ss3,alice rr=ss3 tag contact=mobile
	F8  ss3      alice    TCP 180 INVITE 2;                                       via=alice rr=ss3 tag contact=mobile
	F9  mobile   ss3      TCP 200 INVITE 2;                                       via=ss3,alice rr=ss3 tag contact=mobile sdp
	F10 ss3      alice    TCP 200 INVITE 2;                                       via=alice rr=ss3 tag contact=mobile sdp
	F11 alice    ss3      TCP ACK $bob 2;                                         via=alice mf=70 route=ss3 tag sdp
	F12 ss3      mobile   TCP ACK $bob 2;                                         via=ss3,alice mf=69 tag sdp
	F13 mobile   ss3      TCP BYE $alice 1;                                       via=mobile mf=70 route=ss3 tag
	F14 ss3      alice    TCP BYE $alice 1;                                       via=ss3,mobile mf=69 tag
	F15 alice    ss3      TCP 200 BYE 1;                                          via=ss3,mobile tag
	F16 ss3      mobile   TCP 200 BYE 1;                                          via=mobile tag`

// addressChange is flow 3.7.
func addressChange(w *world) {
	w.alice.Outbound = w.hop("ss2")
	invite := w.alice.Invite(bobURI, offer)
	w.alice.Expect(100)
	call := w.bob.Expect("INVITE")
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	w.bob.Reply(call, 200, answer)
	caller := w.alice.Dialog(invite, w.alice.Expect(200)).Toward(Over(sip.UDP, elements["bob"].address))
	caller.Ack()
	w.bob.Expect("ACK")

	mobile := w.agent("mobile", "bob", "biloxi.example.com", "ss2")
	defer mobile.Close()
	callee := w.bob.Answered(call).Toward(Over(sip.UDP, elements["alice"].address))
	callee.Agent, callee.CSeq = mobile, 13
	callee.Request("INVITE", description("bob", "mobile", 47172))
	again := w.alice.Expect("INVITE")
	w.alice.Reply(again, 200, offer)
	mobile.Expect(200)
	callee.Ack()
	w.alice.Expect("ACK")
	caller.Target = mobile.ContactURI(sip.UDP)
	caller.Toward(Over(sip.UDP, elements["mobile"].address)).Bye()
	mobile.Reply(mobile.Expect("BYE"), 200)
	w.alice.Expect("200 BYE")
}

const addressChangeMessages = `
	F1  alice  ss2    UDP INVITE sip:bob@biloxi.example.com 1;         via=alice mf=70 contact=alice sdp
	F2  ss2    bob    UDP INVITE $bob 1;                               via=ss2,alice mf=69 contact=alice sdp
	F3  ss2    alice  UDP 100 INVITE 1;                                via=alice
	F4  bob    ss2    UDP 180 INVITE 1;                                via=ss2,alice tag contact=bob
	F5  ss2    alice  UDP 180 INVITE 1;                                via=alice tag contact=bob
	F6  bob    ss2    UDP 200 INVITE 1;                                via=ss2,alice tag contact=bob sdp
	F7  ss2    alice  UDP 200 INVITE 1;                                via=alice tag contact=bob sdp
	F8  alice  bob    UDP ACK $bob 1;                                  via=alice mf=70 tag
	F9  mobile alice  UDP INVITE $alice 14;                            via=mobile mf=70 tag contact=mobile sdp
	F10 alice  mobile UDP 200 INVITE 14;                               via=mobile tag contact=alice sdp
	F11 mobile alice  UDP ACK $alice 14;                               via=mobile mf=70 tag
	F12 alice  mobile UDP BYE sip:bob@client.chicago.example.com 2;    via=alice mf=70 tag
	F13 mobile alice  UDP 200 BYE 2;                                   via=alice tag`
