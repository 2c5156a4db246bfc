package conformance

import (
	"fmt"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// silentZone has all names h0 to h(n-1) below a zone get no answer, of any type that is asked.
func (s *stage) silentZone(zone string, n int) {
	var names []string
	for i := range n {
		host := fmt.Sprintf("h%d.%s", i, zone)
		names = append(names, host, "_sip._udp."+host, "_sip._tcp."+host, "_sips._tcp."+host)
	}
	s.dns.Silence(names...)
}

// flooding sends a MESSAGE of a subscriber's to the next of n names below a zone, rate times a second for d.
func (s *stage) flooding(who *Agent, zone string, rate int, d time.Duration) {
	s.t.Helper()
	first := who.Request("MESSAGE", "sip:x@h0."+zone)
	first.Retry(who.Credentials(who.Expect(407)))
	for i := range int(d/time.Second) * rate {
		who.Request("MESSAGE", fmt.Sprintf("sip:x@h%d.%s", i+1, zone), who.Known(bed.Realm))
		time.Sleep(time.Second / time.Duration(rate))
	}
}

// reaches has a subscriber call somebody of another domain, whose server is bob's phone, and fails the test unless that
// hears of it within d.
func reaches(who, there *Agent, uri string, d time.Duration) {
	who.T.Helper()
	began := time.Now()
	invite := who.Invite(uri)
	busy := who.Expect(407)
	invite.Ack(busy)
	invite = invite.Retry(who.Credentials(busy))
	offer := there.Next(time.Minute)
	if offer == nil || !offer.Is("INVITE") {
		for _, r := range who.Drain() {
			who.T.Logf("%s hears\n%s", who.User, r.Raw)
		}
		who.T.Fatalf("%s is not reached", uri)
	}
	if took := time.Since(began); took > d {
		who.T.Errorf("%s is reached after %v", uri, took)
	}
	there.Reply(offer, 486)
	there.Expect("ACK")
	invite.Ack(who.Expect(486))
}

// TestFaultS8: a zone that does not answer, and those who ask for names below it.
func TestFaultS8(t *testing.T) {
	const zone = "dead.example.net"
	records := `
		chicago.example.org. A 192.0.2.150
		www.example.net. A 192.0.2.150
		boston.example.org. NAPTR 10 10 s SIP+D2U _sip._udp.boston.example.org.
		_sip._udp.boston.example.org. SRV 10 5 5060 ss1.boston.example.org.
		ss1.boston.example.org. A 192.0.2.150`
	for _, c := range []struct {
		name string
		rate int
		uri  string
	}{
		{"a name of another domain", 25, "sip:bob@chicago.example.org"},
		{"a domain with NAPTR and SRV", 100, "sip:bob@boston.example.org"},
		{"a name beside the zone", 25, "sip:bob@www.example.net"},
	} {
		t.Run("S8 while names of a silent zone are asked for, "+c.name+" is found at once", onStage(func(s *stage) {
			s.dns.Add(s.t, records)
			s.silentZone(zone, 1500)
			there := s.agent("bob", "192.0.2.150")
			mallory, carol := s.member("u5", "192.0.2.75"), s.member("u9", "192.0.2.79")
			s.flooding(mallory, zone, c.rate, 12*time.Second)
			reaches(carol, there, c.uri, 100*time.Millisecond)
			if st := s.Server.Status().Resolver; st.Questions > 200 {
				s.t.Errorf("%d questions were asked of DNS", st.Questions)
			}
		}))
	}
	t.Run("S8 many silent zones of one subscriber leave room for another", onStage(func(s *stage) {
		s.dns.Add(s.t, records)
		mallory, carol := s.member("u5", "192.0.2.75"), s.member("u9", "192.0.2.79")
		there := s.agent("bob", "192.0.2.150")
		mallory.Request("MESSAGE", "sip:x@h0.z.example").Retry(mallory.Credentials(mallory.Expect(407)))
		for i := range 600 {
			s.silentZone(fmt.Sprintf("z%d.example", i), 1)
			mallory.Request("MESSAGE", fmt.Sprintf("sip:x@h0.z%d.example", i), mallory.Known(bed.Realm))
			time.Sleep(5 * time.Millisecond)
		}
		reaches(carol, there, "sip:bob@chicago.example.org", 100*time.Millisecond)
	}))
	t.Run("S8 what is known is found though all name servers are silent", onStage(func(s *stage) {
		s.dns.Add(s.t, records)
		there := s.agent("bob", "192.0.2.150")
		mallory, carol := s.member("u5", "192.0.2.75"), s.member("u9", "192.0.2.79")
		reaches(carol, there, "sip:bob@boston.example.org", time.Second)
		s.dns.Silence("boston.example.org", "_sip._udp.boston.example.org", "ss1.boston.example.org")
		s.silentZone(zone, 600)
		s.flooding(mallory, zone, 25, 12*time.Second)
		reaches(carol, there, "sip:bob@boston.example.org", 20*time.Millisecond)
	}))
	t.Run("S8 strangers' look-ups leave subscribers their turns", onStage(func(s *stage) {
		s.dns.Add(s.t, records)
		there := s.agent("bob", "192.0.2.150")
		for i := range 100 {
			s.silentZone(fmt.Sprintf("z%d.example", i), 1)
			s.Bind(s.t, fmt.Sprint("u", 20+i), fmt.Sprintf("<sip:x@h0.z%d.example>", i))
		}
		var users []string
		for i := range 100 {
			users = append(users, fmt.Sprint("u", 20+i))
		}
		f := s.flooder(40)
		f.send(4000, "MESSAGE", users, "", 0)
		if n := s.Server.Status().Resolver.Pending; n == 0 {
			s.t.Error("nothing is looked up")
		}
		reaches(s.member("u9", "192.0.2.79"), there, "sip:bob@chicago.example.org", 100*time.Millisecond)
	}))
	t.Run("S8 a zone that answers again is asked again", onStage(func(s *stage) {
		s.silentZone(zone, 600)
		mallory, carol := s.member("u5", "192.0.2.75"), s.member("u9", "192.0.2.79")
		there := s.agent("bob", "192.0.2.150")
		s.flooding(mallory, zone, 25, 20*time.Second)
		s.dns.Heal()
		s.dns.Add(s.t, "h7."+zone+". A 192.0.2.150")
		time.Sleep(15 * time.Second)
		reaches(carol, there, "sip:bob@h7."+zone, 100*time.Millisecond)
	}))
}
