package registrar

import (
	"bytes"

	"biloxi/sip"
)

// Option tags that a registrar processes. gruu (RFC 5627) is not among them.
var (
	optionPath     = []byte("path")     // RFC 3327
	optionOutbound = []byte("outbound") // RFC 5626
)

func supported(option []byte) bool {
	return bytes.EqualFold(option, optionPath) || bytes.EqualFold(option, optionOutbound)
}

// RFC 3261 §10.3 step 2, §8.2.2.3: an option in Require that is not supported is 420.
func checkRequire(req *sip.Request) *refusal {
	if !req.Has(sip.HeaderRequire) {
		return nil
	}
	tokens := req.Tokens(sip.HeaderRequire)
	for option := tokens.Next(); option != nil; option = tokens.Next() {
		if !supported(option) {
			return badExtension
		}
	}
	return nil
}

// RFC 3261 §8.2.2.3: the 420 lists in Unsupported the options that are not understood, and no others.
func appendUnsupported(dst []byte, req *sip.Request) []byte {
	dst = append(dst, "Unsupported: "...)
	tokens := req.Tokens(sip.HeaderRequire)
	first := true
	for option := tokens.Next(); option != nil; option = tokens.Next() {
		if supported(option) {
			continue
		}
		if !first {
			dst = append(dst, ", "...)
		}
		dst, first = appendUnfolded(dst, option), false
	}
	return append(dst, "\r\n"...)
}
