package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// notifier tells the service manager how the server does, as sd_notify(3) has it: datagrams to the socket
// that NOTIFY_SOCKET names. The zero notifier tells nobody.
type notifier struct {
	socket string
	every  time.Duration
}

func newNotifier(c *console) notifier {
	n := notifier{socket: c.env("NOTIFY_SOCKET")}
	// WATCHDOG_PID, if given, says whose watchdog it is.
	if pid := c.env("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n
	}
	if us, err := strconv.ParseInt(c.env("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		n.every = time.Duration(us) * time.Microsecond / 2
	}
	return n
}

// watchdog is how often WATCHDOG=1 is to be sent: twice as often as is asked; 0 for never.
func (n notifier) watchdog() time.Duration { return n.every }

// send tells one state. A manager that does not listen is no reason to fail.
func (n notifier) send(state string) {
	if n.socket == "" {
		return
	}
	name := n.socket
	if abstract, ok := strings.CutPrefix(name, "@"); ok {
		name = "\x00" + abstract
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetWriteDeadline(time.Now().Add(notifyTimeout))
	conn.Write([]byte(state)) // as above
}

// reloading tells that a reload begins; READY=1 tells its end. The manager wants to know when, by the
// monotonic clock.
func (n notifier) reloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
		n.send("RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10))
	}
}
