package main

import (
	"context"
	"strings"

	"biloxi/client"
	"biloxi/sip"
)

// optionsCmd is biloxi options.
type optionsCmd struct {
	URI  string `arg:"" name:"uri" help:"Whom to ask: sip:biloxi.example.com, or sip:bob@biloxi.example.com."`
	From string `placeholder:"AOR" help:"Address of record of the one who asks. Default: nobody."`
	clientFlags
}

func (*optionsCmd) Help() string {
	return `Examples:
  biloxi options sip:127.0.0.1:5060
  biloxi options sip:bob@biloxi.example.com --server sips:127.0.0.1:5061 --ca ca.pem --trace`
}

func (cmd *optionsCmd) Run(c *console) error {
	uri, from := withScheme(cmd.URI), ""
	if _, err := sip.ParseURI([]byte(uri)); err != nil {
		return usagef("%q is no URI: write sip:%s", cmd.URI, cmd.URI)
	}
	if cmd.From != "" {
		from = withScheme(cmd.From)
	}
	k, err := cmd.begin(c, from, uri)
	if err != nil {
		return err
	}
	return k.do(func(ctx context.Context, cl *client.Client) (client.Result, error) {
		return cl.Options(ctx, uri)
	}, k.showOptions)
}

func (k *call) showOptions(res *client.Result) {
	k.console.printf("%d %s from %s\n", res.Status, printable(res.Reason), res.Remote)
	for _, line := range []struct{ name, value string }{
		{"Server", res.Server},
		{"Allow", strings.Join(res.Allow, ", ")},
		{"Supported", strings.Join(res.Supported, ", ")},
		{"Accept", res.Accept},
	} {
		if line.value != "" {
			k.console.printf("%-11s%s\n", line.name+":", printable(line.value))
		}
	}
}
