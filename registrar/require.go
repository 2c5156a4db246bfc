package registrar

import (
	"bytes"

	"biloxi/sip"
)

// Supported lists the option tags that a registrar processes, as a Supported header field does. gruu (RFC
// 5627) is not among them.
const Supported = "path, outbound"

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

// AppendUnsupported appends the options that m requires and a registrar does not process, as a comma list;
// nothing if there are none.
//
// RFC 3261 §8.2.2.3: the 420 lists in Unsupported the options that are not understood, and no others.
func AppendUnsupported(dst []byte, m *sip.Message) []byte {
	start := len(dst)
	tokens := m.Tokens(sip.HeaderRequire)
	for option := tokens.Next(); option != nil; option = tokens.Next() {
		if supported(option) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = sip.AppendUnfolded(dst, option)
	}
	return dst
}
