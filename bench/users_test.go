package bench

import "testing"

func TestPattern(t *testing.T) {
	users, err := Pattern(2, 9, "user%04d", "%s-%d%%")
	if err != nil {
		t.Fatal(err)
	}
	want := []Subscriber{{"user0009", "user0009-9%"}, {"user0010", "user0010-10%"}}
	for i, u := range users {
		if u != want[i] {
			t.Errorf("%v, want %v", u, want[i])
		}
	}
	for _, bad := range []string{"user", "user%", "user%06", "user%x", "user%3s", "user%99d"} {
		if _, err := Pattern(2, 0, bad, "secret"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if one, err := Pattern(1, 0, "bob smith", "secret"); err != nil || one[0].Name != "bob%20smith" {
		t.Errorf("%v, %v: a name must stand in a URI", one, err)
	}
}
