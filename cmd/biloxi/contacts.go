package main

import (
	"context"

	"biloxi/client"
)

// contactsCmd is biloxi contacts: RFC 3665 §2.3.
type contactsCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record: sip:bob@biloxi.example.com."`
	clientFlags
}

func (*contactsCmd) Help() string {
	return `Examples:
  biloxi contacts sip:bob@biloxi.example.com --server sip:127.0.0.1:5060 --password-file bob.password
  biloxi contacts sip:bob@biloxi.example.com --server sips:127.0.0.1:5061 --ca ca.pem \
    --password-file - --json`
}

func (cmd *contactsCmd) Run(c *console) error {
	aor := withScheme(cmd.AOR)
	k, err := cmd.begin(c, aor, aor)
	if err != nil {
		return err
	}
	return k.do(func(ctx context.Context, cl *client.Client) (client.Result, error) {
		return cl.Query(ctx)
	}, k.showContacts)
}
