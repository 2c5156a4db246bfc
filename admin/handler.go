package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// NewServer returns an HTTP server that answers for a, to be run on a [Listen]ed socket. Every request
// that asks for a change is logged, and what goes wrong with a connection.
func NewServer(a Admin, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           Handler(a, log),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxBody,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Handler answers for a, in JSON.
func Handler(a Admin, log *slog.Logger) http.Handler {
	h := handler{a, log}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/status", h.answer(h.status))
	mux.Handle("POST /v1/reload", h.answer(h.reload))
	mux.Handle("GET /v1/subscribers", h.answer(h.listSubscribers))
	mux.Handle("POST /v1/subscribers", h.answer(h.addSubscriber))
	mux.HandleFunc("POST /v1/subscribers/import", h.importSubscribers)
	mux.Handle("GET /v1/subscribers/{aor}", h.answer(h.findSubscriber))
	mux.Handle("DELETE /v1/subscribers/{aor}", h.answer(h.removeSubscriber))
	mux.Handle("PUT /v1/subscribers/{aor}/password", h.answer(h.setPassword))
	mux.Handle("GET /v1/locations", h.answer(h.listLocations))
	mux.Handle("GET /v1/locations/{aor}", h.answer(h.findLocation))
	mux.Handle("DELETE /v1/locations/{aor}", h.answer(h.removeLocation))
	mux.Handle("GET /v1/defence", h.answer(h.listDefence))
	mux.Handle("PUT /v1/defence/{action}/{source}", h.answer(h.setDefenceRule))
	mux.Handle("DELETE /v1/defence", h.answer(h.forgetDefence))
	mux.Handle("DELETE /v1/defence/{what}", h.answer(h.forgetDefence))
	return mux
}

type handler struct {
	admin Admin
	log   *slog.Logger
}

// note logs a request that asked for a change. No password is in it: those are in bodies.
func (h handler) note(r *http.Request, err error) {
	if r.Method == http.MethodGet {
		return
	}
	what := []any{"request", r.Method + " " + r.URL.Path}
	if contact := r.URL.Query().Get("contact"); contact != "" {
		what = append(what, "contact", contact)
	}
	if err != nil {
		what = append(what, "refused", err.Error())
	}
	h.log.Info("administration", what...)
}

// Bodies of requests, and of answers that are no type of [Admin].
type (
	credentials struct {
		AOR      string `json:"aor,omitempty"`
		Password string `json:"password"`
	}
	ruling struct {
		Seconds int64 `json:"seconds"` // 0: for good
	}
	removed struct {
		Removed int `json:"removed"`
	}
	failure struct {
		Error  string `json:"error"`
		Status int    `json:"status"`
	}
	// event is one line of the answer to an import.
	event struct {
		Progress *Progress `json:"progress,omitempty"`
		Result   *Progress `json:"result,omitempty"`
		Failure  *failure  `json:"failure,omitempty"`
	}
)

// answer makes a handler of a function that returns what is written as JSON; nil is an empty answer.
func (h handler) answer(do func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(requestTimeout))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		out, err := do(r.WithContext(ctx))
		h.note(r, err)
		if err != nil {
			e := asError(err)
			write(w, e.Status, failure{e.Message, e.Status})
			return
		}
		if out == nil {
			out = struct{}{}
		}
		write(w, http.StatusOK, out)
	})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

// readJSON reads the body of a request.
func readJSON(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return errorf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", large.Limit)
		}
		return errorf(http.StatusBadRequest, "the body is not what is asked for: %v", err)
	}
	return nil
}

func (h handler) status(r *http.Request) (any, error) { return h.admin.Status(r.Context()) }

func (h handler) reload(r *http.Request) (any, error) { return nil, h.admin.Reload(r.Context()) }

func (h handler) addSubscriber(r *http.Request) (any, error) {
	var c credentials
	if err := readJSON(r, &c); err != nil {
		return nil, err
	}
	return h.admin.AddSubscriber(r.Context(), c.AOR, c.Password)
}

func (h handler) setPassword(r *http.Request) (any, error) {
	var c credentials
	if err := readJSON(r, &c); err != nil {
		return nil, err
	}
	return h.admin.SetPassword(r.Context(), r.PathValue("aor"), c.Password)
}

func (h handler) findSubscriber(r *http.Request) (any, error) {
	return h.admin.FindSubscriber(r.Context(), r.PathValue("aor"))
}

func (h handler) removeSubscriber(r *http.Request) (any, error) {
	return nil, h.admin.RemoveSubscriber(r.Context(), r.PathValue("aor"))
}

func (h handler) listSubscribers(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	return h.admin.ListSubscribers(r.Context(), r.URL.Query().Get("after"), limit)
}

func (h handler) findLocation(r *http.Request) (any, error) {
	return h.admin.FindLocation(r.Context(), r.PathValue("aor"))
}

func (h handler) listLocations(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	return h.admin.ListLocations(r.Context(), r.URL.Query().Get("cursor"), limit)
}

func (h handler) removeLocation(r *http.Request) (any, error) {
	n, err := h.admin.RemoveLocation(r.Context(), r.PathValue("aor"), r.URL.Query().Get("contact"))
	return removed{n}, err
}

func (h handler) listDefence(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	return h.admin.ListDefence(r.Context(), limit)
}

func (h handler) setDefenceRule(r *http.Request) (any, error) {
	var in ruling
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if in.Seconds > maxRuling {
		return nil, errorf(http.StatusBadRequest, "a rule lasts for %d seconds at most, or for good", maxRuling)
	}
	return h.admin.SetDefenceRule(r.Context(), r.PathValue("action"), r.PathValue("source"), time.Duration(in.Seconds)*time.Second)
}

func (h handler) forgetDefence(r *http.Request) (any, error) {
	return h.admin.ForgetDefence(r.Context(), r.PathValue("what"))
}

func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxPage {
		return 0, errorf(http.StatusBadRequest, "limit is %q; it is a number from 1 to %d", text, MaxPage)
	}
	return n, nil
}

// importSubscribers reads CSV and answers with one event per line of JSON while it goes on; the last is
// the result or the failure.
func (h handler) importSubscribers(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		write(w, http.StatusInternalServerError, failure{err.Error(), http.StatusInternalServerError})
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	var last time.Time
	result, err := h.admin.Import(r.Context(), &patientReader{r.Body, control}, func(p Progress) {
		now := time.Now()
		if p.Problem == "" && now.Sub(last) < progressInterval {
			return
		}
		out.Encode(event{Progress: &p}) // a client that has gone ends the request's context
		if now.Sub(last) >= progressInterval {
			last = now
			control.Flush()
		}
	})
	h.note(r, err)
	if err != nil {
		e := asError(err)
		out.Encode(event{Failure: &failure{e.Message, e.Status}})
		return
	}
	out.Encode(event{Result: &result})
}

// patientReader gives each read its time, however long the whole takes.
type patientReader struct {
	r       io.Reader
	control *http.ResponseController
}

func (p *patientReader) Read(b []byte) (int, error) {
	p.control.SetReadDeadline(time.Now().Add(importStall))
	return p.r.Read(b)
}
