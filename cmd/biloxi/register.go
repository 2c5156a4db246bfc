package main

import (
	"context"
	"time"

	"biloxi/client"
)

// registerCmd is biloxi register.
type registerCmd struct {
	AOR     string   `arg:"" name:"aor" help:"Address of record: sip:bob@biloxi.example.com."`
	Contact []string `required:"" sep:"none" placeholder:"URI" help:"Where to be reached: a URI, or <URI>;q=0.7;expires=60. May be given again."`
	Expires *seconds `placeholder:"D" help:"For how long: 90s, 1h or seconds. Default: the server chooses."`
	clientFlags
}

func (*registerCmd) Help() string {
	return `Examples:
  biloxi register sip:bob@biloxi.example.com --contact sip:bob@192.0.2.4 \
    --server sip:127.0.0.1:5060 --password-file bob.password
  biloxi register sips:bob@biloxi.example.com --contact sips:bob@192.0.2.4 --expires 1h \
    --server sips:127.0.0.1:5061 --ca ca.pem --password-file - --trace`
}

func (cmd *registerCmd) Run(c *console) error {
	contacts, err := parseContacts(cmd.Contact)
	if err != nil {
		return err
	}
	reg := client.Registration{Contacts: contacts}
	if cmd.Expires != nil {
		if *cmd.Expires == 0 {
			return usagef("--expires 0 removes a contact: biloxi unregister does that")
		}
		reg.Expires, reg.HasExpires = time.Duration(*cmd.Expires), true
	}
	aor := withScheme(cmd.AOR)
	k, err := cmd.begin(c, aor, aor)
	if err != nil {
		return err
	}
	return k.do(func(ctx context.Context, cl *client.Client) (client.Result, error) {
		return cl.Register(ctx, reg)
	}, k.showContacts)
}
