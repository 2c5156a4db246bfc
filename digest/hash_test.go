package digest

import (
	"encoding/hex"
	"testing"

	"biloxi/sip"
)

// The examples of the RFCs. Their URIs are of HTTP, so they go to the computation itself.
func TestResponseOfRFCs(t *testing.T) {
	const nonce7616, cnonce7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	const jason = "J\u00e4s\u00f8n Doe"
	tests := []struct {
		name                      string
		algorithm                 sip.Algorithm
		username, realm, password string
		method                    sip.Method
		uri, nonce, nc, cnonce    string
		qop                       string
		want                      string
	}{
		{"RFC 2617 §3.5", sip.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html",
			"dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "auth", "6629fae49393a05397450978507c4ef1"},
		{"RFC 7616 §3.9.1 MD5", sip.MD5, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
			nonce7616, "00000001", cnonce7616, "auth", "8ca523f5e9506fed4657c9700eebdbec"},
		{"RFC 7616 §3.9.1 SHA-256", sip.SHA256, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
			nonce7616, "00000001", cnonce7616, "auth", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		// The RFC prints what a SHA-512 cut to 256 bits gives; this is what SHA-512/256 gives.
		{"RFC 7616 §3.9.2", sip.SHA512_256, jason, "api@example.org", "Secret, or not?", "GET", "/doe.json",
			"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "00000001", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "auth",
			"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
		// The RFC prints another response, which nobody gets.
		{"RFC 2069 §2.4", sip.MD5, "Mufasa", "testrealm@host.com", "CircleOfLife", "GET", "/dir/index.html",
			"dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", "", "1949323746fe6a43ef61f9606e7febea"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := borrow()
			defer s.release()
			HA1(tt.algorithm, []byte(tt.username), []byte(tt.realm), []byte(tt.password), &s.ha1)
			in := answer{algorithm: tt.algorithm, method: tt.method, uri: []byte(tt.uri), nonce: []byte(tt.nonce), nc: []byte(tt.nc), cnonce: []byte(tt.cnonce)}
			if tt.qop != "" {
				in.qop = []byte(tt.qop)
			}
			got := s.response(&in)
			if h := hex.EncodeToString(got[:tt.algorithm.Size()]); h != tt.want {
				t.Errorf("response %s, want %s", h, tt.want)
			}
		})
	}
}

func TestHashesOfEmptyBody(t *testing.T) {
	tests := map[string]struct {
		a    sip.Algorithm
		want string
	}{
		"DG-023": {sip.MD5, "d41d8cd98f00b204e9800998ecf8427e"},                                        // RFC 3261 §22.4 item 7
		"DG-019": {sip.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},     // RFC 8760 §2.6 item 7
		"512":    {sip.SHA512_256, "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"}, // FIPS 180-4
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(appendSum(nil, tt.a, nil)); got != tt.want {
				t.Errorf("H(empty) = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestHA1(t *testing.T) {
	ha1 := [32]byte{31: 9}
	HA1(sip.MD5, []byte("Mufasa"), []byte("testrealm@host.com"), []byte("Circle Of Life"), &ha1)
	if got := hex.EncodeToString(ha1[:16]); got != "939e7578ed9e3c518a452acee763bce9" {
		t.Errorf("HA1 = %s", got)
	}
	if ha1[31] != 9 {
		t.Error("HA1 of MD5 wrote more than 16 bytes")
	}
	before := ha1
	HA1(sip.NoAlgorithm, []byte("a"), []byte("b"), []byte("c"), &ha1)
	if ha1 != before {
		t.Error("HA1 of no algorithm changed its argument")
	}
	var escaped, raw [32]byte
	HA1(sip.SHA256, []byte(`b"ob`), []byte("r"), []byte("p"), &escaped)
	raw = sum(sip.SHA256, []byte(`b\"ob:r:p`))
	if escaped != raw {
		t.Error("HA1 does not cover a username as it stands between quotes")
	}
}
