package crash

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// binding is as much of a binding as the request that wrote it decides.
type binding struct {
	callID  string
	cseq    uint32
	granted uint32 // seconds; no two requests of a phone ask for the same
}

// bindings are those of an AOR, by contact.
type bindings map[string]binding

// account is what is known of an AOR. Its phone owns it while that runs.
type account struct {
	user  string
	held  bindings // what the last 200 says is there
	asked bindings // what the request under way makes of it, all or nothing; nil: none is under way
}

// reconcile compares what a server has with what it may have, and takes it over. It reports whether a request
// was under way, and took effect.
func (a *account) reconcile(t *testing.T, found bindings) (underWay, took bool) {
	t.Helper()
	underWay = a.asked != nil && !maps.Equal(a.asked, a.held)
	switch {
	case maps.Equal(found, a.held):
	case a.asked != nil && maps.Equal(found, a.asked):
		took = true
	case a.asked != nil:
		t.Errorf("%s has\n%v\nthough it was acknowledged\n%v\nand asked for\n%v", a.user, found, a.held, a.asked)
	default:
		t.Errorf("%s has\n%v\nthough it was acknowledged\n%v", a.user, found, a.held)
	}
	a.held, a.asked = found, nil
	return underWay, took
}

// String lists contacts in order.
func (b bindings) String() string {
	var list strings.Builder
	for _, contact := range slices.Sorted(maps.Keys(b)) {
		fmt.Fprintf(&list, "  %s %+v\n", contact, b[contact])
	}
	if len(b) == 0 {
		return "  nothing\n"
	}
	return list.String()
}

// located is the part of `biloxi location list --json` that is compared.
type located struct {
	AOR      string
	Bindings []struct {
		Contact          string
		CallID           string `json:"call_id"`
		CSeq             uint32
		Expires, Updated time.Time
	}
}

// locations asks the administrator's command what is registered: of the server if one runs, else of the folder.
func (i *installation) locations(t *testing.T) map[string]bindings {
	t.Helper()
	var list []located
	if err := json.Unmarshal(i.run(t, "location", "list", "--json"), &list); err != nil {
		t.Fatal(err)
	}
	all := map[string]bindings{}
	for _, one := range list {
		user, _, _ := strings.Cut(strings.TrimPrefix(one.AOR, "sip:"), "@")
		if all[user] != nil {
			t.Errorf("%s is listed twice", one.AOR)
		}
		all[user] = bindings{}
		for _, b := range one.Bindings {
			if _, twice := all[user][b.Contact]; twice {
				t.Errorf("%s has %s twice", one.AOR, b.Contact)
			}
			all[user][b.Contact] = binding{b.CallID, b.CSeq, uint32(b.Expires.Sub(b.Updated).Seconds())}
		}
	}
	return all
}
