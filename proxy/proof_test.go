package proxy

import (
	"testing"

	"biloxi/sip"
)

// TestProof: a request within a dialog shows that the dialog was made through this element, and nothing else does.
func TestProof(t *testing.T) {
	p, other := New(Config{Secret: [32]byte{1}}), New(Config{Secret: [32]byte{2}})
	invite := receivedWith(t, "a", "", "")
	proof := string(p.AppendProof(nil, invite, false))
	for _, c := range []struct {
		name, from, to, proof string
		by                    *Proxy
		want                  bool
	}{
		{"from the caller", "a", "b", proof, p, true},
		{"from the callee", "b", "a", proof, p, true},
		{"another dialog", "c", "b", proof, p, false},
		{"without a To tag", "a", "", proof, p, false},
		{"without a proof", "a", "b", "", p, false},
		{"a forged one", "a", "b", "AAAAAAAAAAAAAAAA", p, false},
		{"too short", "a", "b", proof[:8], p, false},
		{"of another element", "a", "b", proof, other, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := receivedWith(t, c.from, c.to, c.proof)
			if got := c.by.Proves(in); got != c.want {
				t.Fatalf("Proves is %v", got)
			}
			if c.want && string(p.AppendProof(nil, in, true)) != proof {
				t.Error("the dialog has another proof now")
			}
		})
	}
}

type selfNamed string

func (s selfNamed) Is(host []byte, _ uint16) bool { return string(host) == string(s) }

func receivedWith(t *testing.T, from, to, proof string) *Received {
	t.Helper()
	raw := "INVITE sip:bob@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
	if proof != "" {
		raw += "Route: <sip:us.example.com;d=" + proof + ";lr>\r\n"
	}
	raw += "From: <sip:alice@example.com>;tag=" + from + "\r\nTo: <sip:bob@example.com>"
	if to != "" {
		raw += ";tag=" + to
	}
	raw += "\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
	m, req := new(sip.Message), new(sip.Request)
	if err := m.Parse([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	if err := req.Decode(m); err != nil {
		t.Fatal(err)
	}
	in := new(Received)
	if r := in.Preprocess(req, sip.Flow{Transport: sip.UDP}, selfNamed("us.example.com")); r != nil {
		t.Fatal(r.Status)
	}
	if in.Own != (proof != "") {
		t.Fatalf("Own is %v", in.Own)
	}
	return in
}
