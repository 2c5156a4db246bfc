package server

import (
	"strconv"

	"biloxi/sip"
)

// appendReason appends why the search of a call has ended, for the phones that still ring: a final response of another
// (RFC 3326 §3.1). Phones that are told 200 show no missed call.
func appendReason(dst []byte, status int) []byte {
	text := sip.StatusText(status)
	if status/100 == 2 {
		status, text = 200, "Call completed elsewhere"
	}
	dst = append(dst, "Reason: SIP;cause="...)
	dst = strconv.AppendUint(dst, uint64(status), 10)
	if text != "" {
		dst = append(append(append(dst, ";text=\""...), text...), '"')
	}
	return append(dst, "\r\n"...)
}

// appendReasons appends the Reasons of a CANCEL from upstream. RFC 3326 §2: they go on in the CANCELs that are made for
// it. One that there is no room for is left out, as are those after it. White space is one line's, so that what we write
// is well-formed.
func appendReasons(dst []byte, cancel *sip.Message) []byte {
	start := len(dst)
	for i := cancel.Index(sip.HeaderReason); i >= 0; i = cancel.Next(i) {
		_, _, value := cancel.Field(i)
		if len(value) == 0 {
			continue
		}
		if len(dst)-start+len(value) > maxReasons {
			break
		}
		at := len(dst)
		dst = sip.AppendField(dst, sip.HeaderReason, value)
		for j := at; j < len(dst)-len("\r\n"); j++ {
			if dst[j] == '\r' || dst[j] == '\n' {
				dst[j] = ' '
			}
		}
	}
	return dst
}
