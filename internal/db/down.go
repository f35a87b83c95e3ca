package db

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"zombiezen.com/go/sqlite"
)

// What Trouble says of a server that is not there.
const (
	awayForNow     = "the database is not there at the moment"
	awayAltogether = "the database does not answer"
)

// Trouble says in words what is the matter with the engine, when an error is not about what was asked: the disk is full, a
// file cannot be written, the server does not answer. Asking again makes sense then. Empty: it is some other error.
func Trouble(err error) string {
	switch liteCode(err).ToPrimary() {
	case sqlite.ResultFull:
		return "the disk of the store is full"
	case sqlite.ResultIOErr, sqlite.ResultCantOpen, sqlite.ResultReadOnly:
		return "the store cannot be written"
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return "the store is damaged"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return "the store is busy"
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "08"):
			return awayForNow
		case conflict(err): // after all tries: nothing was kept
			return "the store is busy"
		case pg.Code == "53100":
			return "the disk of the database is full"
		case strings.HasPrefix(pg.Code, "53"):
			return "the database has no room for another connection at the moment"
		case pg.Code == "25006":
			return "the database takes no changes at the moment"
		}
		return ""
	}
	var dial *pgconn.ConnectError
	var wire net.Error
	if errors.As(err, &dial) || errors.As(err, &wire) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.Timeout(err) && !errors.Is(err, context.Canceled) || err != nil && strings.Contains(err.Error(), "conn closed") {
		return awayAltogether
	}
	return ""
}
