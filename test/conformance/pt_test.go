package conformance

import (
	"testing"

	"biloxi/config"
	. "biloxi/siptest"
)

const supportsPath = "Supported: path"

// TestPath: the proxies that a registration came through (RFC 3327 §5.3).
func TestPath(t *testing.T) {
	b := start(t)
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	const path = "<sip:p1.example;lr>, <sip:p2.example;lr>"

	t.Run("PT-001", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: <sip:p1.example;lr>,<sip:p2.example;lr>")).Expect(200).Want("Path", path)
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: <sip:p1.example;lr>", "Path: <sip:p2.example;lr>")).Expect(200).Want("Path", path)
	})
	t.Run("PT-004", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: "+path)).Expect(200)
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: <sip:p3.example;lr>")).Expect(200).Want("Path", "<sip:p3.example;lr>")
		p.Register(Contact("<"+one+">"), Line(supportsPath)).Expect(200).Lacks("Path")
	})
	t.Run("PT-007", func(t *testing.T) {
		p := newPhone(t, b)
		const odd = `"P, 1" <sip:p1.example;lr;x=%41>;foo="a,b"`
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: "+odd)).Expect(200).Want("Path", odd)
	})
	t.Run("PT-008", func(t *testing.T) {
		p := newPhone(t, b)
		other := again(t, b, p)
		p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: <sip:p1.example;lr>")).Expect(200).Want("Path", "<sip:p1.example;lr>")
		other.Register(Contact("<"+two+">"), Line(supportsPath, "Path: <sip:p2.example;lr>")).Expect(200).Want("Path", "<sip:p2.example;lr>").Bound(one, two)
		other.Register(Contact("<"+two+">")).Expect(200).Lacks("Path").Bound(one, two)
	})
}

// TestPathPolicy: a Path that the client did not say it supports.
func TestPathPolicy(t *testing.T) {
	const one = "sip:one@192.0.2.1"
	t.Run("PT-002", func(t *testing.T) {
		for policy, status := range map[config.PathPolicy]int{config.PathAccept: 200, config.PathRefuse: 420} {
			b := start(t, func(c *config.Config) { c.Registrar.PathWithoutSupport = policy })
			p := newPhone(t, b)
			r := p.Register(Contact("<"+one+">"), Line("Path: <sip:p1.example;lr>")).Expect(status)
			if status == 420 {
				r.Want("Unsupported", "path")
				p.Bound()
			}
			p.Register(Contact("<"+one+">"), Line(supportsPath, "Path: <sip:p1.example;lr>")).Expect(200)
		}
	})
}

// TestServiceRoute: the way out that a registrar tells its phones (RFC 3608).
func TestServiceRoute(t *testing.T) {
	b := start(t, func(c *config.Config) {
		c.Registrar.ServiceRoute = []string{"sip:orig@p1.example;lr", "sip:p2.example;lr"}
	})
	want := []string{"<sip:orig@p1.example;lr>", "<sip:p2.example;lr>"}
	t.Run("PT-009/PT-010", func(t *testing.T) {
		p := newPhone(t, b)
		for _, r := range []*Response{p.Register(Contact("<sip:one@192.0.2.1>")), p.Query()} {
			got := r.Expect(200).Values("Service-Route")
			if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
				r.Fatalf("Service-Route is %q", got)
			}
		}
		p.Once().Expect(401).Lacks("Service-Route")
	})
}
