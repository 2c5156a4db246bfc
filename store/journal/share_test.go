package journal

import (
	"errors"
	"testing"
)

func TestShare(t *testing.T) {
	dir := t.TempDir()
	release, err := Share(dir)
	if err != nil {
		t.Fatalf("a folder that no server has had: %v", err)
	}
	release()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Share(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("beside a server: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	one, err := Share(dir)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Share(dir)
	if err != nil {
		t.Errorf("a second time: %v", err)
	}
	one()
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("a server opens what is shared: %v", err)
	}
	two()
	if j, err = Open(Config{Dir: dir}); err != nil {
		t.Fatalf("after both have released it: %v", err)
	}
	j.Close()
}
