//go:build unix

package queue

import (
	"errors"
	"os"
	"syscall"
)

// hold makes a file and holds it until it is closed, or the process ends however it may. errHeld.
func hold(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		return f, nil
	}
	f.Close() //nolint:errcheck // the first error is the one that counts
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errHeld
	}
	return nil, err
}
