package location

import "biloxi/sip"

// Place is the host that requests for a contact with URI u are sent to, and whether that is somewhere else than it was
// registered from: then nobody knows whether who is there wants them. It is that of the first Path value, if there is
// one (RFC 3327). An address in a private network that is reached by its flow is where it was registered from.
func (b *Binding) Place(u *sip.URI) (host []byte, elsewhere bool) {
	if b.Path != nil {
		first, _, err := sip.NextNameAddr(b.Path)
		if err != nil {
			return nil, false
		}
		u = &first.URI
	} else if reach := b.Reach(u); reach == ByFlow || reach == FlowBeforeURI {
		return u.Host, false
	}
	addr, ok := u.HostAddr()
	return u.Host, !ok || addr.Unmap() != b.Flow.Remote.Addr().Unmap()
}
