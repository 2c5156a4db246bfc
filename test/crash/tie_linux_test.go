package crash

import (
	"os/exec"
	"runtime"
	"syscall"
)

// tie has the system kill the process when this one dies without cleaning up, as at the test's deadline. To
// the system the parent is a thread: the caller's stays with its goroutine, which is that of a test.
func tie(cmd *exec.Cmd) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
