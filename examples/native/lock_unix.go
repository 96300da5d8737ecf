//go:build linux || darwin || freebsd || netbsd || openbsd

package native

import (
	"os"
	"syscall"
)

// Lock waits until no other process of the app works with the secret. The system frees the lock of a process that dies.
func (f *file) Lock() (unlock func(), err error) {
	l, err := os.OpenFile(f.path()+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX); err != nil {
		l.Close()
		return nil, err
	}
	return func() { l.Close() }, nil
}
