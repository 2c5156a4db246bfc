package config

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

const defenceFile = `[defence]
mode = "watch"
tries = 5
window = "1h"
interval = "10s"
refuse_after = 50
refuse = "24h"
answer = "silence"
hide_users = true
exempt = ["10.0.0.0/8", "2001:db8::7"]
`

func TestParseDefence(t *testing.T) {
	cfg, err := Parse("f", []byte(defenceFile), nil)
	want := Defence{Mode: DefenceWatch, Tries: 5, Window: Duration(time.Hour), Interval: Duration(10 * time.Second), RefuseAfter: 50,
		Refuse: Duration(24 * time.Hour), Answer: DefenceSilent, HideUsers: true, Exempt: prefixes(t, "10.0.0.0/8", "2001:db8::7")}
	if err != nil || !reflect.DeepEqual(cfg.Defence, want) {
		t.Errorf("%+v, %v", cfg.Defence, err)
	}
	cfg, err = Parse("f", nil, []string{"BILOXI_DEFENCE_MODE=off", "BILOXI_DEFENCE_EXEMPT=10.0.0.0/8,192.0.2.1", "BILOXI_DEFENCE_TRIES=7"})
	if err != nil || cfg.Defence.Mode != DefenceOff || cfg.Defence.Tries != 7 || len(cfg.Defence.Exempt) != 2 {
		t.Errorf("%+v, %v", cfg.Defence, err)
	}
}

func TestDefenceErrors(t *testing.T) {
	for text, want := range map[string]string{
		`mode = "yes"`:            `f:2:8: mode: "yes" is no mode; it is one of on, watch, off`,
		`tries = 0`:               `f:2:9: tries is 0; it is from 1 to 1000`,
		`tries = 1001`:            `f:2:9: tries is 1001; it is from 1 to 1000`,
		`window = "10s"`:          `f:2:10: window is 10s; it is from 1m to 24h`,
		`window = 10`:             `f:2:10: window is a duration in quotes with its unit, such as "60s", not a number`,
		`interval = "500ms"`:      `f:2:12: interval is 500ms; it is from 1s to 1m`,
		`refuse_after = 20`:       `f:2:16: refuse_after is 20; it is more than tries (20) and at most 1048576`,
		"tries = 200":             `f:2:9: refuse_after is 100; it is more than tries (200) and at most 1048576`,
		`refuse = "0s"`:           `f:2:10: refuse is 0s; it is from 1s to 168h`,
		`answer = "404"`:          `f:2:10: answer: "404" is no answer; it is one of 403, silence`,
		`answer = 403`:            `f:2:10: answer is a text in quotes, not a number`,
		`exempt = ["0.0.0.0/0"]`:  `f:2:11: "0.0.0.0/0" exempts everybody; to count nothing, write mode = "off"`,
		`exempt = ["10.1.2.3/8"]`: `f:2:11: exempt: "10.1.2.3/8" has bits behind its prefix; write "10.0.0.0/8" for the whole network, or "10.1.2.3" for that address alone`,
		`exempts = []`:            `f:2:1: unknown key "exempts" in [defence]; did you mean "exempt"?`,
		`hide_users = "yes"`:      `f:2:14: hide_users is true or false, not a text`,
	} {
		_, err := Parse("f", []byte("[defence]\n"+text+"\n"), nil)
		var errs Errors
		if !errors.As(err, &errs) || err.Error() != want && errs[0].Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}
