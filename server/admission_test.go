package server

import (
	"os"
	"strings"
	"testing"
)

// TestAdmissionDocument: the tables of SECURITY.md are those of the code.
func TestAdmissionDocument(t *testing.T) {
	b, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := [evidences]string{"nothing", "a From at anonymous.invalid", "a From of ours", "a trusted address", "a proof"}
	words := map[string]verdict{"passes": pass, "credentials of From's user": askOwner, "credentials of the called domain": askUser,
		"credentials of the first domain": askAny, "403": forbid, "481": noTransaction, "dropped": drop}
	tables := strings.Split(string(b), "| the sender shows | to a user here | to a user of a closed domain | anywhere else |\n|---|---|---|---|\n")
	if len(tables) != 1+int(kinds) {
		t.Fatalf("%d tables, want %d", len(tables)-1, kinds)
	}
	for k := range kinds {
		lines := strings.Split(tables[1+k], "\n")
		for e := range evidences {
			cells := strings.Split(strings.Trim(lines[e], "| "), " | ")
			if len(cells) != 1+int(places) || cells[0] != rows[e] {
				t.Fatalf("table %d: %q is not the row %q", k, lines[e], rows[e])
			}
			for p := range places {
				v, known := words[cells[1+p]]
				if !known || v != admission[k][e][p] {
					t.Errorf("table %d, %s, column %d: the page says %q, the code %d", k, rows[e], p, cells[1+p], admission[k][e][p])
				}
			}
		}
	}
}
