package db

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// How long a network may be silent. Both sides of a connection give it up about then: the server, so that the locks of a node that
// was cut off are free, and the node, so that its requests are answered.
const (
	silentMost  = 10 * time.Second
	silentIdle  = 4 * time.Second // then it is looked after
	silentEvery = 2 * time.Second
	connectMost = 5 * time.Second // for one host, where the address says nothing
	pongMost    = 3 * time.Second // for a connection of the pool that was idle
)

// patience is what the server is told. Keepalives find a peer that is silent while nothing is on its way to it, tcp_user_timeout one
// that does not take an answer, client_connection_check_interval has a statement that waits for a lock see either; a node that
// stands still with a transaction open is found by the last. What the address says wins.
var patience = map[string]string{
	"tcp_keepalives_idle": "4", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3", // seconds
	"tcp_user_timeout": "10000", "client_connection_check_interval": "2000", "idle_in_transaction_session_timeout": "60000", // milliseconds
}

// setPatience bounds how long either side waits for a peer that is gone without a word.
func setPatience(config *pgxpool.Config) {
	for name, value := range patience {
		if _, said := config.ConnConfig.RuntimeParams[name]; !said {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectMost
	}
	dialer := &net.Dialer{
		Timeout:         config.ConnConfig.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silentIdle, Interval: silentEvery, Count: 3},
		Control:         giveUp,
	}
	config.ConnConfig.DialFunc, config.PingTimeout = dialer.DialContext, pongMost
}

// unreached is a failure to connect in words that begin with its cause.
type unreached struct {
	text string
	error
}

func (u unreached) Error() string { return u.text }
func (u unreached) Unwrap() error { return u.error }

// plainly says why no connection came about. The driver tells of each try, also of one by TLS before the one without that found
// the password wrong: of each address the last counts, and the last address first, which is the one that ended it.
func plainly(err error) error {
	var failed *pgconn.ConnectError
	if !errors.As(err, &failed) {
		return err
	}
	tries, several := failed.Unwrap().(interface{ Unwrap() []error })
	if !several {
		return err
	}
	var causes []string
	told := map[string]bool{}
	list := tries.Unwrap()
	for i := len(list) - 1; i >= 0; i-- {
		text := list[i].Error()
		address, _, _ := strings.Cut(text, ": ")
		if !told[address] {
			told[address], causes = true, append(causes, text)
		}
	}
	return unreached{fmt.Sprintf("connect to the database %q as %q: %s", failed.Config.Database, failed.Config.User, strings.Join(causes, "; ")), err}
}
