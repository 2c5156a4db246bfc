package location_test

import (
	"testing"

	"biloxi/location"
	"biloxi/siptest"
)

func TestMemory(t *testing.T) {
	siptest.TestLocationStore(t, func(*testing.T) location.Store { return location.NewMemory() })
}
