package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"biloxi/location"
	"biloxi/sip"
)

// place is the hash of where an end of a dialog is to be reached.
type place [proofPlace]byte

// sender is where requests to who sent this one go: their Contact, by way of the element that Record-Route names last.
func (p *Proxy) sender(in *Received) place {
	contact, ok := onlyContact(in.Message)
	if !ok {
		return place{}
	}
	var next *sip.URI
	records := in.Values(sip.HeaderRecordRoute)
	if records.Next() {
		next = &records.URI
	}
	return p.leadsTo(&contact, next)
}

// answerer is where requests to who sent a response go: their Contact, by way of the element whose Record-Route value
// stands before ours, which has proof in it.
func (p *Proxy) answerer(resp *sip.Message, proof *Proof) place {
	contact, ok := onlyContact(resp)
	if !ok {
		return place{}
	}
	var before sip.URI
	found := false
	records := resp.Values(sip.HeaderRecordRoute)
	for records.Next() {
		if found = bytes.Contains(records.URI.Raw(), proof[:]); found {
			break
		}
		before = records.URI
	}
	if !found || before.Host == nil {
		return p.leadsTo(&contact, nil)
	}
	return p.leadsTo(&contact, &before)
}

// copyPlace is where a copy of a request with the Request-URI to goes, nil for that of in: the callee, if they stay
// there. A Route that it has is not looked at: in the dialog it is others who write one.
func (p *Proxy) copyPlace(in *Received, to []byte) place {
	if to == nil {
		return p.leadsTo(&in.URI, nil)
	}
	u, err := sip.ParseURI(to)
	if err != nil {
		return place{}
	}
	return p.leadsTo(&u, nil)
}

// ahead is where a request within a dialog goes: to its Request-URI, by way of what is left of its Route.
func (p *Proxy) ahead(in *Received) place {
	if in.kept.empty() {
		return p.leadsTo(&in.URI, nil)
	}
	return p.leadsTo(&in.URI, &in.routes[in.kept.first].uri)
}

// leadsInside reports whether a request goes to an address of a private network, and not down a flow.
func (p *Proxy) leadsInside(in *Received) bool {
	u := &in.URI
	if !in.kept.empty() {
		u = &in.routes[in.kept.first].uri
	}
	host := sip.URI{Host: u.Host}
	if maddr, ok := u.Params.Value("maddr"); ok {
		host.Host = maddr
	}
	addr, ok := host.HostAddr()
	if !ok || !location.BehindNAT(addr.Unmap()) {
		return false
	}
	flow, refusal := p.TokenFlow(in)
	return refusal != nil || flow.IsZero()
}

// onlyContact is the Contact of a message that has one.
func onlyContact(m *sip.Message) (sip.URI, bool) {
	list := m.Values(sip.HeaderContact)
	if !list.Next() {
		return sip.URI{}, false
	}
	return list.URI, true
}

// leadsTo is the hash of a remote target and of what stands before it; nil: nothing does.
func (p *Proxy) leadsTo(u, next *sip.URI) (t place) {
	var buf [512]byte
	b := append(append(buf[:0], p.secret[:]...), "target"...)
	b = appendPlace(b, u)
	if next != nil {
		b = appendPlace(b, next)
	}
	sum := sha256.Sum256(b)
	copy(t[:], sum[:])
	return t
}

// appendPlace appends what of a URI says where it leads. Its other parameters do not count, since phones leave some out.
func appendPlace(dst []byte, u *sip.URI) []byte {
	if !u.IsSIP() {
		return append(append(dst, u.Raw()...), 0)
	}
	dst = append(append(dst, u.User...), '@')
	dst = append(sip.AppendLower(dst, u.Host), 0)
	dst = binary.BigEndian.AppendUint16(dst, u.Port)
	dst = append(dst, byte(transportOf(u)))
	if maddr, ok := u.Params.Value("maddr"); ok {
		dst = sip.AppendLower(append(dst, 'm'), maddr)
	}
	return append(dst, 0)
}
