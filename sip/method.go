package sip

// Method is the method of a request. It is case-sensitive (RFC 3261 §7.1).
type Method string

// The methods in the IANA registry.
const (
	Invite    Method = "INVITE"    // RFC 3261 §13
	Ack       Method = "ACK"       // RFC 3261 §13
	Bye       Method = "BYE"       // RFC 3261 §15
	Cancel    Method = "CANCEL"    // RFC 3261 §9
	Register  Method = "REGISTER"  // RFC 3261 §10
	Options   Method = "OPTIONS"   // RFC 3261 §11
	Prack     Method = "PRACK"     // RFC 3262
	Update    Method = "UPDATE"    // RFC 3311
	Info      Method = "INFO"      // RFC 6086
	MESSAGE   Method = "MESSAGE"   // RFC 3428; in capitals, since Message is the type
	Subscribe Method = "SUBSCRIBE" // RFC 6665
	Notify    Method = "NOTIFY"    // RFC 6665
	Refer     Method = "REFER"     // RFC 3515
	Publish   Method = "PUBLISH"   // RFC 3903
)

// methodOf returns the method that b names, without allocation for the ones of the registry.
func methodOf(b []byte) Method {
	switch string(b) {
	case "INVITE":
		return Invite
	case "ACK":
		return Ack
	case "BYE":
		return Bye
	case "CANCEL":
		return Cancel
	case "REGISTER":
		return Register
	case "OPTIONS":
		return Options
	case "PRACK":
		return Prack
	case "UPDATE":
		return Update
	case "INFO":
		return Info
	case "MESSAGE":
		return MESSAGE
	case "SUBSCRIBE":
		return Subscribe
	case "NOTIFY":
		return Notify
	case "REFER":
		return Refer
	case "PUBLISH":
		return Publish
	}
	return Method(b)
}

// Known reports whether the method is in the IANA registry.
func (m Method) Known() bool {
	switch m {
	case Invite, Ack, Bye, Cancel, Register, Options, Prack, Update, Info, MESSAGE, Subscribe, Notify, Refer, Publish:
		return true
	}
	return false
}
