package registrar

import "biloxi/sip"

// RFC 3327 §5.3: the Path values of the request, in order, are those of each of its bindings and of the
// 200. Without Supported: path the policy decides.
func (reg *Registration) readPath(req *sip.Request) *refusal {
	first, some := req.Value(sip.HeaderPath)
	if !some || len(first) == 0 && req.Next(req.Index(sip.HeaderPath)) < 0 {
		return nil // none, or one that is empty
	}
	if !reg.registrar.acceptPath && !req.HasToken(sip.HeaderSupported, "path") &&
		!req.HasToken(sip.HeaderRequire, "path") {
		return pathNotSupported
	}
	start := len(reg.scratch)
	values := req.Values(sip.HeaderPath)
	for values.Next() {
		if !values.URI.IsSIP() {
			return pathMalformed
		}
		if len(reg.scratch) == start {
			reg.pathOB = values.URI.Params.Has("ob")
		} else {
			reg.scratch = append(reg.scratch, ", "...)
		}
		reg.pathSIPS = reg.pathSIPS && values.URI.Scheme == sip.SchemeSIPS
		reg.keep(values.AppendClean(nil))
		if len(reg.scratch)-start > maxPath {
			return pathTooLong
		}
	}
	if reg.Err = values.Err(); reg.Err != nil {
		return pathMalformed
	}
	if len(reg.scratch) > start {
		reg.path = reg.scratch[start:len(reg.scratch):len(reg.scratch)]
	}
	return nil
}
