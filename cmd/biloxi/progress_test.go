package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"biloxi/admin"
)

func TestImportProgress(t *testing.T) {
	var out bytes.Buffer
	p := importProgress{out: &out, terminal: true, began: time.Now().Add(-time.Second)}
	p.update(admin.Progress{Imported: 4096})
	p.update(admin.Progress{Imported: 4096, Bad: 1, Problem: "line 9: no\x1b[2Jthing"})
	p.clear()
	text := out.String()
	if !strings.HasPrefix(text, "\r\x1b[K4096 subscribers, ") || !strings.HasSuffix(text, "\r\x1b[Kline 9: no?[2Jthing\n") {
		t.Errorf("on a terminal: %q", text)
	}
	out.Reset()
	p = importProgress{out: &out, began: time.Now()}
	p.update(admin.Progress{Imported: 4096})
	p.clear()
	if out.Len() != 0 {
		t.Errorf("elsewhere: %q", out.String())
	}
}
