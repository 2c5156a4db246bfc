package transaction

import (
	"strings"
	"testing"
)

// edit replaces parts of a message.
func edit(b []byte, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(string(b)))
}

// TestMatchRequest: RFC 3261 §17.2.3, for clients that make branches.
func TestMatchRequest(t *testing.T) {
	message := requestText("MESSAGE", "z9hG4bK74bf9")
	for _, row := range []struct {
		name    string
		request []byte
		same    bool
	}{
		{"the same", message, true},
		{"branch in another case", edit(message, "z9hG4bK74bf9", "Z9HG4BK74BF9"), true},
		{"sent-by in another case", edit(message, "client.atlanta", "CLIENT.Atlanta"), true},
		{"the default port left out", edit(message, ".com:5060;branch", ".com;branch"), true},
		{"other header fields", edit(message, "CSeq: 17", "CSeq: 18", "9fxced76sl", "other", "sip:bob@", "sip:rob@"), true},
		{"another branch", edit(message, "z9hG4bK74bf9", "z9hG4bK74bf8"), false},
		{"a branch that goes on", edit(message, "z9hG4bK74bf9", "z9hG4bK74bf99"), false},
		{"another sent-by host", edit(message, "client.atlanta.example.com:", "client.atlanta.example.org:"), false},
		{"another sent-by port", edit(message, ".com:5060;branch", ".com:5070;branch"), false}, // TX-001
		{"another method", edit(message, "MESSAGE", "OPTIONS"), false},
		{"a method nobody knows", edit(message, "MESSAGE", "FROBNICATE"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.receive(message)
			w.want("request MESSAGE")
			w.receive(row.request)
			if same := len(w.events) == 0; same != row.same {
				t.Errorf("matches: %v, wanted %v", same, row.same)
			}
		})
	}
}

// TestMatchUnknownMethod: a method that has no number of its own in a key is told apart all the same.
func TestMatchUnknownMethod(t *testing.T) {
	w := newWorld(t, Config{})
	w.receive(requestText("FROBNICATE", "z9hG4bK74bf9"))
	w.receive(requestText("FROBNICATE", "z9hG4bK74bf9"))
	w.receive(requestText("DEFENESTRATE", "z9hG4bK74bf9"))
	w.want("request FROBNICATE", "request DEFENESTRATE")
}

// TestMatchOldRequest: RFC 3261 §17.2.3, for RFC 2543 clients (TX-002).
func TestMatchOldRequest(t *testing.T) {
	for name, branch := range map[string]string{"a branch without the cookie": ";branch=1", "no branch": "",
		"the cookie alone": ";branch=z9hG4bK"} {
		for _, method := range []string{"INVITE", "MESSAGE"} {
			old := edit(requestText(method, "X"), ";branch=X", branch)
			for _, row := range []struct {
				name    string
				request []byte
				same    bool
			}{
				{"the same", old, true},
				{"a header field that does not count", edit(old, "Max-Forwards: 69", "Max-Forwards: 70"), true},
				{"another Request-URI", edit(old, " sip:bob@biloxi.example.com SIP", " sip:bob@192.0.2.9 SIP"), false},
				{"another To tag", edit(old, "<sip:bob@biloxi.example.com>", "<sip:bob@biloxi.example.com>;tag=x"), false},
				{"another From tag", edit(old, "9fxced76sl", "9fxced76s1"), false},
				{"another Call-ID", edit(old, "3848276298220188511", "3848276298220188512"), false},
				{"another CSeq", edit(old, "CSeq: 17", "CSeq: 18"), false},
				{"another method", edit(old, method, "SUBSCRIBE"), false},
				{"another topmost Via", edit(old, "client.atlanta.example.com:5060", "client.atlanta.example.com:5061"), false},
			} {
				t.Run(method+" with "+name+"/"+row.name, func(t *testing.T) {
					w := newWorld(t, Config{})
					w.receive(old)
					w.events = nil
					w.receive(row.request)
					if same := len(w.events) == 0 || w.events[0] == "send 100"; same != row.same {
						t.Errorf("matches: %v, wanted %v", same, row.same)
					}
				})
			}
		}
	}
}

// ackOf is the ACK of a client for what responseTo makes.
func ackOf(t *testing.T, invite []byte, code int, tag string) []byte {
	return AppendAck(nil, parse(t, invite), parse(t, responseTo(t, invite, code, tag)))
}

// TestMatchAck: RFC 3261 §17.2.3 and RFC 6026 §6.
func TestMatchAck(t *testing.T) {
	invite := requestText("INVITE", "z9hG4bK74bf9")
	old := edit(requestText("INVITE", "X"), ";branch=X", "")
	within := edit(old, "<sip:bob@biloxi.example.com>", "<sip:bob@biloxi.example.com>;tag=ours")
	for _, row := range []struct {
		name   string
		invite []byte
		code   int
		ack    []byte
		want   string
		state  State
	}{
		{"to a refusal", invite, 486, ackOf(t, invite, 486, "ours"), "", Terminated},
		{"whatever its tag, if it has a branch", invite, 486, ackOf(t, invite, 486, "other"), "", Terminated},
		{"of another branch", invite, 486, ackOf(t, requestText("INVITE", "z9hG4bKother"), 486, "ours"), "request ACK", Completed},
		{"to a 2xx with the INVITE's branch", invite, 200, ackOf(t, invite, 200, "ours"), "ack", Accepted},
		{"to a 2xx with its own branch", invite, 200, ackOf(t, requestText("INVITE", "z9hG4bKother"), 200, "ours"), "request ACK", Accepted},
		{"of an old client to a refusal", old, 486, ackOf(t, old, 486, "ours"), "", Confirmed},
		{"of an old client to a response of another", old, 486, ackOf(t, old, 486, "other"), "request ACK", Completed},
		{"of an old client with another CSeq", old, 486, edit(ackOf(t, old, 486, "ours"), "17 ACK", "18 ACK"), "request ACK", Completed},
		{"of an old client to a 2xx", old, 200, ackOf(t, old, 200, "ours"), "ack", Accepted},
		{"of an old client to another 2xx", old, 200, ackOf(t, old, 200, "fork"), "ack", Accepted},
		{"of an old client within a dialog", within, 486, ackOf(t, within, 486, ""), "", Confirmed},
		{"of an old client within a dialog to a 2xx", within, 200, ackOf(t, within, 200, ""), "ack", Accepted},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.receive(row.invite)
			if err := w.answer(row.invite, row.code); err != nil {
				t.Fatal(err)
			}
			w.events = nil
			w.receive(row.ack)
			switch {
			case row.want != "":
				w.want(row.want)
			case row.state == Terminated:
				w.want("terminated")
				w.receive(row.ack) // which the record absorbs, as it does the INVITE
				w.receive(row.invite)
				w.want()
			default:
				w.want()
			}
			if s := w.layer.State(w.ids[0]); s != row.state {
				t.Errorf("state %v, wanted %v", s, row.state)
			}
		})
	}
	t.Run("without an INVITE makes nothing", func(t *testing.T) { // TX-036
		w := newWorld(t, Config{})
		w.receive(ackOf(t, invite, 486, "ours"))
		w.want("request ACK")
		if _, err := w.layer.NewServer(w.now, parseRequest(t, ackOf(t, invite, 486, "ours")), udp, remote, nil); err != ErrMessage {
			t.Error(err)
		}
	})
}

// TestMatchCancel: RFC 3261 §9.2 (TX-036, TX-041).
func TestMatchCancel(t *testing.T) {
	cancelOf := func(b []byte) []byte { return AppendCancel(nil, parse(t, b)) }
	for _, method := range []string{"INVITE", "MESSAGE", "REGISTER"} {
		for name, request := range map[string][]byte{
			"with a branch":    requestText(method, "z9hG4bK74bf9"),
			"of an old client": edit(requestText(method, "X"), ";branch=X", ""),
		} {
			t.Run(method+" "+name, func(t *testing.T) {
				w := newWorld(t, Config{})
				w.receive(request)
				w.receive(cancelOf(request))
				w.want("request "+method, "cancel", "request CANCEL")
				if w.meant != w.ids[0] || w.owner != any(w) {
					t.Error("the CANCEL means another transaction")
				}
				// It is a transaction of its own.
				w.receive(cancelOf(request))
				w.want()
				if err := w.answer(cancelOf(request), 200); err != nil {
					t.Error(err)
				}
				w.receive(cancelOf(request))
				w.want("send 200", "terminated", "send 200")
			})
		}
	}
	t.Run("of nothing", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.receive(requestText("INVITE", "z9hG4bK74bf9"))
		w.receive(cancelOf(requestText("INVITE", "z9hG4bKother")))
		w.want("request INVITE", "request CANCEL")
	})
	t.Run("of a CANCEL", func(t *testing.T) {
		w := newWorld(t, Config{})
		cancel := cancelOf(requestText("INVITE", "z9hG4bK74bf9"))
		w.receive(cancel)
		w.want("request CANCEL")
	})
}

// TestMatchResponse: RFC 3261 §17.1.3 and RFC 6026 §8.9 (TX-015, TX-035).
func TestMatchResponse(t *testing.T) {
	invite := requestText("INVITE", "z9hG4bK74bf9")
	response := responseTo(t, invite, 180, "x")
	for _, row := range []struct {
		name     string
		response []byte
		same     bool
	}{
		{"the same branch and method", response, true},
		{"the branch in another case", edit(response, "z9hG4bK74bf9", "z9hG4bK74BF9"), true},
		{"another branch", edit(response, "z9hG4bK74bf9", "z9hG4bK74bf8"), false},
		{"another method", edit(response, "17 INVITE", "17 CANCEL"), false},
		{"the branch in a Via below", edit(response, "branch=z9hG4bK74bf9", "branch=z9hG4bKother", "z9hG4bKphone", "z9hG4bK74bf9"), false},
		{"no branch", edit(response, "branch=z9hG4bK74bf9", "received=192.0.2.1"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			if _, err := w.layer.NewClient(w.now, invite, udp, remote, nil); err != nil {
				t.Fatal(err)
			}
			w.events = nil
			w.receive(row.response)
			if row.same {
				w.want("tell 180")
			} else {
				w.want()
			}
			if strays := w.layer.Stats().Strays; (strays == 0) != row.same {
				t.Errorf("%d strays", strays)
			}
		})
	}
	t.Run("the 200 of a CANCEL does not end the INVITE", func(t *testing.T) {
		w := newWorld(t, Config{})
		id, _ := w.layer.NewClient(w.now, invite, udp, remote, nil)
		w.receive(response)
		if err := w.layer.Cancel(w.now, id); err != nil {
			t.Error(err)
		}
		w.receive(responseTo(t, AppendCancel(nil, parse(t, invite)), 200, "x"))
		w.want("send INVITE", "tell 180", "send CANCEL")
		if s := w.layer.State(id); s != Proceeding {
			t.Error(s)
		}
		// Nobody hears of the CANCEL's transaction, and it ends.
		w.pass(6e9)
		w.want()
		if n := w.layer.Stats().Clients; n != 1 {
			t.Errorf("%d client transactions", n)
		}
	})
}
