package server

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees that a server that was shut down leaves no goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
