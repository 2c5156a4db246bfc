package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"biloxi/client"
)

// contactJSON and resultJSON are what --json writes.
type contactJSON struct {
	URI     string `json:"uri"`
	Expires *int64 `json:"expires"` // seconds; null if the server does not say
	Q       string `json:"q,omitempty"`
	Params  string `json:"params,omitempty"`
}

type resultJSON struct {
	Status          int           `json:"status"` // 0 if there was no answer
	Reason          string        `json:"reason"`
	Error           string        `json:"error,omitempty"`
	Contacts        []contactJSON `json:"contacts"`
	Server          string        `json:"server,omitempty"`
	Allow           []string      `json:"allow,omitempty"`
	Supported       []string      `json:"supported,omitempty"`
	Accept          string        `json:"accept,omitempty"`
	RetryAfter      int64         `json:"retry_after,omitempty"` // seconds
	MinExpires      int64         `json:"min_expires,omitempty"` // seconds
	Transport       string        `json:"transport,omitempty"`
	Remote          string        `json:"remote,omitempty"`
	Seen            string        `json:"seen,omitempty"` // our address, as the server saw it
	Requests        int           `json:"requests"`
	Retransmissions int           `json:"retransmissions"`
	Ignored         int           `json:"ignored"`
}

func (k *call) showJSON(res *client.Result, err error) {
	out := resultJSON{Status: res.Status, Reason: res.Reason, Contacts: []contactJSON{}, Server: res.Server, Allow: res.Allow,
		Supported: res.Supported, Accept: res.Accept, RetryAfter: int64(res.RetryAfter / time.Second),
		MinExpires: int64(res.MinExpires / time.Second), Transport: strings.ToLower(res.Transport.String()),
		Requests: res.Requests, Retransmissions: res.Retransmissions, Ignored: res.Ignored}
	if err != nil {
		out.Error = err.Error()
	}
	if res.Remote.IsValid() {
		out.Remote = res.Remote.String()
	}
	if res.Seen.IsValid() {
		out.Seen = res.Seen.String()
	}
	for _, c := range res.Contacts {
		one := contactJSON{URI: c.URI, Params: c.Params}
		if c.HasExpires {
			n := int64(c.Expires / time.Second)
			one.Expires = &n
		}
		if c.HasQ {
			one.Q = string(c.Q.Append(nil))
		}
		out.Contacts = append(out.Contacts, one)
	}
	k.console.printJSON(out)
}

// showContacts writes the bindings as a table.
func (k *call) showContacts(res *client.Result) {
	if len(res.Contacts) == 0 {
		k.console.printf("%s has no contacts.\n", k.address)
		return
	}
	params := false
	for _, c := range res.Contacts {
		params = params || c.Params != ""
	}
	w := tabwriter.NewWriter(k.console.Out, 0, 0, 2, ' ', 0)
	head := "CONTACT\tEXPIRES\tQ"
	if params {
		head += "\tPARAMETERS"
	}
	fmt.Fprintln(w, head)
	for _, c := range res.Contacts {
		expires, q := "-", "-"
		if c.HasExpires {
			expires = strconv.FormatInt(int64(c.Expires/time.Second), 10)
		}
		if c.HasQ {
			q = string(c.Q.Append(nil))
		}
		row := printable(c.URI) + "\t" + expires + "\t" + q
		if params {
			row += "\t" + printable(strings.TrimPrefix(c.Params, ";"))
		}
		fmt.Fprintln(w, row)
	}
	w.Flush()
}

// printable replaces what a terminal could take for a command: what a server sends is not trusted.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
