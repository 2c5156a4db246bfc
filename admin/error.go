package admin

import (
	"errors"
	"fmt"
	"net/http"

	"biloxi/location"
	"biloxi/subscriber"
)

// Error is an answer that is no: its text is for the administrator, whole.
type Error struct {
	Status  int    // of HTTP: 400 for what was asked, 404, 409, 501, 503; 500 for the rest
	Message string // one line
}

func (e *Error) Error() string { return e.Message }

func errorf(status int, format string, args ...any) *Error {
	return &Error{status, fmt.Sprintf(format, args...)}
}

// asError says err as an Error.
func asError(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, subscriber.ErrNotFound):
		return &Error{http.StatusNotFound, err.Error()}
	case errors.Is(err, subscriber.ErrExists):
		return &Error{http.StatusConflict, err.Error()}
	case errors.Is(err, location.ErrCursor), errors.Is(err, subscriber.ErrCursor), errors.Is(err, subscriber.ErrInvalid):
		return &Error{http.StatusBadRequest, err.Error()}
	case errors.Is(err, location.ErrUnavailable), errors.Is(err, location.ErrOverload):
		return &Error{http.StatusServiceUnavailable, err.Error()}
	}
	return &Error{http.StatusInternalServerError, err.Error()}
}
