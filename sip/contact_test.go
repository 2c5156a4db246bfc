package sip

import "testing"

// parsed is a REGISTER with these header lines besides the ones that it must have.
func parsed(t *testing.T, lines string) *Message {
	t.Helper()
	var m Message
	if err := m.Parse(crlf("REGISTER sip:h SIP/2.0\n" + lines + "\n")); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestStar(t *testing.T) {
	t.Run("T3", func(t *testing.T) {
		for lines, want := range map[string]Star{
			"":                                    NoStar,
			"Contact: *\n":                        LoneStar,
			"m:  * \n":                            LoneStar,
			"Contact: <sip:a@h>\n":                NoStar,
			"Contact: <sip:*@h>\n":                NoStar,
			"Contact: *\nContact: <sip:a@h>\n":    MixedStar,
			"Contact: <sip:a@h>\nm: *\n":          MixedStar,
			"Contact: <sip:a@h>;q=1, *\n":         MixedStar,
			"Contact: *, <sip:a@h>\n":             MixedStar,
			"Contact: *,*\n":                      MixedStar,
			"Contact: *\nContact: *\n":            MixedStar,
			"Contact: \"*, *\" <sip:a@h>\n":       NoStar,
			"Contact: \"*\" <sip:a@h>,\n * , x\n": MixedStar,
			"Contact: *;q=1\n":                    NoStar,
		} {
			if got := parsed(t, lines).Star(); got != want {
				t.Errorf("%q: %v, want %v", lines, got, want)
			}
		}
	})
	v := parsed(t, "Contact: *;q=1\n").Values(HeaderContact)
	if v.Next() || v.Err() == nil {
		t.Error("a * with parameters is read as a contact")
	}
}

func TestContactParameters(t *testing.T) {
	for in, want := range map[string]struct {
		q       Q
		qp      Presence
		expires uint32
		ep      Presence
	}{
		"<sip:a@h>":                        {1000, Absent, 0, Absent},
		"<sip:a@h>;q=0.25;expires=0":       {250, Present, 0, Present},
		"<sip:a@h>;Q=2;Expires=soon":       {1000, Malformed, 0, Malformed},
		"<sip:a@h>;q;expires":              {1000, Malformed, 0, Malformed},
		"<sip:a@h>;expires=4294967295":     {1000, Absent, MaxDeltaSeconds, Present},
		"<sip:a@h>;expires=4294967296":     {1000, Absent, MaxDeltaSeconds, Present},
		`<sip:a@h;expires=5>;expires="60"`: {1000, Absent, 0, Malformed},
		"<sip:a@h>;expires=-1;q=0":         {0, Present, 0, Malformed},
	} {
		n, err := ParseNameAddr([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		q, qp := n.Q()
		expires, ep := n.Expires()
		if q != want.q || qp != want.qp || expires != want.expires || ep != want.ep {
			t.Errorf("%s: q %d %v, expires %d %v", in, q, qp, expires, ep)
		}
	}
}
