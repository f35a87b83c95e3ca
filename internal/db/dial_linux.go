package db

import (
	"strings"
	"syscall"
)

const tcpUserTimeout = 18 // TCP_USER_TIMEOUT, milliseconds; package syscall has no name for it

// giveUp has the kernel give a connection up whose peer takes nothing, which else it does after a quarter of an hour.
func giveUp(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if inner := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(silentMost.Milliseconds()))
	}); inner != nil {
		return inner
	}
	return err
}
