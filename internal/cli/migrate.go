package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house"
)

func (d *desk) migrate() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Move the embedded store into PostgreSQL", Args: exactly(0),
		Long: `Moves everything in the store of the --data folder into the empty PostgreSQL database that --database names. Stop the
server first. Each table is read back and held against its origin, row by row, in the one transaction that wrote it: all is
there afterwards, or nothing, and then it is run again. At the end the books are checked as by purser check.

    purser migrate --data ./purser-data --database postgres://purser@db.internal/purser
    purser serve   --data ./purser-data --database postgres://purser@db.internal/purser

purser.key stays in the data folder and opens the secrets in both stores: every node needs it (or PURSER_KEY). The old
purser.db is left as it is; put it away, so that nobody goes on with it by mistake.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if !strings.HasPrefix(d.config.Database, "postgres://") && !strings.HasPrefix(d.config.Database, "postgresql://") {
				return usageError{errors.New("migrate: --database must name the target, postgres://user@host/name")}
			}
			var tables, rows int64
			err := house.Migrate(c.Context(), d.config, func(m db.Moved) {
				switch {
				case m.Sum == "":
					fmt.Fprintf(d.out, "%s: %d of %d rows\n", m.Table, m.Rows, m.Of)
				case m.Rows > 0:
					fmt.Fprintf(d.out, "%s: %d rows, the same on both sides (%s)\n", m.Table, m.Rows, m.Sum)
				}
				if m.Sum != "" {
					tables, rows = tables+1, rows+m.Rows
				}
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(d.out, "moved %d tables with %d rows\n", tables, rows)
			return d.with(c.Context(), func(h *house.House) error { return d.checkBooks(c.Context(), h, 0, false) })
		},
	}
}
