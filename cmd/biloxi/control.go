package main

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"biloxi/admin"
)

// controlEvery is how often it is looked whether the control socket is still there: who has removed it waits no longer.
const controlEvery = time.Second

// keepControl serves the control socket, and makes another when it is removed, until the service ends. Without a socket,
// on a disk that took none, it tries to make one.
func (s *service) keepControl(data string, socket net.Listener) {
	name := filepath.Join(data, admin.SocketName)
	if socket == nil {
		s.log.Error("there is no control socket: the disk takes none; it is tried again", "file", name)
	} else {
		go s.control.Serve(socket)
	}
	ticker := time.NewTicker(controlEvery)
	defer ticker.Stop()
	for told := socket == nil; ; {
		select {
		case <-s.ended:
			return
		case <-ticker.C:
		}
		if socket != nil && !admin.IsLost(socket) {
			continue
		}
		made, err := admin.Listen(data)
		switch {
		case err == nil:
			s.log.Warn("the control socket is made again", "file", name)
			if socket != nil {
				socket.Close()
			}
			socket, told = made, false
			go s.control.Serve(made)
		case !told:
			s.log.Error("the control socket was removed and cannot be made again", "file", name, "error", err)
			told = true
		}
	}
}

// mayBeMended reports whether an error is of a disk that is full, fails, or takes no writes.
func mayBeMended(err error) bool {
	for _, of := range [...]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
