package sip

import "testing"

func TestTransport(t *testing.T) {
	for name, want := range map[string]Transport{"UDP": UDP, "udp": UDP, "Tcp": TCP, "TLS": TLS, "WS": WS, "wss": WSS, "": NoTransport, "SCTP": NoTransport, "UD": NoTransport, "UDPX": NoTransport} {
		if got := TransportOf([]byte(name)); got != want {
			t.Errorf("%q is %v, want %v", name, got, want)
		}
	}
	for tr, port := range map[Transport]uint16{UDP: 5060, TCP: 5060, TLS: 5061, WS: 80, WSS: 443, NoTransport: 5060} {
		if tr.DefaultPort() != port || tr.Reliable() != (tr > UDP) || tr.Secure() != (tr == TLS || tr == WSS) {
			t.Errorf("%v", tr)
		}
	}
	if !(Flow{}).IsZero() || (Flow{Transport: UDP}).IsZero() || Transport(9).String() != "" {
		t.Error("the zero values")
	}
}

func TestAlgorithm(t *testing.T) {
	for name, want := range map[string]Algorithm{"MD5": MD5, "md5": MD5, "SHA-256": SHA256, "sha-512-256": SHA512_256, "": NoAlgorithm, "MD5-sess": NoAlgorithm, "SHA-1": NoAlgorithm} {
		if got := AlgorithmOf([]byte(name)); got != want {
			t.Errorf("%q is %v, want %v", name, got, want)
		}
	}
	if MD5.Size() != 16 || SHA256.Size() != 32 || SHA512_256.Size() != 32 || NoAlgorithm.Size() != 0 || SHA512_256.String() != "SHA-512-256" || Algorithm(9).String() != "" {
		t.Error("the sizes")
	}
}
