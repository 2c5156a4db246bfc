package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"biloxi/admin"
	"biloxi/server"
)

// The demonstration: one domain on loopback, of the example in RFC 3665.
const (
	demoDomain = "biloxi.example.com"
	demoConfig = "biloxi.toml" // in the data folder
	demoCA     = "ca.pem"
	demoCAKey  = "ca.key"
	demoCert   = "cert.pem"
	demoKey    = "key.pem"
)

// demoHosts are the names that the demonstration's certificate is for, beside its addresses.
var demoHosts = []string{demoDomain, "ss2.biloxi.example.com", "localhost"}

// demoUsers are its subscribers.
var demoUsers = []string{"alice", "bob"}

const demoText = `# The configuration of biloxi serve --demo, which writes it anew at each start. Copy it to make your own;
# biloxi config reference lists all keys.
data = "."

[[domain]]
name = "biloxi.example.com"
aliases = ["ss2.biloxi.example.com", "localhost", "127.0.0.1"]

[[listen]]
transport = "udp"
address = "127.0.0.1:5060"

[[listen]]
transport = "tcp"
address = "127.0.0.1:5060"

[[listen]]
transport = "tls"
address = "127.0.0.1:5061"

[tls]
certificate = "cert.pem"
key = "key.pem"
`

// prepareDemo makes the demonstration's data folder, if it is not there, with its configuration, a CA and
// a certificate that is good for a while, and returns the configuration's name.
func prepareDemo(data string, now time.Time) (file string, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", err
	}
	if err := ensureCertificate(data, now); err != nil {
		return "", err
	}
	file = filepath.Join(data, demoConfig)
	return file, writeFile(file, []byte(demoText), 0o600)
}

// writeFile writes a file whole or not at all.
func writeFile(name string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func passwordFile(data, user string) string { return filepath.Join(data, user+".password") }

// demoUser is a subscriber of the demonstration, as it is shown.
type demoUser struct {
	Name, Password, File string // Password is empty if the subscriber was there before
}

// ensureUsers makes the subscribers that are not there.
func ensureUsers(data string, a admin.Admin) ([]demoUser, error) {
	ctx := context.Background()
	var users []demoUser
	for _, name := range demoUsers {
		u := demoUser{Name: name, File: passwordFile(data, name)}
		aor := "sip:" + name + "@" + demoDomain
		_, err := a.FindSubscriber(ctx, aor)
		var no *admin.Error
		if errors.As(err, &no) && no.Status == http.StatusNotFound {
			// The file first: a password that nobody knows would be of no use.
			u.Password = rand.Text()
			if err = writeFile(u.File, []byte(u.Password+"\n"), 0o600); err == nil {
				_, err = a.AddSubscriber(ctx, aor, u.Password)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("subscriber %s: %w", name, err)
		}
		users = append(users, u)
	}
	return users, nil
}

// welcome makes the subscribers and says what the demonstration is and what to try.
func welcome(c *console, data string, s *server.Server, a admin.Admin) error {
	users, err := ensureUsers(data, a)
	if err != nil {
		return err
	}
	view := struct {
		Program, Domain, Data, CA, TLS string
		Listeners                      []string
		Users                          []demoUser
	}{
		Program: programName(), Domain: demoDomain, Data: data, CA: filepath.Join(data, demoCA),
		Listeners: s.Status().Listeners, Users: users,
	}
	for _, l := range view.Listeners {
		if address, ok := strings.CutPrefix(l, "tls "); ok && view.TLS == "" {
			view.TLS = address
		}
	}
	return demoWelcome.Execute(c.Out, view)
}

var demoWelcome = template.Must(template.New("welcome").Funcs(template.FuncMap{"quote": shellQuote}).Parse(
	`A demonstration of Biloxi, for the domain {{.Domain}}, on this machine alone.

  listens on    {{range $i, $l := .Listeners}}{{if $i}}, {{end}}{{$l}}{{end}}
  data folder   {{.Data}}   (delete it to begin anew)
  certificate   its CA is {{.CA}}
{{range .Users}}  {{printf "%-13s" .Name}} {{if .Password}}password {{.Password}}   (kept in {{.File}}){{else}}password as before, in {{.File}}{{end}}
{{end}}
Register Bob over TLS, and ask for his contact list, in another terminal:

{{.Program}} register sips:bob@{{.Domain}} --contact sips:bob@client.{{.Domain}} --expires 3600 --server 'sips:{{.TLS}}' --ca {{quote .CA}} --password-file {{quote (index .Users 1).File}}
{{.Program}} contacts sips:bob@{{.Domain}} --server 'sips:{{.TLS}}' --ca {{quote .CA}} --password-file {{quote (index .Users 1).File}}

Add --trace to see the messages. What the server knows: {{.Program}} location list --data {{quote .Data}}

`))

// programName is the program as it was called, so that what is shown can be pasted.
func programName() string {
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		return shellQuote(os.Args[0])
	}
	return "biloxi"
}

// shellQuote quotes a word for a POSIX shell, if it needs it.
func shellQuote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
