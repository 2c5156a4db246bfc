package sip

import "testing"

func mustURI(t *testing.T, s string) URI {
	t.Helper()
	u, err := ParseURI([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestURIEqual(t *testing.T) {
	t.Run("T6", func(t *testing.T) {
		for _, row := range [][2]string{
			// RFC 3261 §19.1.4
			{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
			{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
			{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
			{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
			{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
			{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
			{"sip:carol@chicago.com", "sip:carol@chicago.com;security=off"},
			// in the spirit of the section
			{"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"},
			{"sip:a@[2001:db8:::192.0.2.1]", "sip:a@[2001:db8::192.0.2.1]"},
			{"SIP:a@h;LR", "sip:a@H;lr"},
			{"sip:a@h:05060", "sip:a@h:5060"},
			{"sip:a%3b@h", "sip:a%3B@h"},
			{"sip:*21%23@h", "sip:*21#@h"},
			{"sip:h;x=%5B", "sip:h;x=["},
			{"sip:a@h;%6Cr;x=%41", "sip:a@h;lr;x=a"},
			{"sip:h?a=1&a=2", "sip:h?a=2&a=1"},
			{"MAILTO:a@b", "mailto:a@b"},
		} {
			a, b := mustURI(t, row[0]), mustURI(t, row[1])
			if !a.Equal(b) || !b.Equal(a) {
				t.Errorf("%s and %s are not equal", row[0], row[1])
			}
		}
		for _, row := range [][2]string{
			// RFC 3261 §19.1.4
			{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
			{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
			{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
			{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
			{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
			{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
			{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
			// in the spirit of the section
			{"sip:a@h", "sips:a@h"},
			{"sip:a@h", "sip:h"},
			{"sip:a@h", "sip:a:@h"},
			{"sip:a:b@h", "sip:a:B@h"},
			{"sip:a%26@h", "sip:a&@h"},
			{"sip:a%2F@h", "sip:a/@h"},
			{"sip:a@h;user=phone", "sip:a@h"},
			{"sip:a@h;ttl=1", "sip:a@h"},
			{"sip:a@h;method=INVITE", "sip:a@h"},
			{"sip:a@h;maddr=192.0.2.1", "sip:a@h"},
			{"sip:a@h;lr", "sip:a@h;lr=on"},
			{"sip:a@h;%75ser=phone", "sip:a@h"},
			{"sip:h?a=1&a=1&b=2", "sip:h?a=1&b=2&b=2"},
			{"sip:h?a=1", "sip:h?a=1&b=2"},
			{"sip:null-%00@h", "sip:null-@h"},
			{"mailto:a@b", "mailto:A@b"},
			{"mailto:a@b", "tel:1"},
		} {
			a, b := mustURI(t, row[0]), mustURI(t, row[1])
			if a.Equal(b) || b.Equal(a) {
				t.Errorf("%s and %s are equal", row[0], row[1])
			}
		}
	})
}

func FuzzURIEqual(f *testing.F) {
	f.Add([]byte("sip:%61lice@atlanta.com;transport=TCP"), []byte("sip:alice@AtLanTa.CoM;Transport=tcp"))
	f.Add([]byte("sip:h?a=1&b=2"), []byte("sip:h?b=2&a=1"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		u, err := ParseURI(a)
		if err != nil {
			return
		}
		v, err := ParseURI(b)
		if err != nil {
			return
		}
		if u.Equal(v) != v.Equal(u) {
			t.Fatalf("%q and %q: equal one way only", a, b)
		}
	})
}
