package db

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What Trouble says of a server that is not there.
const (
	awayForNow     = "the database is not there at the moment"
	awayAltogether = "the database does not answer"
)

// Trouble says in words what is the matter with the engine, when an error is not about what was asked: the disk is full, a
// file cannot be written, the server does not answer. Asking again makes sense then. Empty: it is some other error.
func Trouble(err error) string {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff { // the rest of the code tells more than is needed
		case sqlite3.SQLITE_FULL:
			return "the disk of the store is full"
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return "the store cannot be written"
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return "the store is damaged"
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return "the store is busy"
		}
		return ""
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
