package siptest

import (
	"testing"

	"biloxi/location"
)

// TestLocationStore is the conformance suite of location.Store.
func TestLocationStore(t *testing.T, open func(t *testing.T) location.Store) {}
