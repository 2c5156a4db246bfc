package sip

import "testing"

func TestMethod(t *testing.T) {
	for _, m := range []Method{Invite, Ack, Bye, Cancel, Register, Options, Prack, Update, Info, MESSAGE, Subscribe, Notify, Refer, Publish} {
		if !m.Known() || methodOf([]byte(m)) != m {
			t.Errorf("%s", m)
		}
	}
	for _, s := range []string{"invite", "INVITES", "", "RE%47IST%45R"} {
		if m := methodOf([]byte(s)); m.Known() || string(m) != s {
			t.Errorf("%q is %q", s, m)
		}
	}
}
