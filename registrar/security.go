package registrar

import "biloxi/sip"

// RFC 5630 §5.2: a sips Contact is bound only if the Request-URI, all SIP Contacts and all Path URIs are
// sips, so that no secured address is bound along with an unsecured one. From and To do not count, and
// neither do Contacts of other schemes: RFC 3665 §2.2 has a mailto beside a sips AOR. To remove a sips
// Contact binds nothing.
func (reg *Registration) checkSecurity(req *sip.Request) *refusal {
	if !reg.bindsSIPS() {
		return nil
	}
	if req.Target.Scheme != sip.SchemeSIPS {
		return sipsTarget
	}
	for i := range reg.contacts {
		if reg.contacts[i].uri.Scheme == sip.SchemeSIP {
			return sipsContact
		}
	}
	if !reg.pathSIPS {
		return sipsPath
	}
	return nil
}

func (reg *Registration) bindsSIPS() bool {
	for i := range reg.contacts {
		if c := &reg.contacts[i]; c.granted > 0 && c.uri.Scheme == sip.SchemeSIPS {
			return true
		}
	}
	return false
}
