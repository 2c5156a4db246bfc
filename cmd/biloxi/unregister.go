package main

import (
	"context"

	"biloxi/client"
)

// unregisterCmd is biloxi unregister: RFC 3665 §2.4.
type unregisterCmd struct {
	AOR     string   `arg:"" name:"aor" help:"Address of record: sip:bob@biloxi.example.com."`
	Contact []string `xor:"which" required:"" sep:"none" placeholder:"URI" help:"Contact to remove. May be given again."`
	All     bool     `xor:"which" required:"" help:"Remove all contacts, whoever registered them."`
	clientFlags
}

func (*unregisterCmd) Help() string {
	return `Examples:
  biloxi unregister sip:bob@biloxi.example.com --contact sip:bob@192.0.2.4 \
    --server sip:127.0.0.1:5060 --password-file bob.password
  biloxi unregister sip:bob@biloxi.example.com --all \
    --server sips:127.0.0.1:5061 --ca ca.pem --password-file bob.password`
}

func (cmd *unregisterCmd) Run(c *console) error {
	contacts, err := parseContacts(cmd.Contact)
	if err != nil {
		return err
	}
	aor := withScheme(cmd.AOR)
	k, err := cmd.begin(c, aor, aor)
	if err != nil {
		return err
	}
	return k.do(func(ctx context.Context, cl *client.Client) (client.Result, error) {
		return cl.Unregister(ctx, contacts...)
	}, k.showContacts)
}
