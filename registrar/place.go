package registrar

import "biloxi/location"

// Place is what the host of a contact is to the element that the registrar is part of.
type Place uint8

// The places.
const (
	Elsewhere Place = iota // a host like any other
	Own                    // that element: what comes for the contact is its own affair
	Barred                 // where no contact may lead
)

// checkPlaces refuses contacts that lead where none may, and if the policy wants it those that lead elsewhere than they
// come from: nobody knows whether who is there wants what will be sent to them. A contact that is to be removed may be
// anywhere.
func (reg *Registration) checkPlaces() *refusal {
	r := reg.registrar
	for i := range reg.contacts {
		c := &reg.contacts[i]
		if c.granted == 0 || !c.uri.IsSIP() {
			continue
		}
		b := location.Binding{RegID: c.regID, Flow: reg.flow, Path: reg.path}
		u, elsewhere := b.Place(c.uri)
		if !elsewhere {
			continue
		}
		place := Elsewhere
		if r.place != nil {
			place = r.place(u, reg.flow.Remote.Addr().Unmap())
		}
		switch {
		case place == Barred:
			return barredContact
		case place == Elsewhere && r.atSource:
			return contactElsewhere
		}
	}
	return nil
}
