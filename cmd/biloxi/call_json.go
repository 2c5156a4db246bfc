package main

import (
	"strings"

	"biloxi/client"
)

// replyJSON and storyJSON are what call --json writes. Times are in milliseconds.
type replyJSON struct {
	Status int    `json:"status"`
	Reason string `json:"reason"`
	Ms     int64  `json:"ms"` // since the INVITE
	From   string `json:"from"`
	Tag    string `json:"tag,omitempty"`
	Media  string `json:"media,omitempty"`
}

type storyJSON struct {
	Target          string      `json:"target"`
	CallID          string      `json:"call_id"`
	Status          int         `json:"status"` // of the final response; 0 if there was none
	Reason          string      `json:"reason"`
	Error           string      `json:"error,omitempty"`
	Answered        bool        `json:"answered"`
	Cancelled       bool        `json:"cancelled"`
	SetupMs         int64       `json:"setup_ms"`
	TalkedMs        int64       `json:"talked_ms"`
	EndedBy         string      `json:"ended_by,omitempty"` // us, them
	Responses       []replyJSON `json:"responses"`
	Targets         []string    `json:"targets"`
	Routes          []string    `json:"route_set"`
	Contact         string      `json:"contact,omitempty"`
	Media           string      `json:"media,omitempty"`
	Forked          int         `json:"forked"`
	Transport       string      `json:"transport,omitempty"`
	Local           string      `json:"local,omitempty"`
	Remote          string      `json:"remote,omitempty"`
	Requests        int         `json:"requests"`
	Retransmissions uint64      `json:"retransmissions"`
	Ignored         uint64      `json:"ignored"`
}

func storyJSONOf(s *client.Story, err error, again, ignored uint64) storyJSON {
	out := storyJSON{Target: s.Target, CallID: s.CallID, Status: s.Status, Reason: s.Reason, Answered: s.Answered,
		Cancelled: s.Cancelled, SetupMs: s.Setup.Milliseconds(), TalkedMs: s.Talked.Milliseconds(), EndedBy: s.EndedBy,
		Responses: []replyJSON{}, Targets: s.Targets, Routes: s.Routes, Contact: s.Remote, Media: s.Media, Forked: s.Forked,
		Transport: strings.ToLower(s.Transport.String()), Requests: s.Requests, Retransmissions: again, Ignored: ignored}
	if err != nil {
		out.Error = err.Error()
	}
	if s.Local.IsValid() {
		out.Local, out.Remote = s.Local.String(), s.To.String()
	}
	if out.Routes == nil {
		out.Routes = []string{}
	}
	for _, r := range s.Replies {
		out.Responses = append(out.Responses, replyJSON{Status: r.Status, Reason: r.Reason, Ms: r.After.Milliseconds(),
			From: r.From.String(), Tag: r.Tag, Media: r.Media})
	}
	return out
}
