package config

import (
	"fmt"
	"net/netip"
	"strings"

	"biloxi/sip"
)

// parseAdvertise reads the host, or host and port, that others reach a listener by, and returns it in its one
// form; reason says what would be right.
func parseAdvertise(text string) (canonical, reason string) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is6() {
		return "", fmt.Sprintf("advertise %q is an IPv6 address without brackets; write %q", text, "["+ip.String()+"]")
	}
	u, err := sip.ParseURI([]byte("sip:" + text))
	host := canonicalHost(string(u.Host))
	if err != nil || !isHost(host) || u.User != nil || len(u.Params) > 0 || u.Headers != nil || strings.ContainsRune(text, '@') {
		return "", fmt.Sprintf("advertise %q is no host; write a name or an address, with a port or without, such as \"sip.example.com\" or \"192.0.2.1:5060\"", text)
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.IsUnspecified() {
		return "", fmt.Sprintf("advertise %q is an address that nobody can send to; write the name or the address that others reach this listener by", text)
	}
	if u.Port != 0 {
		return fmt.Sprintf("%s:%d", host, u.Port), ""
	}
	return host, ""
}
