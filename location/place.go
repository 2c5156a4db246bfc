package location

import "biloxi/sip"

// Place is the URI by whose host requests for a contact are sent on, and whether that is another host than it was
// registered from: then nobody knows whether who is there wants them. It is that of the first Path value, if there is
// one (RFC 3327), else the contact's own. What is reached over its flow is where it was registered from.
func (b *Binding) Place(contact sip.URI) (u sip.URI, elsewhere bool) {
	u = contact
	if b.Path != nil {
		first, _, err := sip.NextNameAddr(b.Path)
		if err != nil {
			return u, false
		}
		u = first.URI
	} else if reach := b.Reach(&u); reach == ByFlow || reach == FlowBeforeURI {
		return u, false
	}
	addr, ok := u.HostAddr()
	return u, !ok || addr.Unmap() != b.Flow.Remote.Addr().Unmap()
}
