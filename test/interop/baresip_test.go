//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// baresip runs a baresip that registers a user over one transport.
func baresip(t *testing.T, r *registrar, transport sip.Transport, user string, seconds int) *process {
	t.Helper()
	return baresipAccount(t, r, user, fmt.Sprintf("outbound=%q;regint=%d", r.route(transport), seconds))
}

// route is the URI by which a phone finds the server without DNS.
func (r *registrar) route(transport sip.Transport) string {
	return fmt.Sprintf("sip:%s;transport=%s", r.addr[transport], strings.ToLower(transport.String()))
}

// baresipAccount runs a baresip with as few modules as a registration takes.
func baresipAccount(t *testing.T, r *registrar, user, params string) *process {
	t.Helper()
	return baresipModules(t, r, user, params, "module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n")
}

// baresipModules runs a baresip with these modules, in the words of its configuration.
func baresipModules(t *testing.T, r *registrar, user, params, modules string) *process {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config"), fmt.Sprintf("sip_listen 127.0.0.1:0\nsip_cafile %s\nsip_verify_server yes\n"+
		"module_path /usr/lib/baresip/modules\n%s", r.ca, modules))
	write(t, filepath.Join(dir, "accounts"), fmt.Sprintf("<sip:%s@%s>;auth_user=%[1]s;auth_pass=%[3]s;%[4]s\n",
		user, bed.Domain, bed.Password(user), params))
	return run(t, dir, []string{"HOME=" + dir}, program(t, "baresip"), "-f", dir, "-s")
}

// TestBaresip registers, refreshes and, when told to end, unregisters.
func TestBaresip(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t)
	transports(t, func(t *testing.T, transport sip.Transport) {
		look := r.look(t, "u0")
		r.count(t, look, 0)
		p := baresip(t, r, transport, "u0", 6)
		b := r.count(t, look, 1)[0]
		if _, ok := b.Param("+sip.instance"); !ok {
			t.Errorf("bound is %+v", b)
		}
		// A refresh: more is left than there would be of the first registration.
		least := int64(6)
		eventually(t, 20*time.Second, "a refresh", func() bool {
			left := look.Query().Expect(200).Binding(b.URI).Expires
			refreshed := left > least
			least = min(least, left)
			return refreshed
		})
		p.signal(syscall.SIGTERM)
		r.count(t, look, 0)
		p.wait(10 * time.Second)
	})
}

// TestBaresipOutbound registers over two flows at once (RFC 5626).
func TestBaresipOutbound(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t)
	look := r.look(t, "u0")
	p := baresipAccount(t, r, "u0", fmt.Sprintf("outbound=%q;outbound2=%q;sipnat=outbound;regint=60", r.route(sip.UDP), r.route(sip.TCP)))
	flows := map[string]bool{}
	for _, b := range r.count(t, look, 2) {
		id, _ := b.Param("reg-id")
		flows[id] = true
	}
	if !flows["1"] || !flows["2"] {
		t.Errorf("the flows are %v", flows)
	}
	p.signal(syscall.SIGTERM)
	r.count(t, look, 0)
	p.wait(10 * time.Second)
}

// TestBaresipAlgorithms: an offer of SHA-256 anywhere keeps baresip out, for which reason the default is
// MD5 alone. When this test fails, baresip has learnt.
func TestBaresipAlgorithms(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t, sip.MD5, sip.SHA256)
	p := baresip(t, r, sip.UDP, "u0", 60)
	eventually(t, 10*time.Second, "baresip gives up", func() bool { return strings.Contains(p.output(), "Function not implemented") })
	r.count(t, r.look(t, "u0"), 0)
}
