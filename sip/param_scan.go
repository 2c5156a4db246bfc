package sip

// Reasons that more than one kind of value has.
const (
	reasonMore      = "more than one value"
	reasonDuplicate = "a parameter stands twice"
	reasonTooMany   = "too many parameters"
	reasonNothing   = "nothing behind the comma"
)

// paramScan reads the parameters behind a value, once: it checks them, and finds the one that is wanted.
type paramScan struct {
	want   string // name in lower case, of one whose value is read: tag, branch
	note   string // name in lower case, of one that may have none: rport
	shun   string // name in lower case, of one that makes them odd: received
	angled bool   // a value may stand in angle brackets: there is no URI without brackets before it
	// results
	params Params // from the first semicolon, no white space or lone semicolon behind
	value  []byte // of the wanted one, nil if it is not there or has none
	blank  int    // where that value would stand, 0 if it has one or is not there
	noted  int    // where in params the name of the one to note ends, 0 if it is not there
	odd    bool   // the one to shun is there, or white space
	end    int    // behind the last parameter; where the scan began if there is none
}

// scan reads parameters at i and returns the offset of the comma or end behind them. A reason goes with
// the offset at which they are wrong.
func (p *paramScan) scan(b []byte, i int) (next int, reason string) {
	p.end = i
	i = skipLWS(b, i)
	start := i
	var seen names
	tight := 0 // how long they are without white space
	for i < len(b) && b[i] == ';' {
		name := skipLWS(b, i+1)
		nameEnd := skipName(b, name)
		if nameEnd == name {
			// A semicolon that no parameter follows.
			if i = name; i < len(b) && b[i] != ';' && b[i] != ',' {
				return i, "a parameter has no name"
			}
			tight += len(";")
			continue
		}
		if reason := seen.add(Params(b[start:i]), b[name:nameEnd]); reason != "" {
			return name, reason
		}
		switch n := nameEnd - name; {
		case n == len(p.note) && foldIs(b[name:nameEnd], p.note):
			p.noted = nameEnd - start
		case n == len(p.shun) && foldIs(b[name:nameEnd], p.shun):
			p.odd = true
		}
		tight += len(";") + nameEnd - name
		p.end = nameEnd
		value := nameEnd
		if i = skipLWS(b, nameEnd); i < len(b) && b[i] == '=' {
			value = skipLWS(b, i+1)
			if p.end = skipValue(b, value, p.angled); p.end < 0 {
				return value, "a parameter has no value, or its quoted string no end"
			}
			tight += len("=") + p.end - value
			if p.end == value {
				p.end, value = i+1, i+1 // white space that no value follows is no part of it
			}
			i = skipLWS(b, p.end)
		}
		if nameEnd-name == len(p.want) && foldIs(b[name:nameEnd], p.want) {
			if p.value = b[value:p.end]; len(p.value) == 0 {
				p.value, p.blank = nil, p.end
			}
		}
	}
	if i < len(b) && b[i] != ',' {
		return i, "not a semicolon and parameter"
	}
	if p.end < start {
		p.params = Params(b[start:start])
	} else {
		p.params = Params(b[start:p.end])
	}
	p.odd = p.odd || tight < len(p.params)
	return i, ""
}

// names tells whether a parameter name stood before, without looking back at each name.
type names struct {
	bits  uint64 // of a hash of each name so far
	count int
}

// note counts a name, and reports whether it may have stood before.
func (s *names) note(name []byte) (maybe bool) {
	bit := uint64(1) << ((uint(len(name))*7 + uint(name[0]|0x20) + uint(name[len(name)-1]|0x20)) & 63)
	maybe = s.bits&bit != 0
	s.bits |= bit
	s.count++
	return maybe
}

// add counts the name of the parameter behind those in before; a reason if it is one of them already and somebody
// reads it, or one too many. RFC 3261 §7.3.1: a parameter name stands once.
func (s *names) add(before Params, name []byte) (reason string) {
	if s.note(name) && isRead(name) {
		for n, _, rest := before.Next(); n != nil; n, _, rest = rest.Next() {
			if equalFold(n, name) {
				return reasonDuplicate
			}
		}
	}
	if s.count > MaxParams {
		return reasonTooMany
	}
	return ""
}

// isRead tells the header field parameters that anything here depends on.
func isRead(name []byte) bool {
	for _, read := range [...]string{"tag", "branch", "rport", "received", "maddr", "expires", "q", "+sip.instance", "reg-id"} {
		if foldIs(name, read) {
			return true
		}
	}
	return false
}

// cutRest returns what is behind the comma at end, and any that follow it with nothing between; nil if nothing is.
func cutRest(b []byte, end int) (rest []byte) {
	if end == len(b) {
		return nil
	}
	return skipComma(b, end)
}

func skipComma(b []byte, end int) (rest []byte) {
	for end < len(b) {
		end = skipLWS(b, end+1)
		if end < len(b) && b[end] != ',' {
			return b[end:]
		}
	}
	return nil
}
