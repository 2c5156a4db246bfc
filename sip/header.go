package sip

// Header names a header field. HeaderOther is any that this package has no name for; its name is in the
// message.
type Header uint8

// The header fields, each with the RFC that defines it where that is not RFC 3261 §20.
const (
	HeaderNone Header = iota
	HeaderOther
	HeaderAccept
	HeaderAcceptEncoding
	HeaderAcceptLanguage
	HeaderAlertInfo
	HeaderAllow
	HeaderAllowEvents // RFC 6665
	HeaderAuthenticationInfo
	HeaderAuthorization
	HeaderCallID
	HeaderCallInfo
	HeaderContact
	HeaderContentDisposition
	HeaderContentEncoding
	HeaderContentLanguage
	HeaderContentLength
	HeaderContentType
	HeaderCSeq
	HeaderDate
	HeaderErrorInfo
	HeaderEvent // RFC 6665
	HeaderExpires
	HeaderFrom
	HeaderFlowTimer // RFC 5626
	HeaderInReplyTo
	HeaderMaxBreadth // RFC 5393
	HeaderMaxForwards
	HeaderMIMEVersion
	HeaderMinExpires
	HeaderOrganization
	HeaderPath // RFC 3327
	HeaderPriority
	HeaderProxyAuthenticate
	HeaderProxyAuthorization
	HeaderProxyRequire
	HeaderReason // RFC 3326
	HeaderRecordRoute
	HeaderReferTo // RFC 3515
	HeaderReplyTo
	HeaderRequire
	HeaderRetryAfter
	HeaderRoute
	HeaderServer
	HeaderServiceRoute // RFC 3608
	HeaderSubject
	HeaderSubscriptionState // RFC 6665
	HeaderSupported
	HeaderTimestamp
	HeaderTo
	HeaderUnsupported
	HeaderUserAgent
	HeaderVia
	HeaderWarning
	HeaderWWWAuthenticate
	headerCount
)

// headerNames holds the name, and the compact form of §7.3.3 or 0.
var headerNames = [headerCount]struct {
	name    string
	compact byte
}{
	HeaderNone:               {"", 0},
	HeaderOther:              {"(other)", 0},
	HeaderAccept:             {"Accept", 0},
	HeaderAcceptEncoding:     {"Accept-Encoding", 0},
	HeaderAcceptLanguage:     {"Accept-Language", 0},
	HeaderAlertInfo:          {"Alert-Info", 0},
	HeaderAllow:              {"Allow", 0},
	HeaderAllowEvents:        {"Allow-Events", 'u'},
	HeaderAuthenticationInfo: {"Authentication-Info", 0},
	HeaderAuthorization:      {"Authorization", 0},
	HeaderCallID:             {"Call-ID", 'i'},
	HeaderCallInfo:           {"Call-Info", 0},
	HeaderContact:            {"Contact", 'm'},
	HeaderContentDisposition: {"Content-Disposition", 0},
	HeaderContentEncoding:    {"Content-Encoding", 'e'},
	HeaderContentLanguage:    {"Content-Language", 0},
	HeaderContentLength:      {"Content-Length", 'l'},
	HeaderContentType:        {"Content-Type", 'c'},
	HeaderCSeq:               {"CSeq", 0},
	HeaderDate:               {"Date", 0},
	HeaderErrorInfo:          {"Error-Info", 0},
	HeaderEvent:              {"Event", 'o'},
	HeaderExpires:            {"Expires", 0},
	HeaderFrom:               {"From", 'f'},
	HeaderFlowTimer:          {"Flow-Timer", 0},
	HeaderInReplyTo:          {"In-Reply-To", 0},
	HeaderMaxBreadth:         {"Max-Breadth", 0},
	HeaderMaxForwards:        {"Max-Forwards", 0},
	HeaderMIMEVersion:        {"MIME-Version", 0},
	HeaderMinExpires:         {"Min-Expires", 0},
	HeaderOrganization:       {"Organization", 0},
	HeaderPath:               {"Path", 0},
	HeaderPriority:           {"Priority", 0},
	HeaderProxyAuthenticate:  {"Proxy-Authenticate", 0},
	HeaderProxyAuthorization: {"Proxy-Authorization", 0},
	HeaderProxyRequire:       {"Proxy-Require", 0},
	HeaderReason:             {"Reason", 0},
	HeaderRecordRoute:        {"Record-Route", 0},
	HeaderReferTo:            {"Refer-To", 'r'},
	HeaderReplyTo:            {"Reply-To", 0},
	HeaderRequire:            {"Require", 0},
	HeaderRetryAfter:         {"Retry-After", 0},
	HeaderRoute:              {"Route", 0},
	HeaderServer:             {"Server", 0},
	HeaderServiceRoute:       {"Service-Route", 0},
	HeaderSubject:            {"Subject", 's'},
	HeaderSubscriptionState:  {"Subscription-State", 0},
	HeaderSupported:          {"Supported", 'k'},
	HeaderTimestamp:          {"Timestamp", 0},
	HeaderTo:                 {"To", 't'},
	HeaderUnsupported:        {"Unsupported", 0},
	HeaderUserAgent:          {"User-Agent", 0},
	HeaderVia:                {"Via", 'v'},
	HeaderWarning:            {"Warning", 0},
	HeaderWWWAuthenticate:    {"WWW-Authenticate", 0},
}

// String returns the name of the header field in its long form.
func (h Header) String() string {
	if h < headerCount {
		return headerNames[h].name
	}
	return ""
}

var (
	headerCompact [256]Header
	headerHash    [256][]Header // by hash of length, first and last letter
)

func hashName(n int, first, last byte) uint8 {
	return uint8(n)*31 + lower(first)*7 + lower(last)
}

func init() {
	for h := HeaderAccept; h < headerCount; h++ {
		e := headerNames[h]
		k := hashName(len(e.name), e.name[0], e.name[len(e.name)-1])
		headerHash[k] = append(headerHash[k], h)
		if e.compact != 0 {
			headerCompact[e.compact] = h
			headerCompact[e.compact-0x20] = h
		}
	}
}

// HeaderOf returns the header field of that name, long or compact, in either case; HeaderOther if it is
// not one of ours.
func HeaderOf(name []byte) Header {
	n := len(name)
	switch n {
	case 0:
		return HeaderOther
	case 1:
		if h := headerCompact[name[0]]; h != HeaderNone {
			return h
		}
		return HeaderOther
	}
	for _, h := range headerHash[hashName(n, name[0], name[n-1])] {
		long := headerNames[h].name
		if len(long) == n && (string(name) == long || foldEqualString(name, long)) {
			return h
		}
	}
	return HeaderOther
}

func foldEqualString(b []byte, s string) bool {
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

// once holds the header fields that a message may have only one of and that this element reads
// (RFC 3261 §7.3.1, §20: those whose grammar is not a comma list).
var once [headerCount]bool

func init() {
	for _, h := range []Header{HeaderCallID, HeaderCSeq, HeaderFrom, HeaderTo, HeaderMaxForwards,
		HeaderContentLength, HeaderContentType, HeaderExpires, HeaderMinExpires, HeaderDate} {
		once[h] = true
	}
}
