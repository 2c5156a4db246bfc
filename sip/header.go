package sip

// Header names a header field. HeaderOther is any that this package has no name for; its name is in the
// message.
type Header uint8

// The header fields, each with the RFC that defines it where that is not RFC 3261 §20.
const (
	HeaderNone Header = iota
	HeaderOther
	HeaderAccept
	HeaderAcceptContact // RFC 3841
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
	HeaderFlowTimer // RFC 5626
	HeaderFrom
	HeaderIdentity // RFC 8224
	HeaderInReplyTo
	HeaderMaxBreadth // RFC 5393
	HeaderMaxForwards
	HeaderMIMEVersion
	HeaderMinExpires
	HeaderMinSE // RFC 4028
	HeaderOrganization
	HeaderPAssertedIdentity  // RFC 3325
	HeaderPPreferredIdentity // RFC 3325
	HeaderPath               // RFC 3327
	HeaderPriority
	HeaderPrivacy // RFC 3323
	HeaderProxyAuthenticate
	HeaderProxyAuthorization
	HeaderProxyRequire
	HeaderReason // RFC 3326
	HeaderRecordRoute
	HeaderReferTo       // RFC 3515
	HeaderReferredBy    // RFC 3892
	HeaderRejectContact // RFC 3841
	HeaderRemotePartyID // draft-ietf-sip-privacy-04
	HeaderReplyTo
	HeaderRequestDisposition // RFC 3841
	HeaderRequire
	HeaderRetryAfter
	HeaderRoute
	HeaderServer
	HeaderServiceRoute   // RFC 3608
	HeaderSessionExpires // RFC 4028
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
	HeaderAcceptContact:      {"Accept-Contact", 'a'},
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
	HeaderFlowTimer:          {"Flow-Timer", 0},
	HeaderFrom:               {"From", 'f'},
	HeaderIdentity:           {"Identity", 'y'},
	HeaderInReplyTo:          {"In-Reply-To", 0},
	HeaderMaxBreadth:         {"Max-Breadth", 0},
	HeaderMaxForwards:        {"Max-Forwards", 0},
	HeaderMIMEVersion:        {"MIME-Version", 0},
	HeaderMinExpires:         {"Min-Expires", 0},
	HeaderMinSE:              {"Min-SE", 0},
	HeaderOrganization:       {"Organization", 0},
	HeaderPAssertedIdentity:  {"P-Asserted-Identity", 0},
	HeaderPPreferredIdentity: {"P-Preferred-Identity", 0},
	HeaderPath:               {"Path", 0},
	HeaderPriority:           {"Priority", 0},
	HeaderPrivacy:            {"Privacy", 0},
	HeaderProxyAuthenticate:  {"Proxy-Authenticate", 0},
	HeaderProxyAuthorization: {"Proxy-Authorization", 0},
	HeaderProxyRequire:       {"Proxy-Require", 0},
	HeaderReason:             {"Reason", 0},
	HeaderRecordRoute:        {"Record-Route", 0},
	HeaderReferTo:            {"Refer-To", 'r'},
	HeaderReferredBy:         {"Referred-By", 'b'},
	HeaderRejectContact:      {"Reject-Contact", 'j'},
	HeaderRemotePartyID:      {"Remote-Party-ID", 0},
	HeaderReplyTo:            {"Reply-To", 0},
	HeaderRequestDisposition: {"Request-Disposition", 'd'},
	HeaderRequire:            {"Require", 0},
	HeaderRetryAfter:         {"Retry-After", 0},
	HeaderRoute:              {"Route", 0},
	HeaderServer:             {"Server", 0},
	HeaderServiceRoute:       {"Service-Route", 0},
	HeaderSessionExpires:     {"Session-Expires", 'x'},
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

// headerCompact finds a header field by its compact form.
var headerCompact = makeHeaderCompact()

func makeHeaderCompact() (t [256]Header) {
	for h := HeaderAccept; h < headerCount; h++ {
		if c := headerNames[h].compact; c != 0 {
			t[c], t[c-'a'+'A'] = h, h
		}
	}
	return t
}

// headerHash finds a header field by a hash of its name under which no two of ours meet.
var headerHash = makeHeaderHash()

func makeHeaderHash() (t [512]Header) {
	for h := HeaderAccept; h < headerCount; h++ {
		t[hashName([]byte(headerNames[h].name))] = h
	}
	return t
}

// hashName takes the length and three letters, without their case. The factors were found by trial: a
// test shows that they keep our names apart.
func hashName(name []byte) uint {
	n := len(name)
	return (uint(n)*3 + uint(name[0]|0x20)*50 + uint(name[n/2]|0x20)*21 + uint(name[n-1]|0x20)*53) & 511
}

// HeaderOf returns the header field of that name, long or compact, in either case; HeaderOther if it is
// not one of ours.
func HeaderOf(name []byte) Header {
	switch len(name) {
	case 0:
		return HeaderOther
	case 1:
		if h := headerCompact[name[0]]; h != HeaderNone {
			return h
		}
		return HeaderOther
	}
	h := headerHash[hashName(name)]
	if long := headerNames[h].name; string(name) == long || equalFoldString(name, long) {
		return h
	}
	return HeaderOther
}

// once tells the header fields that a message may have only one of and that everybody reads: two of them would be read
// in two ways (RFC 3261 §7.3.1, RFC 4475 §3.3.8). A Content-Length is seen to where it bounds the body.
var once = [headerCount]bool{
	HeaderCallID: true, HeaderCSeq: true, HeaderFrom: true, HeaderMaxForwards: true, HeaderTo: true,
}
