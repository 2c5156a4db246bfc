package conformance

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// headerRow is a row of docs/headers.md.
type headerRow struct {
	name                       string
	values                     []string
	added                      bool // beside the usual one
	proxy, registrar, redirect string
}

// headerRows reads the table of docs/headers.md.
func headerRows(t *testing.T) (rows []headerRow) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/headers.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "-") || strings.Contains(cells[1], "header field") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		row := headerRow{name: cells[1], added: strings.HasPrefix(cells[2], "+"), proxy: cells[3], registrar: cells[4], redirect: cells[5]}
		for i, text := range strings.Split(cells[2], "`") {
			if i%2 == 1 {
				row.values = append(row.values, unescape(t, text))
			}
		}
		if row.values == nil {
			row.values = []string{""}
		}
		rows = append(rows, row)
	}
	if len(rows) < 60 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

// unescape reads a value, in which only control characters and bytes that are no UTF-8 are escaped.
func unescape(t *testing.T, text string) string {
	t.Helper()
	if !strings.Contains(text, `\`) {
		return text
	}
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// lines are the header field lines of a row in a request of a method, by a sender, with a URI where one belongs.
func (row headerRow) lines(method, sentBy, uri string) (list []string) {
	r := strings.NewReplacer("SENT-BY", sentBy, "BRANCH", sip.MagicCookie+Token(), "METHOD", method, "URI", uri)
	for _, v := range row.values {
		list = append(list, row.name+": "+r.Replace(v))
	}
	return list
}

// edits put lines into a request.
func (row headerRow) edits(lines []string) []Edit {
	if row.added {
		return []Edit{Line(lines...)}
	}
	return []Edit{Replace(row.name, "ROW"), Rewrite(row.name+": ROW", strings.Join(lines, "\r\n"))}
}

// uri is the one that belongs into the header field of a row: the sender's own, or that of whom he asks for.
func (row headerRow) uri(own, asked, contact string) string {
	switch row.name {
	case "To":
		return asked
	case "Contact", "Route", "Path":
		return contact
	}
	return own
}

// TestHeaderFields: docs/headers.md says what is so.
func TestHeaderFields(t *testing.T) {
	rows := headerRows(t)
	t.Run("P6 what a proxy does not need it does not judge", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.String(), onStage(func(s *stage) { row.proxied(s) }))
		}
	})
	t.Run("P6 what a registrar does not need it does not judge", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.String(), onStage(func(s *stage) { row.registered(s) }))
		}
	})
	t.Run("P6 what a redirect server does not need it does not judge", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.String(), onStage(func(s *stage) { row.redirected(s) }, redirecting))
		}
	})
}

func (row headerRow) String() string { return fmt.Sprintf("%s: %q", row.name, row.values) }

// invite calls bob with the row's lines.
func (row headerRow) invite(s *stage) (invite *Sent, lines []string) {
	s.t.Helper()
	lines = row.lines("INVITE", s.alice.Addr(udp).String(), row.uri(s.alice.AOR(), bobAOR, s.alice.ContactURI(udp)))
	return s.alice.Invite(bobAOR, row.edits(lines)...), lines
}

func (row headerRow) proxied(s *stage) {
	bob := s.phone()
	_, lines := row.invite(s)
	switch row.proxy {
	case "passes", "changed":
		offer := bob.Expect("INVITE")
		want := strings.Join(lines, "\r\n") + "\r\n"
		if got := strings.Contains(offer.Raw, "\r\n"+want); got != (row.proxy == "passes") {
			offer.Fatalf("%q passes: %v", want, got)
		}
		bob.Reply(offer, 486)
		s.alice.Expect("486 INVITE")
	case "dropped":
		silent(time.Second, s.alice, bob)
	default:
		row.refused(s, row.proxy)
		silent(0, bob)
	}
}

func (row headerRow) redirected(s *stage) {
	s.phone()
	row.invite(s)
	if row.redirect == "dropped" {
		silent(time.Second, s.alice)
		return
	}
	row.refused(s, row.redirect)
}

// refused sees that alice gets the status, whatever else is in the answer.
func (row headerRow) refused(s *stage, status string) {
	s.t.Helper()
	if answer := s.alice.Next(5 * time.Second); strconv.Itoa(answer.Status()) != status {
		answer.Fatalf("not %s", status)
	}
}

func (row headerRow) registered(s *stage) {
	p := newPhone(s.t, s.Bed)
	contact := "sip:" + p.User + "@" + p.Conn.Local().String()
	p.Challenged()
	lines := row.lines("REGISTER", p.Conn.Local().String(), row.uri(p.AOR(), p.AOR(), contact))
	p.Start(append([]Edit{p.Credentials(Credentials{}), Contact("<" + contact + ">")}, row.edits(lines)...)...)
	if row.registrar == "dropped" {
		p.Silence(time.Second)
		return
	}
	answer := p.Receive()
	if code, _ := strconv.Atoi(row.registrar); answer.Status() != code {
		answer.Fatalf("not %d", code)
	}
	if answer.Status() == 200 {
		wellFormed(s.t, answer)
	}
}

// wellFormed sees that what the server wrote itself is in the grammar of RFC 3261 §25.1, whatever the phone wrote.
func wellFormed(t *testing.T, answer *Response) {
	t.Helper()
	tags := 0
	for i := range answer.Len() {
		h, _, value := answer.Field(i)
		switch h {
		case sip.HeaderTo:
			to, err := sip.ParseNameAddr(value)
			if tags = len(to.Tag()); err != nil || bytes.Count(value, []byte("tag=")) != 1 {
				t.Errorf("To: %s, %v", value, err)
			}
		case sip.HeaderContact:
			n, err := sip.ParseNameAddr(value)
			if clean := string(n.AppendClean(nil)); err != nil || clean != string(value) {
				t.Errorf("Contact: %s is to be %s, %v", value, clean, err)
			}
		}
	}
	if tags == 0 {
		t.Errorf("no To tag in\n%s", answer.Raw)
	}
}
