package sip

import "testing"

func TestURIParams(t *testing.T) {
	u := mustURI(t, "sip:h;Transport=tcp;lr=;maddr=[::1];;ob;ttl=;?x=&y=z")
	if u.Host == nil {
		t.Fatal("no host")
	}
	for name, want := range map[string]string{"transport": "tcp", "maddr": "[::1]"} {
		if v, ok := u.Params.Value(name); !ok || string(v) != want {
			t.Errorf("%s is %q, %v", name, v, ok)
		}
	}
	if u.Params.Has("x") || u.Params.Has("method") || !u.Params.Has("lr") || !u.Params.Has("ob") {
		t.Error("a parameter is there that is not, or the other way round")
	}
	if v, ok := u.Params.Value("ttl"); ok {
		t.Errorf("a parameter that is empty has the value %q", v)
	}
	n := 0
	for name, _, rest := u.Params.Next(); name != nil; name, _, rest = rest.Next() {
		n++
	}
	if n != 5 {
		t.Errorf("%d parameters", n)
	}
}
