package flows

import (
	"testing/synctest"

	. "biloxi/siptest"
)

// invited has Alice call Bob with the credentials that she knows, and returns what Bob gets.
func invited(w *world) (*Sent, *Received) {
	w.t.Helper()
	invite := w.alice.Invite(bobURI, throughProxy1, w.alice.Known("atlanta.example.com"), offer)
	w.alice.Expect(100)
	return invite, w.bob.Expect("INVITE")
}

// refused has Alice get a final response, and acknowledge it with the credentials of the INVITE.
func refused(w *world, invite *Sent, status int) {
	w.t.Helper()
	invite.Ack(w.alice.Expect(status), invite.Copied("Proxy-Authorization"))
	synctest.Wait()
}

// noAnswer is flow 3.8.
func noAnswer(w *world) {
	invite, call := invited(w)
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	invite.Cancel()
	w.alice.Expect("200 CANCEL")
	w.bob.Reply(w.bob.Expect("CANCEL"), 200)
	w.bob.Reply(call, 487)
	w.bob.Expect("ACK")
	refused(w, invite, 487)
}

// In print F11 is for Alice, F18 has the Via of Proxy 2 (errata 2740 and 3295), F10, F12 and F14 have no To-tag and
// F20 no Route.
const noAnswerMessages = `
	F1  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F2  ss1   ss2   UDP INVITE sip:bob@biloxi.example.com 1; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F3  ss1   alice UDP 100 INVITE 1;                        via=alice
	F4  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp
	F5  ss2   ss1   UDP 100 INVITE 1;                        via=ss1,alice
	F6  bob   ss2   UDP 180 INVITE 1;                        via=ss2,ss1,alice rr=ss2,ss1 tag contact=bob
	F7  ss2   ss1   UDP 180 INVITE 1;                        via=ss1,alice rr=ss2,ss1 tag contact=bob
	F8  ss1   alice UDP 180 INVITE 1;                        via=alice rr=ss2,ss1 tag contact=bob
	F9  alice ss1   UDP CANCEL sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1
	F10 ss1   alice UDP 200 CANCEL 1;                        via=alice tag
	F11 ss1   ss2   UDP CANCEL sip:bob@biloxi.example.com 1; via=ss1 mf=hop
	F12 ss2   ss1   UDP 200 CANCEL 1;                        via=ss1 tag
	F13 ss2   bob   UDP CANCEL $bob 1;                       via=ss2 mf=hop
	F14 bob   ss2   UDP 200 CANCEL 1;                        via=ss2 tag
	F15 bob   ss2   UDP 487 INVITE 1;                        via=ss2,ss1,alice tag
	F16 ss2   bob   UDP ACK $bob 1;                          via=ss2 mf=hop tag
	F17 ss2   ss1   UDP 487 INVITE 1;                        via=ss1,alice tag
	F18 ss1   ss2   UDP ACK sip:bob@biloxi.example.com 1;    via=ss1 mf=hop tag
	F19 ss1   alice UDP 487 INVITE 1;                        via=alice tag
	F20 alice ss1   UDP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag auth=atlanta.example.com`

// busy is flow 3.9.
func busy(w *world) {
	invite, call := invited(w)
	w.bob.Reply(call, 486)
	w.bob.Expect("ACK")
	refused(w, invite, 486)
}

const busyMessages = `
	F1  alice ss1   TCP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F2  ss1   ss2   TCP INVITE sip:bob@biloxi.example.com 1; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F3  ss1   alice TCP 100 INVITE 1;                        via=alice
	F4  ss2   bob   TCP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp
	F5  ss2   ss1   TCP 100 INVITE 1;                        via=ss1,alice
	F6  bob   ss2   TCP 486 INVITE 1;                        via=ss2,ss1,alice tag
	F7  ss2   bob   TCP ACK $bob 1;                          via=ss2 mf=hop tag
	F8  ss2   ss1   TCP 486 INVITE 1;                        via=ss1,alice tag
	F9  ss1   ss2   TCP ACK sip:bob@biloxi.example.com 1;    via=ss1 mf=hop tag
	F10 ss1   alice TCP 486 INVITE 1;                        via=alice tag
	F11 alice ss1   TCP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag auth=atlanta.example.com`

// noResponse is flow 3.10.
func noResponse(w *world) {
	invite, _ := invited(w)
	for range retransmissions {
		w.bob.ExpectWithin(timerB, "INVITE")
	}
	w.at(timerB)
	refused(w, invite, 408)
}

const noResponseMessages = `
	F1  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F2  ss1   ss2   UDP INVITE sip:bob@biloxi.example.com 1; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F3  ss1   alice UDP 100 INVITE 1;                        via=alice
	F4  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=0s
	F5  ss2   ss1   UDP 100 INVITE 1;                        via=ss1,alice
	F6  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=500ms same=F4
	F7  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=1.5s same=F4
	F8  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=3.5s same=F4
	F9  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=7.5s same=F4
	F10 ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=15.5s same=F4
	F11 ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp at=31.5s same=F4
	F12 ss2   ss1   UDP 408 INVITE 1;                        via=ss1,alice tag at=32s
	F13 ss1   ss2   UDP ACK sip:bob@biloxi.example.com 1;    via=ss1 mf=hop tag at=32s
	F14 ss1   alice UDP 408 INVITE 1;                        via=alice tag at=32s
	F15 alice ss1   UDP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag auth=atlanta.example.com`

// unavailable is flow 3.11.
func unavailable(w *world) {
	invite, call := invited(w)
	w.bob.Reply(call, 180)
	w.alice.Expect(180)
	w.bob.Reply(call, 480)
	w.bob.Expect("ACK")
	refused(w, invite, 480)
}

const unavailableMessages = `
	F1  alice ss1   UDP INVITE sip:bob@biloxi.example.com 1; via=alice mf=70 route=ss1 contact=alice auth=atlanta.example.com sdp
	F2  ss1   ss2   UDP INVITE sip:bob@biloxi.example.com 1; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
	F3  ss1   alice UDP 100 INVITE 1;                        via=alice
	F4  ss2   bob   UDP INVITE $bob 1;                       via=ss2,ss1,alice mf=68 rr=ss2,ss1 contact=alice sdp
	F5  ss2   ss1   UDP 100 INVITE 1;                        via=ss1,alice
	F6  bob   ss2   UDP 180 INVITE 1;                        via=ss2,ss1,alice rr=ss2,ss1 tag contact=bob
	F7  ss2   ss1   UDP 180 INVITE 1;                        via=ss1,alice rr=ss2,ss1 tag contact=bob
	F8  ss1   alice UDP 180 INVITE 1;                        via=alice rr=ss2,ss1 tag contact=bob
	F9  bob   ss2   UDP 480 INVITE 1;                        via=ss2,ss1,alice tag
	F10 ss2   bob   UDP ACK $bob 1;                          via=ss2 mf=hop tag
	F11 ss2   ss1   UDP 480 INVITE 1;                        via=ss1,alice tag
	F12 ss1   ss2   UDP ACK sip:bob@biloxi.example.com 1;    via=ss1 mf=hop tag
	F13 ss1   alice UDP 480 INVITE 1;                        via=alice tag
	F14 alice ss1   UDP ACK sip:bob@biloxi.example.com 1;    via=alice mf=70 route=ss1 tag auth=atlanta.example.com`
