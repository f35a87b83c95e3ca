package db

import (
	"net"
	"time"

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
