package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketName is the control socket in a data folder.
const SocketName = "admin.sock"

// Listen makes the control socket of a data folder, for its owner alone (mode 0600). A socket that a
// server has left behind is replaced; one that somebody answers is not.
func Listen(data string) (net.Listener, error) {
	path := filepath.Join(data, SocketName)
	if err := removeStale(data, path); err != nil {
		return nil, err
	}
	// It is made in a folder of its own and moved when it has its mode: nobody can open it before.
	dir, err := os.MkdirTemp(data, ".socket-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ln, err := listenUnix(dir, SocketName)
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	made := filepath.Join(dir, SocketName)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return &listener{ln, path, info}, nil
}

// listener removes its socket when it is closed, if it is still its own.
type listener struct {
	net.Listener
	path string
	made fs.FileInfo
}

func (l *listener) isLost() bool {
	now, err := os.Lstat(l.path)
	return err != nil || !os.SameFile(now, l.made)
}

func (l *listener) Close() error {
	if l.isLost() {
		return l.Listener.Close()
	}
	return errors.Join(os.Remove(l.path), l.Listener.Close())
}

// IsLost reports whether the control socket that ln listens to was removed, or replaced, so that nobody finds it any
// more.
func IsLost(ln net.Listener) bool {
	l, ok := ln.(*listener)
	return ok && l.isLost()
}

func removeStale(data, path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	conn, err := dial(context.Background(), data)
	if err == nil {
		conn.Close()
		return fmt.Errorf("a server is running on %s already: it answers at %s", data, path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// dial opens a connection to the server on a data folder.
func dial(ctx context.Context, data string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	path, done, err := socketPath(data, SocketName)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

func listenUnix(dir, name string) (*net.UnixListener, error) {
	path, done, err := socketPath(dir, name)
	if err != nil {
		return nil, err
	}
	defer done()
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// socketPath names a socket in a folder. The kernel takes some hundred bytes only; a longer name goes by
// way of the folder's descriptor, until done is called.
func socketPath(dir, name string) (path string, done func(), err error) {
	if path = filepath.Join(dir, name); len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), name), func() { folder.Close() }, nil
}

// IsRunning reports whether a server answers on a data folder. It is an error if that cannot be known,
// such as for want of permission.
func IsRunning(ctx context.Context, data string) (bool, error) {
	conn, err := dial(ctx, data)
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return false, nil
	}
	return false, fmt.Errorf("the control socket in %s: %w", data, err)
}
